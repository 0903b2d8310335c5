"""What we write means the same to PyYAML, to ruamel.yaml in 1.2 mode, and to npm's `yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from tests.interop.yaml_traps import CONTAINERS, DOUBLES, KEYS, NUMBERS, STRINGS
from tests.parsers import NodeParser, read_pyyaml, read_ruamel_12, tagged

# Those of the keys that may name a record.
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


Traps = tuple[str, Path, dict[str, Any]]


@pytest.fixture(scope="module", params=["records", "levels"])
def traps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Traps:
    """The layout of a file with all traps, the file, which tests only read, and its records."""
    return request.param, *written(tmp_path_factory.mktemp("traps"), request.param)


@pytest.mark.parametrize("parse", [read_pyyaml, read_ruamel_12], ids=["pyyaml", "ruamel 1.2"])
def test_python_parsers_read_the_values(traps: Traps, parse: Any) -> None:
    layout, path, records = traps
    read = results(parse(path), layout)
    read.pop("history")
    assert read == {name: unordered(tagged(values)) for name, values in records.items()}


@pytest.mark.node
def test_the_node_parser_reads_the_values(traps: Traps, node_yaml: NodeParser) -> None:
    layout, path, records = traps
    read = results(node_yaml.read(path), layout)
    read.pop("history")
    assert read == {name: unordered(tagged(values)) for name, values in records.items()}


@pytest.mark.node
def test_all_read_the_whole_file_alike(traps: Traps, node_yaml: NodeParser) -> None:
    _, path, _ = traps
    first = read_pyyaml(path)
    assert read_ruamel_12(path) == first
    assert node_yaml.read(path) == first


@pytest.mark.node
def test_all_read_alike_after_another_program_wrote_it(
    traps: Traps, tmp_path: Path, node_yaml: NodeParser
) -> None:
    layout, ours, records = traps
    path = tmp_path / ours.name
    # With allow_unicode=True PyYAML itself loses U+0085.
    path.write_text(yaml.safe_dump(yaml.safe_load(ours.read_bytes())))
    with PipestatManager(results_file_path=path) as psm:
        psm.report({"one": "more"}, "values")
    records = {**records, "values": {**records["values"], "one": "more"}}
    read = results(node_yaml.read(path), layout)
    read.pop("history")
    assert read == {name: unordered(tagged(values)) for name, values in records.items()}
    assert read_ruamel_12(path) == read_pyyaml(path) == node_yaml.read(path)
