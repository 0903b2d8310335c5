"""`validate`: every problem is named on a line of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.runs import Run


def test_a_schema_alone(run: Run, folder: Path) -> None:
    done = run("validate", "-s", "schema.yaml")
    assert done == (0, "", f"valid: {folder / 'schema.yaml'}\n")
    assert run("validate", "-q", "-s", "schema.yaml") == (0, "", "")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("reads: {type: integr}", "reads"),
        ("reads: {type: integer}\nstatus: 3", "status"),
        ("samples:\n  reads: {type: string, minLength: x}", "minLength"),
        ("samples:\n  plot: {$ref: '#/$defs/none'}", "none"),
        ("meta: {type: integer}", "'meta' cannot name a result"),
        ("a: [", "line"),
    ],
)
def test_a_wrong_schema(run: Run, folder: Path, text: str, part: str) -> None:
    (folder / "wrong.yaml").write_text(text)
    done = run("validate", "-s", "wrong.yaml", code=1)
    (line,) = done.out.splitlines()
    assert line.startswith(str(folder / "wrong.yaml"))
    assert part in line
    assert done.err == "error: 1 problem\n"


def test_a_missing_schema(run: Run, folder: Path) -> None:
    assert "did you mean schema.yaml?" in run("validate", "-s", "schemas.yaml", code=1).out


def test_two_wrong_schemas(run: Run, folder: Path) -> None:
    (folder / "wrong.yaml").write_text("reads: {type: integr}")
    (folder / "statuses.yaml").write_text("done: {description: done, color: [0, 0, 256]}")
    done = run("validate", "-s", "wrong.yaml", "--status-schema", "statuses.yaml", code=1)
    assert len(done.out.splitlines()) == 2
    assert "done.color" in done.out


def test_a_wrong_configuration(run: Run, folder: Path) -> None:
    (folder / "c.yaml").write_text("result_file_path: r.yaml\n")
    done = run("validate", "-c", "c.yaml", code=1)
    assert "did you mean 'results_file_path'" in done.out


def test_stored_records(run: Run, store: Path) -> None:
    store.write_text(
        "rnaseq:\n"
        "  sample:\n"
        "    s1: {reads: twelve, rate: 0.5, plot: {path: p.png}, other: 1}\n"
        "    s2: {reads: 12, other: 2}\n"
        "  project:\n"
        "    project: {total: many}\n"
    )
    done = run("validate", code=1)
    lines = done.out.splitlines()
    assert [line.rpartition(": result")[0] or line for line in lines] == [
        "sample 's1'",
        "sample 's1'",
        "project 'project'",
    ]
    assert "'reads'" in lines[0]
    assert "title" in lines[1]
    assert "'total'" in lines[2]
    assert done.err.splitlines() == [
        "warning: result 'other' is not in the output schema at sample level",
        "error: 3 problems",
    ]
    found = json.loads(run("validate", "--format", "json", code=1).out)
    assert [(p["level"], p["record"], p["result"]) for p in found] == [
        ("sample", "s1", "reads"),
        ("sample", "s1", "plot"),
        ("project", "project", "total"),
    ]
    only = run("validate", "-p", "project", code=1)
    assert len(only.out.splitlines()) == 1


def test_required_results_and_statuses(run: Run, folder: Path) -> None:
    (folder / "required.yaml").write_text(
        "properties:\n"
        "  pipeline_name: p\n"
        "  samples:\n"
        "    type: object\n"
        "    required: [reads, name]\n"
        "    properties: {reads: {type: integer}, name: {type: string}}\n"
    )
    common = ["-f", "r.yaml", "-s", "required.yaml"]
    run("report", *common, "-r", "s1", "reads=1", "--status", "failed")
    run("report", *common, "-r", "s2", "reads=1", "name=x")
    assert run("validate", *common, code=1).out == (
        "sample 's1': the required result 'name' is missing\n"
    )
    run("report", *common, "-r", "s1", "name=y")
    assert "2 records of 'p'" in run("validate", *common).err


def test_a_broken_file_is_one_problem(run: Run, store: Path) -> None:
    store.write_text("rnaseq: [\n")
    done = run("validate", code=1)
    assert len(done.out.splitlines()) == 1
