"""What we write means the same to PyYAML, to ruamel.yaml in 1.2 mode, and to npm's `yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from tests.parsers import NodeParser, read_pyyaml, read_ruamel_12, tagged

# Strings that some version of YAML, or some parser, takes for something else.
STRINGS = [
    *("no", "NO", "on", "off", "y", "Y", "n", "yes", "true", "True", "FALSE", "~", "null", "Null", ""),
    *("1", "-1", "+1", "1e3", "1E3", "1.5", "1_000", ".5", "5.", "1.", "0o7", "012", "0x1f", "0b11"),
    *("12:30", "12:30:45", "1:2:3.5", "2024-01-01", "2024-01-01T12:00:00Z", "2024-01-01 12:00:00"),
    *(".inf", "-.Inf", ".nan", ".NaN", "=", "<<", "!", "!tag", "&a", "*a", "@x", "`x", "%x", "|", ">"),
    *("-", "- x", "-x", "?", "? x", ":", ": x", "x:", "a: b", "a:b", "#", "# x", "x #y", "x#y", "---"),
    *("...", "--- x", "{}", "[]", "{a: b}", "[a]", "{", "}", "]", ",", "a, b", '"', "'", '"x"', "'x'"),
    *(" lead", "trail ", "  ", "\t", "tab\tin", "two\nlines", "\n", "end\n", "\r", "cr\r\nlf", "\\"),
    *("back\\slash", "\\n", "\x01", "\x07", "\x1b[0m", "\x7f", "\x80", "\x85", "a\x85b", "\x9f", "\xa0"),
    *("\u2028", "a\u2028b", "\u2029", "\ufeff", "\ufeffx", "\ufffe", "\uffff", "\ufffd", "\U0001f9ec"),
    *("é ü", "日本", "e\u0301", "\u200b", "\u202e", "\U0010ffff", "x" * 5000, "word " * 400 + "end"),
    *("meta", "reads", "sample", "project", "a.b", "a/b", "../../evil", "C:\\x", "50%", "$HOME", "${X}"),
]
NUMBERS = [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 1000000]
DOUBLES = [0.0, -0.0, 0.1, 1.0, -1.5, 1e3, 1e15, 1e16, 1e17, 1e22, 1e-4, 1e-5, 1e-7, 5e-324]
DOUBLES += [1.7976931348623157e308, 2.2250738585072014e-308, 123456789.123456789, 1 / 3]
CONTAINERS: list[Any] = [
    [],
    {},
    [[]],
    [{}],
    {"a": []},
    {"a": {}},
    [[], {}, [[], {}], None],
    {"a": {"b": {"c": [{"d": []}, [1, [2, [3]]]]}}},
    [[1, 2], [3, [4]]],
    [{"a": 1, "b": [True, False, None]}, {"a": 2}],
    [None, True, False, 0, 0.0, "", "0"],
]
# Names of records, of results and of keys inside objects.
KEYS = [
    *("no", "1", "1e3", "a: b", "? x", "- x", "~", "null", "true", "", " lead", "trail ", "<<", "="),
    *("# x", "x #y", '"q"', "'q'", "é ü", "a\u2028b", "two\nlines", "12:30", "2024-01-01", "x" * 300),
    *("k" * 1200, "{a}", "[b]", "&a", "*a", "!t", "|", "%", "@", "`", "a:b", ":", "-", "?", "\U0001f9ec"),
]
NAMES = [key for key in KEYS if key and len(key) <= 255 and key.isprintable()]


def written(folder: Path, layout: str) -> tuple[Path, dict[str, Any]]:
    """Write all traps, as values and as keys, at each depth; return the file and its records."""
    values: dict[str, Any] = {f"string {i}": text for i, text in enumerate(STRINGS)}
    values |= {f"integer {i}": number for i, number in enumerate(NUMBERS)}
    values |= {f"number {i}": number for i, number in enumerate(DOUBLES)}
    values |= {f"container {i}": value for i, value in enumerate(CONTAINERS)}
    values |= {"null": None, "yes": True, "no": False}
    values["all in a list"] = [*STRINGS, *NUMBERS, *DOUBLES, *CONTAINERS]
    values["as keys"] = {key: {key: [key]} for key in KEYS}
    records: dict[str, Any] = {"values": values}
    for name in NAMES:
        records[name] = {name: name, "in a list": [{name: [name]}]}
    path = folder / f"{layout}.yaml"
    with PipestatManager(results_file_path=path, layout=layout, pipeline_name="no") as psm:
        psm.report_many(records)
        # History and a source hold values of the user's too.
        psm.report({name: "first" for name in STRINGS[:5] if name}, "history")
        for key, value in values.items():
            psm.report({"changing": value}, "history")
            assert psm.retrieve_one("history", "changing") == value, key
        with psm.record("history", source={"engine": "1e3", "attempt": 2, "no": "2024-01-01"}):
            psm.report({"changing": "end"}, "history")
    return path, records


def unordered(value: Any) -> Any:
    """Return a tagged value with the members of objects in one order."""
    kind, *content = value
    if kind == "object":
        members = [(key, unordered(item)) for key, item in content[0]]
        return [kind, sorted(members, key=repr)]
    if kind == "array":
        return [kind, [unordered(item) for item in content[0]]]
    return value


def results(document: Any, layout: str) -> dict[str, Any]:
    """Return the records of a tagged document without their `meta`, tagged."""
    inside = dict_of(dict_of(document)["no"])
    if layout == "levels":
        assert dict_of(inside["project"]) == {}
        inside = dict_of(inside["sample"])
    return {
        name: unordered(["object", [pair for pair in record[1] if pair[0] != ["string", "meta"]]])
        for name, record in inside.items()
    }


def dict_of(value: Any) -> dict[str, Any]:
    kind, members = value
    assert kind == "object"
    # Keys that some parser takes for anything but strings are what this test is about.
    assert all(key[0] == "string" for key, _ in members), members
    return {key[1]: item for key, item in members}


@pytest.fixture(params=["records", "levels"])
def layout(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@pytest.mark.parametrize("parse", [read_pyyaml, read_ruamel_12], ids=["pyyaml", "ruamel 1.2"])
def test_python_parsers_read_the_values(tmp_path: Path, layout: str, parse: Any) -> None:
    path, records = written(tmp_path, layout)
    read = results(parse(path), layout)
    read.pop("history")
    assert read == {name: unordered(tagged(values)) for name, values in records.items()}


@pytest.mark.node
def test_the_node_parser_reads_the_values(
    tmp_path: Path, layout: str, node_yaml: NodeParser
) -> None:
    path, records = written(tmp_path, layout)
    read = results(node_yaml.read(path), layout)
    read.pop("history")
    assert read == {name: unordered(tagged(values)) for name, values in records.items()}


@pytest.mark.node
def test_all_read_the_whole_file_alike(tmp_path: Path, layout: str, node_yaml: NodeParser) -> None:
    path, _ = written(tmp_path, layout)
    first = read_pyyaml(path)
    assert read_ruamel_12(path) == first
    assert node_yaml.read(path) == first


@pytest.mark.node
def test_all_read_alike_after_another_program_wrote_it(
    tmp_path: Path, layout: str, node_yaml: NodeParser
) -> None:
    path, records = written(tmp_path, layout)
    # With allow_unicode=True PyYAML itself loses U+0085.
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_bytes())))
    with PipestatManager(results_file_path=path) as psm:
        psm.report({"one": "more"}, "values")
    records["values"]["one"] = "more"
    read = results(node_yaml.read(path), layout)
    read.pop("history")
    assert read == {name: unordered(tagged(values)) for name, values in records.items()}
    assert read_ruamel_12(path) == read_pyyaml(path) == node_yaml.read(path)
