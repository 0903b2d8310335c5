"""Where pipestat 0.13.1's command line goes wrong, ours does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import pipestat_spec

SCHEMA = """
pipeline_name: rnaseq
samples:
  count: {type: integer, description: number of reads}
  rate: {type: number, description: rate}
  name: {type: string, description: name}
  switch: {type: boolean, description: switch}
  tags: {type: array, description: tags}
  log: {type: file, description: log}
"""


@pytest.fixture
def common(folder: Path) -> list[str]:
    (folder.parent / "schema.yaml").write_text(SCHEMA)
    return ["-f", "results.yaml", "-s", "../schema.yaml"]


def sample(folder: Path, name: str = "s1") -> Any:
    record = yaml.safe_load((folder / "results.yaml").read_bytes())["rnaseq"][name]
    return {key: value for key, value in record.items() if key != "meta"}


@pytest.mark.parametrize(
    ("result", "text", "value"),
    [
        ("count", "12", 12),
        ("count", "-5", -5),
        ("rate", "12", 12.0),
        ("rate", "1e-3", 0.001),
        ("name", "12", "12"),
        ("name", "false", "false"),
        ("switch", "false", False),
        ("switch", "True", True),
        ("tags", "[1,2]", [1, 2]),
        ("tags", "[]", []),
        ("log", '{"path": "a.log", "title": "Log"}', {"path": "a.log", "title": "Log"}),
    ],
)
def test_a_value_takes_the_type_that_the_schema_declares(
    folder: Path, common: list[str], result: str, text: str, value: object
) -> None:
    pipestat_spec("report", *common, "-r", "s1", "-i", result, "-v", text, cwd=folder)
    stored = sample(folder)[result]
    assert stored == value
    assert type(stored) is type(value)


@pytest.mark.parametrize(
    ("result", "text", "type_"),
    [
        ("count", "twelve", "integer"),
        ("count", "1.5", "integer"),
        ("rate", "nan", "number"),
        ("switch", "1", "boolean"),
        ("tags", "{}", "array"),
    ],
)
def test_a_value_that_does_not_fit_is_one_line_and_stores_nothing(
    folder: Path, common: list[str], result: str, text: str, type_: str
) -> None:
    arguments = ["report", *common, "-r", "s1", "-i", result, "-v", text]
    done = pipestat_spec(*arguments, cwd=folder, code=1)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    for part in (result, text, type_):
        assert part in done.stderr
    assert not (folder / "results.yaml").exists()


def test_a_different_value_is_refused_by_exit_code(folder: Path, common: list[str]) -> None:
    pipestat_spec("report", *common, "-r", "s1", "count=1", cwd=folder)
    before = (folder / "results.yaml").read_bytes()
    done = pipestat_spec("report", *common, "-r", "s1", "count=2", "name=x", cwd=folder, code=1)
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert (folder / "results.yaml").read_bytes() == before
    pipestat_spec("report", *common, "-r", "s1", "-o", "count=2", cwd=folder)
    assert sample(folder) == {"count": 2}


def test_a_retried_report_succeeds_and_changes_no_byte(folder: Path, common: list[str]) -> None:
    arguments = ["report", *common, "-r", "s1", "count=1", "rate=0.5", "tags=[1]", "switch=true"]
    pipestat_spec(*arguments, cwd=folder)
    before = (folder / "results.yaml").stat(), (folder / "results.yaml").read_bytes()
    pipestat_spec(*arguments, cwd=folder)
    after = (folder / "results.yaml").stat(), (folder / "results.yaml").read_bytes()
    assert after[1] == before[1]
    assert after[0].st_mtime_ns == before[0].st_mtime_ns
    assert after[0].st_ino == before[0].st_ino


def test_an_unknown_result_or_record_is_one_line(folder: Path, common: list[str]) -> None:
    pipestat_spec("report", *common, "-r", "s1", "count=1", cwd=folder)
    for arguments in (
        ["retrieve", *common, "-r", "s1", "-i", "no_such_result"],
        ["retrieve", *common, "-r", "no_such_record"],
        ["history", *common, "-r", "no_such_record"],
        ["remove", *common, "-r", "no_such_record", "--whole-record"],
    ):
        done = pipestat_spec(*arguments, cwd=folder, code=1)
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert "no_such" in done.stderr
        assert "Traceback" not in done.stderr


def test_retrieving_one_result_prints_that_one(folder: Path, common: list[str]) -> None:
    pipestat_spec("report", *common, "-r", "s1", "count=1", "name=x", cwd=folder)
    done = pipestat_spec("retrieve", *common, "-r", "s1", "-i", "name", cwd=folder)
    assert done.stdout == "x\n"
    done = pipestat_spec(
        "retrieve", *common, "-r", "s1", "-i", "count", "--format", "json", cwd=folder
    )
    assert json.loads(done.stdout) == 1


def test_a_schema_in_the_environment_counts(folder: Path, common: list[str]) -> None:
    variables: dict[str, Any] = {
        "PIPESTAT_RESULTS_FILE": "results.yaml",
        "PIPESTAT_RESULTS_SCHEMA": "../schema.yaml",
        "PIPESTAT_RECORD_IDENTIFIER": "s1",
    }
    pipestat_spec("report", "count=12", cwd=folder, **variables)
    assert sample(folder) == {"count": 12}
    pipestat_spec("report", "-o", "count=many", cwd=folder, code=1, **variables)
    assert sample(folder) == {"count": 12}
