"""Records that are shown as they are read: more of them than one page, in files, in an order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipestat_spec.cli import many_records, select
from pipestat_spec.cli.choosing import sorted_records
from pipestat_spec.models.record import Record, RecordKey
from tests.cli.runs import Run

# a to f: n, and the group that two of them lack.
RECORDS = {
    "a": (5, "x"),
    "b": (3, "y"),
    "c": (9, None),
    "d": (1, "x"),
    "e": (7, None),
    "f": (3, "x"),
}


@pytest.fixture(params=["r.yaml", "r.db"])
def store(request: pytest.FixtureRequest, run: Run, folder: Path) -> str:
    name: str = request.param
    for record, (n, group) in RECORDS.items():
        more = [] if group is None else [f"group={group}"]
        run("report", "-f", name, "-r", record, f"n:={n}", *more)
    return name


def named(text: str) -> list[str]:
    return [record["record_identifier"] for record in json.loads(text)["records"]]


@pytest.mark.parametrize("page", [1, 10_000])
def test_a_page_is_the_same_whether_it_is_streamed(
    run: Run, store: str, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """With a page of one record nearly every list is streamed, with one of many few are."""
    monkeypatch.setattr(select, "_PAGE", page)
    monkeypatch.setattr(many_records, "_AT_ONCE", 2)
    monkeypatch.setattr(many_records, "_MOST_FILES", 2)
    ask = ("select", "-f", store, "--format")

    two = json.loads(run(*ask, "json", "--where", "n < 9", "--limit", "2").out)
    beside = {name: value for name, value in two.items() if name != "records"}
    assert beside == {"total_size": 5, "page_size": 2, "next_page_token": "b"}
    assert two["records"][0].keys() >= {"record_identifier", "n", "group", "status"}
    rest = json.loads(run(*ask, "json", "--where", "n < 9", "--limit", "4", "--cursor", "b").out)
    assert (rest["next_page_token"], rest["total_size"]) == (None, 5)
    assert [record["record_identifier"] for record in rest["records"]] == ["d", "e", "f"]
    assert named(run(*ask, "json", "--cursor", "d").out) == ["e", "f"]
    assert named(run(*ask, "json", "--sort", "n").out) == ["d", "b", "f", "a", "e", "c"]
    assert named(run(*ask, "json", "--sort", "group:desc", "--sort", "n", "--limit", "5").out) == [
        *("b", "d", "f", "a", "e")
    ]
    nobody = run(*ask, "json", "--where", "n = 100").out
    assert nobody == (
        '{\n  "next_page_token": null,\n  "page_size": 0,\n  "records": [],\n  "total_size": 0\n}\n'
    )

    done = run(*ask, "csv", "--sort", "n:desc", "--limit", "3", "--columns", "n")
    assert (done.out, done.err) == ("record_identifier,n\nc,9\ne,7\na,5\n", "3 of 6 records\n")
    done = run(*ask, "tsv", "--cursor", "b", "--limit", "2", "--no-header")
    assert done.out == "c\t\t\t9\nd\t\tx\t1\n"
    assert "2 of 6 records; go on with --cursor 'd'" in done.err


def test_json_is_what_one_object_is_printed_as(run: Run, store: str) -> None:
    text = run("select", "-f", store, "--format", "json").out
    answer = json.loads(text)
    assert text == json.dumps(answer, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert run("select", "-f", store, "-o", "all.json").err == "all.json: 6 records\n"
    assert Path("all.json").read_text("utf-8") == text


def test_an_exporter_gets_them_in_order(run: Run, store: str) -> None:
    run("select", "-f", store, "--sort", "n:desc", "--columns", "n", "--limit", "2", "-o", "t.csv")
    assert Path("t.csv").read_text() == "record_identifier,n\nc,9\ne,7\n"


@pytest.mark.parametrize("limit", [None, 3, 40, 1000])
def test_files_merge_into_one_order(monkeypatch: pytest.MonkeyPatch, limit: int | None) -> None:
    """Records of one place stay in the order that they came in, the missing ones come last."""
    monkeypatch.setattr(many_records, "_AT_ONCE", 7)
    monkeypatch.setattr(many_records, "_MOST_FILES", 3)
    values = [None if n % 10 == 0 else (n * 37) % 11 for n in range(100)]
    records = [
        Record(RecordKey("sample", f"{n:03}"), {} if value is None else {"n": value})
        for n, value in enumerate(values)
    ]
    known = [n for n in range(100) if values[n] is not None]
    wanted = sorted(known, key=lambda n: -(values[n] or 0)) + list(range(0, 100, 10))
    found = [record.key.identifier for record in sorted_records(records, ["n:desc"], limit)]
    assert found == [f"{n:03}" for n in wanted[:limit]]
