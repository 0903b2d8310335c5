"""Schemas from files and addresses."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from pipestat_spec.errors import SchemaError, SchemaNotFoundError
from pipestat_spec.schema_files import load_document, load_output_schema, load_status_schema

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(SCHEMAS)))
    thread = Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_address_of_a_server(server: str) -> None:
    address = f"{server}/flat_form.yaml"
    schema = load_output_schema(address)
    assert (schema.pipeline_name, schema.source) == ("flat_pipe", address)
    with pytest.raises(SchemaNotFoundError, match="404"):
        load_output_schema(f"{server}/missing.yaml")


def test_file_address(tmp_path: Path) -> None:
    path = tmp_path / "a schema.yaml"
    path.write_text("n: {type: integer}")
    assert list(load_output_schema(path.as_uri()).levels["sample"].results) == ["n"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.yaml", "http://[bad/x.yaml"])
def test_unreachable_address(address: str) -> None:
    with pytest.raises(SchemaNotFoundError, match="check the address") as caught:
        load_output_schema(address)
    assert address in str(caught.value)
    assert "\n" not in str(caught.value)


def test_keys_in_an_address_are_not_shown(server: str) -> None:
    """They stand in the address that fetches the schema, and nowhere else."""
    host = server.removeprefix("http://")
    for name in ("missing.yaml", "flat_form.yaml"):
        address = f"http://user:TOPSECRET@{host}/{name}?token=TOPSECRET"
        with pytest.raises(SchemaError) as caught:
            load_output_schema(address)
        assert "TOPSECRET" not in str(caught.value)
        assert "TOPSECRET" not in str(vars(caught.value))


def test_a_server_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and the end never does."""
    from pipestat_spec.text import locations

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"#")
                    self.wfile.flush()
                    time.sleep(0.01)

        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setattr(locations, "_LONGEST", 0.2)
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as httpd:
        Thread(target=httpd.serve_forever, daemon=True).start()
        with pytest.raises(SchemaNotFoundError, match="not all of it came"):
            load_document(f"http://127.0.0.1:{httpd.server_port}/schema.yaml")
        httpd.shutdown()


def test_missing_file(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("n: {type: integer}")
    with pytest.raises(SchemaNotFoundError, match=r"did you mean schema\.yaml\?"):
        load_output_schema(tmp_path / "schema.yml")
    with pytest.raises(SchemaNotFoundError, match="no such file"):
        load_output_schema(tmp_path / "schema.yaml" / "inside")
    with pytest.raises(SchemaError, match="it is a folder, not a file"):
        load_output_schema(tmp_path)


def test_status_schema() -> None:
    schema = load_status_schema(SCHEMAS / "published_status.yaml")
    assert schema.identifiers == ("running", "completed", "failed", "waiting", "partial")
    assert schema.statuses["running"].color == (30, 144, 255)


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("on: 1\nno: 2\n1: 3\n~: 4\n1e3: 5\n2024-01-01: 6\n0x10: 7", {
            "on": 1, "no": 2, "1": 3, "~": 4, "1e3": 5, "2024-01-01": 6, "0x10": 7}),
        ("a: {yes: {no: 1}}", {"a": {"yes": {"no": 1}}}),
        ("highlight: yes\nwhen: 2024-01-01", {"highlight": True, "when": "2024-01-01"}),
        ("a: &x {type: integer}\nb: {<<: *x, description: d}", {
            "a": {"type": "integer"}, "b": {"type": "integer", "description": "d"}}),
        ("a: &x {type: integer}\nb: {<<: *x, type: string}", {
            "a": {"type": "integer"}, "b": {"type": "string"}}),
        ('{"a": 1,\t"on": [true, null]}', {"a": 1, "on": [True, None]}),
        ("{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
        ("\ufeffa: é", {"a": "é"}),
        ("{<<: {a: 1, b: 2}, c: 3, a: 4}", {"a": 4, "b": 2, "c": 3}),
        ("maximum: 18446744073709551615", {"maximum": 2**64 - 1}),
        ('{"maximum": 18446744073709551615}', {"maximum": 2**64 - 1}),
        (".inf: 1\n99999999999999999999: 2", {".inf": 1, "99999999999999999999": 2}),
        ("", None),
    ],
)  # fmt: skip
def test_keys_are_text(tmp_path: Path, text: str, document: object) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    found = load_document(path)
    assert found == document
    assert repr(found) == repr(document)


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 8)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1,\n]]", "line 2, column 2: "),
        ("a:\n\t- b", "line 2, column 1: "),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: key 'a' stands twice, on lines 1 and 3"),
        ("{a: 1, a: 2}", "line 1, column 8: key 'a' stands twice, on lines 1 and 1"),
        ("a: !!python/object/apply:os.getcwd []", "line 1, column 4: tag tag:yaml.org,2002:python"),
        ("a: !!set {x}", "line 1, column 4: tag tag:yaml.org,2002:set is not supported"),
        ("a: !!binary aGk=", "line 1, column 4: tag tag:yaml.org,2002:binary is not supported"),
        ("? [a]\n: 1", "line 1, column 3: a mapping key is not a scalar"),
        ("--- 1\n--- 2", "line 2, column 1: a second YAML document begins"),
        ('{"a": [1}', "line 1, column 9: "),
        ("a: *b", "line 1, column 4: alias *b has no anchor"),
        ("a: b\0", "line 1, column 5: a character that YAML does not allow"),
        ("é: 1\nb: é\x01", "line 2, column 5: a character that YAML does not allow"),
        ("a: !!int x", "line 1, column 4: 'x' is not a int"),
        ("a: .inf", "line 1, column 4: .inf is not a number of JSON"),
        ("a: !!float .nan", "line 1, column 4: .nan is not a number of JSON"),
        ("a: [1.0e+999]", "line 1, column 5: 1.0e+999 is not a number of JSON"),
        ("a: " + "1" * 5000, "line 1, column 4: 1111"),
        (LAUGHS, "line 5, column 45: aliases repeat more than 100000 values"),
        ("a: &a {b: *a}", "line 1, column 11: alias *a holds itself"),
        ("[" * 50_000, "the depth is too great"),
        ("a: " + "{a: " * 900 + "}" * 900, "line 1, column 480: the depth is more than 120"),
        ('{"a":' * 50_000, "the depth is too great"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice in one object; keep one"),
        ('{"a": [{"b": {}, "c": 1, "b": 2}]}', "the key 'b' stands twice in one object"),
        ('{"a": NaN}', "NaN is not a JSON number; write null"),
        ('{"a": ' + "1" * 5000 + "}", "an integer is outside the signed 64-bit range"),
    ],
)
def test_broken_documents(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(SchemaError) as caught:
        load_document(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {problem}")
    assert "\n" not in message


def test_without_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    schema = load_output_schema(SCHEMAS / "minimal_form.yaml")
    assert list(schema.levels["sample"].results) == ["title", "no", "1", "samples", "tree"]


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes("a: é".encode("latin-1"))
    with pytest.raises(SchemaError, match="byte 4 is not UTF-8; save the file as UTF-8"):
        load_document(path)


def test_a_schema_is_read_without_heavy_libraries() -> None:
    """A cold command has no time for them (the specification leaves it to us; users notice)."""
    code = (
        "import sys\n"
        "from pipestat_spec.domain.validation.conform import conform, from_text\n"
        "from pipestat_spec.schema_files import load_output_schema\n"
        f"schema = load_output_schema({str(SCHEMAS / 'published_simple.yaml')!r})\n"
        "result = schema.result('sample', 'number_of_things')\n"
        "assert conform(from_text('12', result), result) == 12\n"
        "print(sorted({'pydantic', 'jsonschema', 'fsspec', 'urllib.request'} & set(sys.modules)))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
