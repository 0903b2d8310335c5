"""`qc`, and the verdict in the commands that list records."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runs import Run

SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer}
  rate: {type: number, qc: {fail: "value < 0.5", warn: "value < 0.8", reason: poor mapping}}
  qc:
    - {fail: "reads < 1000 and rate < 0.9", reason: too little}
project:
  total: {type: integer, qc: {fail: "value < 3"}}
"""
# The verdict on each record, by the rules above.
VERDICTS = {"bad": "fail", "fine": "pass", "few": "fail", "meagre": "warn", "silent": "not judged"}


@pytest.fixture(autouse=True)
def filled(run: Run, store: Path, folder: Path) -> Path:
    (folder / "schema.yaml").write_text(SCHEMA)
    run("report", "-r", "fine", "reads=5000", "rate=0.95", "--status", "completed")
    run("report", "-r", "bad", "rate=0.25", "--status", "completed")
    run("report", "-r", "few", "reads=10", "rate=0.85", "--status", "failed")
    run("report", "-r", "meagre", "rate=0.6", "--status", "completed")
    run("report", "-r", "silent", "reads=10", "--status", "completed")
    return store


def answer(run: Run, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    records = json.loads(run(*arguments, "--format", "json", code=code).out)["records"]
    return {record["record_identifier"]: record for record in records}


def verdicts(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: record["verdict"] for name, record in found.items()}


def test_the_verdict_is_the_same_in_every_list(run: Run, folder: Path) -> None:
    assert verdicts(answer(run, "select")) == VERDICTS
    assert verdicts(answer(run, "select", "--columns", "verdict")) == VERDICTS
    assert verdicts(answer(run, "status", "list")) == VERDICTS
    assert verdicts(answer(run, "qc", "-p", "sample", code=3)) == VERDICTS
    run("table", "-o", "t.csv")
    with (folder / "t.csv").open(encoding="utf-8") as file:
        rows = {row["record_identifier"]: row for row in csv.DictReader(file)}
    assert verdicts(rows) == VERDICTS
    run("table", "--output-dir", ".")
    with (folder / "rnaseq_stats_summary.tsv").open(encoding="utf-8") as file:
        rows = {row["Record Identifier"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert verdicts(rows) == VERDICTS


@pytest.mark.parametrize("command", [("select",), ("status", "list")])
def test_records_are_chosen_by_their_verdict(run: Run, command: tuple[str, ...]) -> None:
    found = answer(run, *command, "--verdict", "warn", "--verdict", "not judged")
    assert list(found) == ["meagre", "silent"]


def test_a_table_of_some_verdicts(run: Run, folder: Path) -> None:
    run("table", "--verdict", "fail", "--status", "completed", "-o", "t.csv", "--columns", "rate")
    assert (folder / "t.csv").read_text() == "record_identifier,rate\nbad,0.25\n"


def test_the_worst_comes_first(run: Run) -> None:
    done = run("select", "--columns", "verdict", "--sort", "verdict", "--format", "csv")
    assert done.out.splitlines() == [
        "record_identifier,verdict",
        *("bad,fail", "few,fail", "meagre,warn", "fine,pass", "silent,not judged"),
    ]


def test_status_list_sums_up(run: Run) -> None:
    told = run("status", "list").err.splitlines()
    assert told == ["4 completed, 1 failed; 2 fail, 1 warn, 1 pass, 1 not judged"]


def test_inspect_counts_them(run: Run) -> None:
    found = json.loads(run("inspect", "--format", "json").out)["records"]["sample"]
    assert found["verdicts"] == {"fail": 2, "warn": 1, "pass": 1, "not judged": 1}
    line = "sample records: 5 (4 completed, 1 failed; 2 fail, 1 warn, 1 pass, 1 not judged)"
    assert line in run("inspect").out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        (["fine"], []),
        (["fine", "meagre"], []),
        (["fine", "meagre", "--fail-on", "warn"], ["meagre"]),
        (["bad"], ["bad"]),
        (["bad", "--fail-on", "warn"], ["bad"]),
        (["silent"], ["silent"]),
        (["silent", "--allow-not-judged"], []),
        (["fine", "nobody"], ["nobody"]),
        (["nobody", "--any-status", "--allow-not-judged"], ["nobody"]),
        (["few"], ["few"]),
        (["few", "--accept", "failed"], ["few"]),
        (["fine", "fine"], []),
        (["-p", "sample"], ["bad", "few", "silent"]),
        (["-p", "sample", "--fail-on", "warn"], ["bad", "few", "meagre", "silent"]),
        (["-p", "sample", "--fail-on", "warn", "--only-bad"], ["bad", "few", "meagre", "silent"]),
    ],
)
def test_what_is_not_good(run: Run, arguments: list[str], bad: list[str]) -> None:
    found = answer(run, "qc", *arguments, code=3 if bad else 0)
    assert [name for name, record in found.items() if not record["good"]] == bad
    assert all(bool(record["problems"]) != record["good"] for record in found.values())


@pytest.mark.parametrize("status", [None, "running", "failed", "waiting", "partial"])
def test_what_did_not_complete_is_not_good(run: Run, status: str | None) -> None:
    run("report", "-r", "late", "rate=0.95", *(["--status", status] if status else []))
    record = answer(run, "qc", "late", code=3)["late"]
    assert record["verdict"] == "pass"
    assert record["problems"] == [
        f"status {status}, not completed" if status else "no status, not completed"
    ]
    run("qc", "late", "--any-status")
    if status:
        run("qc", "late", "--accept", status)
        run("qc", "late", "--accept", "partial" if status != "partial" else "running", code=3)


def test_the_reasons_of_a_record(run: Run) -> None:
    record = answer(run, "qc", "few", code=3)["few"]
    assert record["problems"] == ["status failed, not completed", "verdict fail"]
    assert [reason["text"] for reason in record["reasons"]] == [
        "too little (reads = 10, rate = 0.85)"
    ]
    lines = run("qc", "few", "nobody", code=3).out.splitlines()
    assert [line.split(None, 3) for line in lines[2:]] == [
        ["few", "failed", "fail", "status failed, not completed"],
        ["fail:", "too", "little", "(reads = 10, rate = 0.85)"],
        ["nobody", "not", "judged", "there is no such record"],
    ]


def test_all_levels_with_rules_are_looked_at(run: Run) -> None:
    assert "no records at project level" in run("qc", code=3).err
    run("report", "-p", "project", "total=5", "--status", "completed")
    found = answer(run, "qc", "--fail-on", "warn", code=3)
    assert found["project"]["level"] == "project"
    assert found["project"]["good"]
    assert answer(run, "qc", "-p", "project").keys() == {"project"}
    run("report", "-p", "project", "-o", "total=2")
    assert run("qc", "-p", "project", code=3).err.endswith("1 of 1 record is not good: project\n")


def test_an_empty_store_is_no_success(run: Run, filled: Path) -> None:
    for name in VERDICTS:
        run("remove", "-r", name, "--whole-record")
    assert "no records at sample level" in run("qc", "-p", "sample", code=3).err
    filled.unlink()
    run("qc", "-p", "sample", code=1)


@pytest.mark.parametrize("command", [("qc",), ("select", "--verdict", "fail")])
def test_without_rules_nothing_is_judged(
    run: Run, folder: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "schema.yaml").write_text("pipeline_name: rnaseq\nsamples: {reads: {type: integer}}")
    assert "QC rules at sample level" in run(*command, code=1).err
    monkeypatch.delenv("PIPESTAT_RESULTS_SCHEMA")
    assert "no output schema" in run(*command, code=1).err


def test_words_that_are_no_verdict_or_status(run: Run) -> None:
    assert "did you mean 'fail'" in run("select", "--verdict", "failed", code=1).err
    run("qc", "--accept", "complete", code=1)


def test_a_wrong_rule_is_refused_by_validate_and_by_every_command(run: Run, folder: Path) -> None:
    (folder / "schema.yaml").write_text(SCHEMA.replace("rate < 0.9", "raet < 0.9"))
    done = run("validate", "-s", "schema.yaml", code=1)
    assert "samples.qc.0.fail: there is no result 'raet'" in done.out
    assert "samples.qc.0.fail" in run("select", code=1).err
