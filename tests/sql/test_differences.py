"""`diff` on every kind of store: two stores, two namespaces, two times."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager, diff
from pipestat_spec.differences import Differences
from pipestat_spec.errors import (
    InvalidTimeFormatError,
    MissingConfigDataError,
    SchemaError,
    StoreNotFoundError,
    UnsupportedOperation,
)
from pipestat_spec.models.record import RecordKey
from tests.sql.conftest import KINDS, MakeManager

SCHEMA = """
pipeline_name: demo
samples:
  reads: {type: integer, better: higher}
  rate: {type: number, atol: 0.001}
  note: {type: [string, "null"]}
  align: {type: object}
  plot: {type: image}
"""


@pytest.fixture
def make(make_manager: MakeManager) -> MakeManager:
    """`make(kind)` opens a new store."""
    return lambda kind, schema=SCHEMA: make_manager(kind, schema)


PLOT = {"path": "a.png", "thumbnail_path": "t.png", "title": "A"}


def fill(psm: PipestatManager) -> None:
    same = {"reads": 5, "rate": 0.5, "align": {"x": [1, {"y": 2}]}, "plot": PLOT}
    psm.report_many(dict.fromkeys(("same", "close", "changed", "moved", "gone"), same))
    psm.report({"note": None}, "null")
    for name in ("same", "moved"):
        psm.set_status("completed", name)


def change(psm: PipestatManager) -> None:
    psm.report({"rate": 0.5005}, "close")
    psm.report(
        {"reads": 4, "align": {"x": [1, {"y": 3}]}, "plot": {**PLOT, "path": "b.png"}}, "changed"
    )
    psm.store.set_status(RecordKey("sample", "moved"), "failed", "no disk")
    psm.remove(record_identifier="gone")
    psm.remove(record_identifier="null", result_identifier="note")
    psm.report({"reads": 1}, "new")


def told(found: Differences) -> dict[str, Any]:
    level = found.levels["sample"]
    return {
        "added": level.added,
        "removed": level.removed,
        "same": level.same,
        "statuses": [tuple(move) for move in level.statuses],
        "results": [
            (one.record_identifier, one.result, one.difference, one.trend) for one in level.results
        ],
        "places": [one.parts[0].place for one in level.results],
    }


EXPECTED = {
    "added": ["new"],
    "removed": ["gone"],
    "same": 2,
    "statuses": [("moved", "completed", "failed", True, "no disk")],
    "results": [
        ("changed", "reads", "changed", "worse"),
        ("null", "note", "removed", None),
        ("changed", "align", "changed", None),
        ("changed", "plot", "changed", None),
    ],
    "places": [(), (), ("x", 1, "y"), ("path",)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_two_stores(make: MakeManager, kind: str) -> None:
    before, after = make(kind), make(kind)
    for psm in (before, after):
        fill(psm)
    change(after)
    found = diff(before, after)
    assert told(found) == EXPECTED
    assert (found.is_changed, found.is_worse, found.has_removed) == (True, True, True)
    assert found.notes == []
    back = told(diff(after, before))
    assert (back["added"], back["removed"]) == (["gone"], ["new"])
    assert ("null", "note", "added", None) in back["results"]
    equal = diff(before, before)
    assert not equal.is_changed
    assert equal.levels["sample"].same == 6


def test_stores_of_different_kinds(make: MakeManager) -> None:
    managers = [make(kind) for kind in KINDS]
    for psm in managers:
        fill(psm)
    assert [diff(managers[0], psm).is_changed for psm in managers] == [False] * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_one_store_at_two_times(make: MakeManager, kind: str) -> None:
    psm = make(kind)
    fill(psm)
    then = datetime.now(UTC)
    time.sleep(0.002)
    change(psm)
    found = diff(psm, at=then)
    # What was removed is in no history, and nothing tells the status before.
    expected = {
        **EXPECTED,
        "removed": [],
        "statuses": [("moved", "?", "failed", True, "no disk")],
    }
    assert told(found) == expected
    assert len(found.notes) == 1
    assert "history" in found.notes[0]
    assert not diff(psm, at=then, after_at=then).is_changed
    assert not diff(psm, at=datetime.now(UTC)).is_changed


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_that_moved(make: MakeManager, kind: str) -> None:
    rules = SCHEMA.replace("better: higher}", "qc: {fail: 'value < 10', warn: 'value < 20'}}")
    before = make(kind)
    with_rules = [make(kind, rules) for _ in range(2)]
    then: list[datetime] = []
    for psm, other in zip(with_rules, ({}, {"down": 5, "up": 30}), strict=True):
        psm.report_many({name: {"reads": 15} for name in ("down", "up", "same")})
        then.append(datetime.now(UTC))
        time.sleep(0.002)
        for name, reads in other.items():
            psm.report({"reads": reads}, name)
    why = "value < 10 (reads = 5)"
    moved = [("down", "warn", "fail", True, why), ("up", "warn", "pass", False, None)]
    found = diff(*with_rules)
    assert [tuple(move) for move in found.levels["sample"].verdicts] == moved
    assert found.is_worse
    found = diff(with_rules[1], at=then[1])
    assert [tuple(move) for move in found.levels["sample"].verdicts] == moved
    # Where one side has no rules there is nothing to compare.
    before.report({"reads": 15}, "down")
    assert diff(before, with_rules[1]).levels["sample"].verdicts == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_before_the_first_record(make: MakeManager, kind: str) -> None:
    psm = make(kind)
    fill(psm)
    with pytest.raises(StoreNotFoundError, match="held no record yet at 2020-01-01T00:00:00"):
        diff(psm, at="2020-01-01")
    with pytest.raises(InvalidTimeFormatError, match="in the future"):
        diff(psm, at=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(InvalidTimeFormatError, match="is not a time"):
        diff(psm, at="yesterday")


def test_the_project_level_is_compared(tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text("samples: {n: {type: integer}}\nproject: {total: {type: integer}}\n")
    managers = [
        PipestatManager(schema, tmp_path / name, pipeline_name="p") for name in ("a.yaml", "b.yaml")
    ]
    for number, psm in enumerate(managers):
        psm.report({"n": 1}, "s1")
        psm.report({"total": number}, level="project")
    found = diff(*managers)
    assert list(found.levels) == ["sample", "project"]
    assert [one.result for one in found.levels["project"].results] == ["total"]
    assert list(diff(*managers, level="sample").levels) == ["sample"]
    assert not diff(*managers, level="sample").is_changed


def test_tolerances_and_directions_of_the_call(tmp_path: Path) -> None:
    for name, value in (("a.yaml", 0.51), ("b.yaml", 0.5100000001)):
        PipestatManager(results_file_path=tmp_path / name, pipeline_name="p").report(
            {"rate": value}, "s1"
        )
    stores = (str(tmp_path / "a.yaml"), tmp_path / "b.yaml")
    assert diff(*stores).is_changed
    assert not diff(*stores, atol=1e-6).is_changed
    assert not diff(*stores, rtol=1e-6).is_changed
    assert not diff(*stores, tolerances={"rate": "0.001%"}).is_changed
    assert diff(*stores, tolerances={"rate": 1e-12}, atol=1).is_changed
    assert diff(*stores, better={"rate": "lower"}).is_worse
    assert not diff(*stores, better={"rate": "higher"}).is_worse
    with pytest.raises(MissingConfigDataError, match="rate: 'up' is no direction"):
        diff(*stores, better={"rate": "up"})  # type: ignore[dict-item]


def test_an_integer_of_a_number_is_that_number(tmp_path: Path) -> None:
    """What a store holds as 1 for a result declared `number` is read as 1.0 (PS-VAL-008)."""
    (tmp_path / "schema.yaml").write_text("rate: {type: number}\n")
    PipestatManager(results_file_path=tmp_path / "a.yaml", pipeline_name="p").report(
        {"rate": 1}, "s"
    )
    PipestatManager(results_file_path=tmp_path / "b.yaml", pipeline_name="p").report(
        {"rate": 1.0}, "s"
    )
    stores = (tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert diff(*stores).is_changed
    assert not diff(*stores, schema_path=tmp_path / "schema.yaml").is_changed


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    PipestatManager(results_file_path=tmp_path / "a.yaml", pipeline_name="p").report({"n": 1}, "s")
    with pytest.raises(StoreNotFoundError, match="there are no results at"):
        diff(tmp_path / "a.yaml", tmp_path / "nothing.yaml")
    with pytest.raises(MissingConfigDataError, match="is no store"):
        diff(tmp_path / "a.yaml", 5)
    (tmp_path / "schema.yaml").write_text("n: {type: integer, atol: '1'}\n")
    PipestatManager(results_file_path=tmp_path / "b.yaml", pipeline_name="p").report({"n": 2}, "s")
    with pytest.raises(SchemaError, match=r"n\.atol"):
        diff(tmp_path / "a.yaml", tmp_path / "b.yaml", schema_path=tmp_path / "schema.yaml")


def test_a_store_without_a_history_knows_one_time() -> None:
    from pipestat_spec.backend import Capability

    psm = PipestatManager(config_dict={"backend": "memory"})
    psm.report({"n": 1}, "s1")
    rules = psm.store.rules
    psm.store.rules = type(rules)(
        rules.schema,
        rules.statuses,
        rules.validate,
        capabilities=rules.capabilities - {Capability.HISTORY},
    )
    with pytest.raises(UnsupportedOperation, match="earlier time"):
        diff(psm, at=datetime.now(UTC))
