"""What is given to `pipestat-emit` is what `ingest` reads, byte for byte."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipestat_spec.documents.json_schemas import FOLDER
from pipestat_spec.documents.report import ReportDocument
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import PipestatError
from pipestat_spec.ingest import ingest, read_documents
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import RecordKey
from pipestat_spec.opening import open_store
from tests.emitter.programs import Emitter

# All of Unicode without NUL and surrogates, the difficult ones more often than others.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
DIFFICULT = st.sampled_from(
    "\\\"'\n\r\t\x01\x1b\x7f\x80\x85\u2028\ufeff\uffff\U0001f600&$`!*[]{}:=@-"
)
TEXTS = st.text(st.one_of(CHARACTERS, DIFFICULT), max_size=40)
LOCALES = ("C", "C.UTF-8", "POSIX")


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(TEXTS, min_size=20, max_size=20), locale=st.sampled_from(LOCALES))
def test_what_ingest_stores_is_what_was_given(
    texts: list[str], locale: str, emit: Emitter, tmp_path: Path
) -> None:
    given_values: dict[str, Any] = {f"t{i}": text for i, text in enumerate(texts)}
    as_json = {f"j{i}": [text, {text: i % 2 == 0}] for i, text in enumerate(texts[:4])}
    arguments = [f"{name}={text}" for name, text in given_values.items()]
    for number, (name, value) in enumerate(as_json.items()):
        arguments.append(f"{name}:={json.dumps(value, ensure_ascii=number % 2 == 0)}")
    path = emit.cwd / "s1.pipestat.json"
    emit("s1", "-o", path.name, *arguments, env={"LC_ALL": locale, "LANG": locale})
    assert path.read_bytes().count(b"\n") == 1

    settings = {"results_file_path": str(tmp_path / "results.yaml"), "pipeline_name": "p"}
    store = open_store(Config(), settings).store
    ingest(store, [path])
    stored = store.read(RecordKey("sample", "s1"))
    assert stored is not None
    assert stored.results == {**given_values, **as_json}


def test_each_character_below_the_surrogates(emit: Emitter) -> None:
    for start in range(1, 0xD800, 0x2000):
        characters = [chr(code) for code in range(start, min(start + 0x2000, 0xD800))]
        pieces = ["".join(characters[i : i + 256]) for i in range(0, len(characters), 256)]
        printed = emit.document("s1", *(f"k{i}={piece}" for i, piece in enumerate(pieces)))
        assert list(printed["results"].values()) == pieces


def test_each_control_character_alone_and_repeated(emit: Emitter) -> None:
    values = {f"k{code}": f"{chr(code)}a{chr(code)}{chr(code)}" for code in (*range(1, 32), 127)}
    printed = emit.document("s1", *(f"{name}={value}" for name, value in values.items()))
    assert printed["results"] == values


@pytest.mark.parametrize("piece", ["\\", '"', "\x01", "\n", "é", "€", "😀", 'a"€\\😀'])
def test_long_texts_are_taken_in_pieces_and_stay_whole(emit: Emitter, piece: str) -> None:
    for shift in range(4):
        text = "x" * shift + piece * 3000
        assert emit.document("s1", f"k={text}")["results"] == {"k": text}


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x80",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc3",
        b"\xe0\x80\x80",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
        b"\xe2\xc3\xa9\x82\xac",
        b"\xc3\xa9\xa9",
    ],
)
@pytest.mark.parametrize("before", [b"", b"x" * 2047, b"\xe2\x82\xac" * 700])
def test_what_is_not_utf8_is_refused(emit: Emitter, wrong: bytes, before: bytes) -> None:
    assert emit("s1", b"k=" + before + wrong + b"y", code=1) == b"result 'k' is not UTF-8"


@pytest.mark.parametrize("place", [b"k\xff=1", b'k:="\xff"'])
def test_names_and_json_have_to_be_utf8_too(emit: Emitter, place: bytes) -> None:
    assert b"not UTF-8" in emit("s1", place, code=1)
    assert emit(b"s\xff", "k=1", code=1) == b"the record identifier is not UTF-8"


# JSON


@pytest.mark.parametrize(
    "text",
    """ 0 -0 10 -12.50 1e5 1E+5 1.5e-10 9223372036854775807 -9223372036854775808
    12345678901234567890.5 [-1] [-1.5e3,-2] true false null "" "a" [] {} [[]] [{}] {"":0}
    {"a":[1,{"b":[null,true]}],"c":"d"}
    "\\u00e9" "\\ud83d\\ude00" "\\"" "\\\\" "\\\\\\"" "\\/\\b\\f\\n\\r\\t" "\\\\u12" "\\\\ud800"
    "a,b:[c]{d}" {"a,b":"c:d"} [1,2,[3,4],5] {"a":1,"b":{"a":1}} [{"a":1},{"a":1}] "é€😀" ["!"]
    """.split(),
)
def test_json_is_taken_as_it_is(emit: Emitter, text: str) -> None:
    expected = f'"results": {{"k": {text}}}'
    assert expected.encode() in emit("s1", f"k:={text}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it ends too early"),
        ("  ", "it ends too early"),
        ("[", "it ends too early"),
        ('{"a":', "it ends too early"),
        ("1 2", "after its end stands '2'"),
        ("[] x", "after its end stands 'x'"),
        ("{}}", "after its end stands '}'"),
        ('"a"b', "after its end stands 'b'"),
        ('"a" "b"', "after its end stands '\"b\"'"),
        ("1,", "after its end stands ','"),
        ("[1 2]", "'2' stands where it cannot"),
        ("[1,]", "']' is no value; a string needs quotes"),
        ("[,1]", "',' is no value; a string needs quotes"),
        ("[1}", "'}' stands where it cannot"),
        ("{]", "']' stands where it cannot"),
        ('{"a":1]', "']' stands where it cannot"),
        ('{"a":1,}', "'}' stands where it cannot"),
        ('{"a" 1}', "'1' stands where it cannot"),
        ('{"a"}', "'}' stands where it cannot"),
        ("{1:2}", "'1' stands where it cannot"),
        ("{a:2}", "'a' stands where it cannot"),
        ('{"a":1 "b":2}', "'\"b\"' stands where it cannot"),
        ('{"a":1,"a":2}', "the key 'a' stands twice in one object"),
        ('{"b":[{"a":1}],"a":{"a":1},"b":0}', "the key 'b' stands twice in one object"),
        (":", "':' is no value; a string needs quotes"),
        ("yes", "'yes' is no value; a string needs quotes"),
        ("True", "'True' is no value; a string needs quotes"),
        ("nul", "'nul' is no value; a string needs quotes"),
        ("NaN", "'NaN' is no value; a string needs quotes"),
        ("-Infinity", "'-Infinity' is not a number as JSON writes it"),
        ("+1", "'+1' is no value; a string needs quotes"),
        ("01", "'01' is not a number as JSON writes it"),
        ("-", "'-' is not a number as JSON writes it"),
        ("1.", "'1.' is not a number as JSON writes it"),
        (".5", "'.5' is no value; a string needs quotes"),
        ("1e", "'1e' is not a number as JSON writes it"),
        ("0x10", "'0x10' is not a number as JSON writes it"),
        ("1_000", "'1_000' is not a number as JSON writes it"),
        (
            "9223372036854775808",
            "the integer '9223372036854775808' is outside the signed 64-bit range",
        ),
        ("-9223372036854775809", "the integer '-9223372036854775809' is outside the signed 64"),
        ('"a', "a string has no end"),
        ('"a\\"', "a string has no end"),
        ("'a'", "''a'' is no value; a string needs quotes"),
        ('"\\x"', "an escape in a string is not one of JSON's"),
        ('"\\u12g4"', "an escape in a string is not one of JSON's"),
        ('"\\u12"', "an escape in a string is not one of JSON's"),
        ("[1\\\\]", "'1!' is not a number as JSON writes it"),
        ('"\\ud800"', "a string holds a lone surrogate"),
        ('"\\udc00\\ud800"', "a string holds a lone surrogate"),
        ('"\\ud83d\\ud83d\\ude00"', "a string holds a lone surrogate"),
        ('"\\u0000"', "a string holds NUL"),
        ('"a\nb"', "a string holds a line break or a tab; write \\n or \\t"),
        ('"a\tb"', "a string holds a line break or a tab; write \\n or \\t"),
        ('"a\x01b"', "a control character stands in it"),
        ("[1,\x0b2]", "a control character stands in it"),
        ("\ufeff1", "'\ufeff1' is no value; a string needs quotes"),
        ("[" * 101 + "]" * 101, "its depth is more than 100"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(emit: Emitter, text: str, problem: str) -> None:
    said = emit("s1", f"k:={text}", code=1).decode()
    assert said.startswith(f"result 'k': not JSON: {problem}")


def test_a_hundred_levels_are_allowed(emit: Emitter) -> None:
    emit("s1", f"k:={'[' * 100}{']' * 100}")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
DISTURBANCES = st.text(st.sampled_from('{}[],:"\\ \n\t01-+.eEtrufalsn\x01\x7fé'), max_size=2)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=JSON_VALUES,
    indent=st.sampled_from((None, 1)),
    ascii_only=st.booleans(),
    place=st.floats(0, 1),
    removed=st.integers(0, 2),
    put=DISTURBANCES,
)
def test_the_checker_agrees_with_ingest(
    value: Any,
    indent: int | None,
    ascii_only: bool,
    place: float,
    removed: int,
    put: str,
    emit: Emitter,
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    at = int(place * len(text))
    text = text[:at] + put + text[at + removed :]
    if text.startswith("@"):
        return
    try:
        expected = canonical(json.loads(text, object_pairs_hook=once, parse_constant=no_constant))
    except (PipestatError, ValueError) as error:
        if "only ingest" in str(error) or "inf is not a JSON number" in str(error):
            return
        emit("s1", f"k:={text}", code=1)
    else:
        # Through ingest's own reader, so that no key stands twice and the like.
        path = emit.cwd / "s1.pipestat.json"
        emit("s1", f"k:={text}", "-o", str(path))
        (found,) = read_documents(path)
        document = ReportDocument.model_validate(found.content)
        assert document.results == {"k": expected}


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("only ingest can tell every key that stands twice")
    return dict(pairs)


def no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def test_json_from_a_file_becomes_one_line(emit: Emitter) -> None:
    plot = {"path": "p.png", "title": "a  b\t\n", "size": [1, 2.5, -3e-7, None, True]}
    (emit.cwd / "plot.json").write_bytes(
        json.dumps(plot, indent="\t").replace("\n", "\r\n").encode()
    )
    assert emit.document("s1", "plot:=@plot.json")["results"] == {"plot": plot}


def test_files_that_are_no_json(emit: Emitter) -> None:
    (emit.cwd / "nul.json").write_bytes(b'"a\0b"')
    (emit.cwd / "half.json").write_bytes(b'{"a": ')
    assert emit("s1", "k:=@nul.json", code=1) == b"result 'k', file 'nul.json': it holds a NUL byte"
    assert emit("s1", "k:=@half.json", code=1) == (
        b"result 'k', file 'half.json': not JSON: it ends too early"
    )
    assert emit("s1", "k:=@no.json", code=1) == b"result 'k', file 'no.json': there is no such file"
    assert b"there is no such file" in emit("s1", "k:=@.", code=1)


def test_documents_follow_their_json_schema(emit: Emitter) -> None:
    schema = json.loads((FOLDER / "report_document.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for arguments in (
        ["s1", "--status", "completed"],
        ["s 1/ü", "a=1", "b c:=[1]", "--level=project", "--namespace", "rnaseq"],
        ["s1", "--status", "failed", "-m", "why", "--attempt", "2", "--source", "engine=slurm"],
        ["s1", "a=", "--time", "2026-01-31 12:00:00.5+02:00", "--source", 'lane:={"x": 1}'],
    ):
        validator.validate(emit.document(*arguments))


def test_twenty_values_take_little_time(emit: Emitter) -> None:
    # Time of the processors, which other programs of the machine do not stretch.
    script = (
        "TIMEFORMAT='%U %S'; time for i in 1 2 3 4 5; do pipestat-emit s1 -o s1.pipestat.json "
        + " ".join(f'\'k{i}:={{"path": "a/{i}.png", "title": "t {i}"}}\'' for i in range(10))
        + " ".join(f" 'n{i}=value \"{i}\"'" for i in range(10))
        + " --status completed --attempt 1; done"
    )
    done = emit.bash(script)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[\d.]+ [\d.]+\n", done.stderr)
    seconds = sum(map(float, done.stderr.split())) / 5
    assert seconds < 0.1
