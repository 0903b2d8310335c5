"""Data packages, judged by the real Frictionless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatSummarizeError
from pipestat_spec.plugins.loading import plugins
from tests.environments import PythonEnvironment

SCHEMA = r"""
title: Runs
description: Runs of the lab
pipeline_name: My runs
samples:
  reads: {type: integer, minimum: 0, title: Reads, description: Number of reads}
  rate: {type: number, exclusiveMaximum: 1.5, qc: {fail: "value < 0.5"}}
  ok: {type: boolean}
  genome: {type: string, enum: [hg38, mm10]}
  code: {type: [string, "null"], pattern: "[A-Z]{2}", minLength: 2}
  letters: {type: string, pattern: "\\p{L}"}
  day: {type: string, format: date}
  at: {type: string, format: date-time}
  free: {type: string, format: date}
  tags: {type: array, items: {type: string}}
  plot: {type: image}
  name: {type: string}
project:
  total: {type: integer}
"""
FIRST = {
    "reads": 3,
    "rate": 1.0,
    "ok": False,
    "genome": "hg38",
    "code": "x\nAB",
    "letters": "é",
    "day": "2026-02-28",
    "at": "2026-02-28T23:30:00.5-01:00",
    "free": "tomorrow",
    "tags": ["a", 'b"'],
    "plot": {"path": "p.png", "title": "P, Q"},
    "name": "NA",
    "mixed": 1,
}


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


FIELDS = [
    field("record_identifier", "string", constraints={"required": True, "unique": True}),
    field(
        "status",
        "string",
        constraints={"enum": ["running", "completed", "failed", "waiting", "partial"]},
    ),
    field("verdict", "string", constraints={"enum": ["fail", "warn", "pass", "not judged"]}),
    field(
        "reads",
        "integer",
        title="Reads",
        description="Number of reads",
        constraints={"minimum": 0},
    ),
    field("rate", "number", constraints={"exclusiveMaximum": 1.5}),
    field("ok", "boolean"),
    field("genome", "string", constraints={"enum": ["hg38", "mm10"]}),
    field("code", "string", constraints={"minLength": 2, "pattern": r"[\s\S]*(?:[A-Z]{2})[\s\S]*"}),
    # Python has no such class of letters.
    field("letters", "string"),
    field("day", "date"),
    field("at", "datetime"),
    # One value is no day.
    field("free", "string"),
    field("tags", "array"),
    field("plot", "object"),
    field("name", "string"),
    field("mixed", "any"),
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    psm = PipestatManager(
        results_file_path=tmp_path / "results.yaml", schema_path=tmp_path / "schema.yaml"
    )
    psm.report(FIRST, "s1")
    psm.report({"name": "", "code": None, "mixed": "=1"}, "s2")
    psm.report({"name": "not reported"}, "s3")
    psm.report({"total": 5}, level="project")
    psm.set_status("completed", "s1")
    (folder,) = plugins().exporter("frictionless").export(psm.store, tmp_path / "package", {})
    return folder


def test_the_package_says_what_the_schema_says(package: Path) -> None:
    described = json.loads((package / "datapackage.json").read_text("utf-8"))
    assert described["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert described["name"] == "my-runs"
    assert described["description"] == "Runs of the lab"
    sample, project = described["resources"]
    assert (sample["name"], sample["path"]) == ("sample", "sample.csv")
    assert sample["schema"]["fields"] == FIELDS
    assert "fieldsMatch" not in sample["schema"]
    # A string is "NA", and another one "not reported".
    assert sample["schema"]["missingValues"] == ["not reported 2", "null"]
    assert project["schema"]["missingValues"] == ["NA", "null"]
    assert (package / "project.csv").read_bytes() == (
        b"record_identifier,status,total\r\nproject,NA,5\r\n"
    )


READ = """
import json, sys
from frictionless import Package
def plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else float(value)
package = Package(sys.argv[1])
rows = package.get_resource("sample").read_rows()
print(json.dumps([row.to_dict() for row in rows], default=plain))
"""


def test_frictionless_reads_the_values_that_were_reported(
    package: Path, frictionless: PythonEnvironment, tmp_path: Path
) -> None:
    rows: Any = frictionless.script(READ, package / "datapackage.json", cwd=tmp_path)
    at = rows[0].pop("at")
    assert at.startswith("2026-02-28T23:30:00.5")
    expected = {"record_identifier": "s1", "status": "completed", "verdict": "pass", **FIRST}
    expected["mixed"] = "1"
    del expected["at"]
    assert rows[0] == expected
    second = {"record_identifier": "s2", "verdict": "not judged", "name": "", "mixed": '"=1"'}
    assert {name: value for name, value in rows[1].items() if value is not None} == second
    assert rows[2]["name"] == "not reported"


def test_frictionless_validates_it_and_finds_what_is_put_in(
    package: Path, frictionless: PythonEnvironment, tmp_path: Path
) -> None:
    def errors() -> list[tuple[str, int | None, str | None]]:
        done = frictionless.run(
            *("frictionless", "validate", package / "datapackage.json", "--json"),
            cwd=tmp_path,
            check=False,
        )
        report = json.loads(done.stdout)
        assert report["valid"] is (done.returncode == 0)
        return [
            (error["type"], error.get("rowNumber"), error.get("fieldName"))
            for task in report["tasks"]
            for error in task["errors"]
        ]

    assert errors() == []
    file = package / "sample.csv"
    text = file.read_bytes()
    file.write_bytes(
        text.replace(b"s1,completed,pass,3,", b"s1,completed,good,three,")
        .replace(b",hg38,", b",hg19,")
        .replace(b",1.0,", b",1.5,")
        .replace(b"AB", b"ab")
        .replace(b"2026-02-28,", b"2026-02-30,")
        .replace(b"s2,", b"s1,")
    )
    found = errors()
    assert ("type-error", 2, "reads") in found
    assert ("type-error", 2, "day") in found
    for name in ("verdict", "genome", "rate", "code"):
        assert ("constraint-error", 2, name) in found
    assert any(number == 3 for _, number, _ in found)


def test_options(tmp_path: Path) -> None:
    exporter = plugins().exporter("frictionless")
    with PipestatManager(results_file_path=tmp_path / "r.yaml") as psm:
        psm.report({"x": 1}, "s1")
        with pytest.raises(PipestatSummarizeError, match="no option 'flatten'"):
            exporter.export(psm.store, tmp_path / "p", {"flatten": True})
        exporter.export(psm.store, tmp_path / "p", {})
        assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
            "datapackage.json",
            "sample.csv",
        ]
        with pytest.raises(PipestatSummarizeError, match="add --replace"):
            exporter.export(psm.store, tmp_path / "p", {})
        psm.report({"x": 2}, "s2")
        exporter.export(psm.store, tmp_path / "p", {"replace": True})
    assert (tmp_path / "p" / "sample.csv").read_bytes().count(b"\r\n") == 3
