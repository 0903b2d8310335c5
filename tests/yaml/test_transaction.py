"""Changes decided on bytes alone, as a store without flags uses them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
import yaml
from pipestat_yaml.records.codec import decode_history, encode_record
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.records.records import Records, decide
from pipestat_yaml.text.spliced_text import open_text

from pipestat_spec.backend import Change, StoreSettings
from pipestat_spec.domain.changes import (
    clear_status,
    in_turn,
    remove_record,
    report_results,
    set_status,
)
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.models.change import Outcome
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from tests.work import is_linear


class Bytes:
    """A store whose content is a bytes object."""

    def __init__(self, layout: Literal["records", "levels"]) -> None:
        self.data = b""
        self.rules = LayoutRules(
            StoreSettings("demo", DEFAULT_STATUS_SCHEMA, layout=layout), "object"
        )
        self.flags: dict[str, str | None] = {}

    def update(self, *changes: tuple[RecordKey, Change]) -> Sequence[Record | None]:
        decision = decide(open_text(self.data, "object"), self.rules, changes, None)
        if decision.chunks is not None:
            self.data = b"".join(decision.chunks)
        self.flags |= decision.flags
        return [one.after for one in decision.transitions]

    def read(self, name: str, level: Level = "sample") -> Record | None:
        text = open_text(self.data, "object")
        return Records(text, self.rules).read(RecordKey(level, name))

    def meta(self, name: str) -> dict[str, Any]:
        tree = yaml.safe_load(self.data)["demo"]
        return dict(tree.get("sample", tree)[name]["meta"])


KEY = RecordKey("sample", "s1")


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_the_status_is_in_meta(layout: Literal["records", "levels"]) -> None:
    store = Bytes(layout)
    store.update((KEY, report_results(KEY, {"n": 1}, overwrite=True)))
    assert "status" not in store.meta("s1")
    before = store.read("s1")
    store.update((KEY, set_status(KEY, "running")))
    meta = store.meta("s1")
    assert meta["status"] == "running"
    after = store.read("s1")
    assert after is not None
    assert before is not None
    assert (after.status, after.modified, dict(after.results)) == (
        "running",
        before.modified,
        {"n": 1},
    )
    assert meta["status_time"] == format_utc(after.status_time or before.modified)
    assert after.status_time != before.modified
    assert store.flags == {"s1": "running"}
    unchanged = store.data
    store.update((KEY, set_status(KEY, "running")))
    assert store.data == unchanged
    store.update((KEY, clear_status()))
    assert not {"status", "status_time"} & store.meta("s1").keys()
    assert store.flags == {"s1": None}


def test_results_and_status_in_one_put() -> None:
    store = Bytes("records")
    change = in_turn(
        report_results(KEY, {"n": 1}, overwrite=True), set_status(KEY, "failed", message="why")
    )
    store.update((KEY, change))
    found = store.read("s1")
    assert found is not None
    assert (dict(found.results), found.status, found.status_message) == ({"n": 1}, "failed", "why")


def test_levels_keep_their_own_status() -> None:
    store = Bytes("levels")
    project = RecordKey("project", "s1")
    store.update((KEY, set_status(KEY, "running")), (project, set_status(project, "failed")))
    sample, other = store.read("s1"), store.read("s1", "project")
    assert sample is not None
    assert other is not None
    assert (sample.status, other.status) == ("running", "failed")
    store.update((KEY, remove_record(KEY)))
    other = store.read("s1", "project")
    assert other is not None
    assert other.status == "failed"
    assert store.read("s1") is None


def test_several_changes_of_one_record_build_on_each_other() -> None:
    store = Bytes("levels")
    results = store.update(
        (KEY, report_results(KEY, {"n": 1}, overwrite=True)),
        (KEY, report_results(KEY, {"n": 2, "m": 0}, overwrite=True)),
        (KEY, set_status(KEY, "running")),
    )
    assert [dict(r.results) for r in results if r] == [{"n": 1}, {"n": 2, "m": 0}, {"n": 2, "m": 0}]
    found = store.read("s1")
    assert found == results[-1]
    assert list(store.meta("s1")["history"]["n"].values()) == [1]
    store.update((KEY, remove_record(KEY)), (KEY, report_results(KEY, {"k": 1}, overwrite=True)))
    assert "history" not in store.meta("s1")


def test_a_change_that_is_refused_undoes_the_others() -> None:
    store = Bytes("records")
    other = RecordKey("sample", "none")
    with pytest.raises(RecordNotFoundError):
        store.update(
            (KEY, report_results(KEY, {"n": 1}, overwrite=True)), (other, remove_record(other))
        )
    assert store.data == b""
    assert store.flags == {}


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_long_history_in_one_write(layout: Literal["records", "levels"]) -> None:
    def written(size: int) -> dict[str, Any]:
        record = Record(RecordKey("sample", "s1"), results={"n": 1})
        entries = tuple(
            HistoryEntry(f"r{i % 3}", i, datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=i))
            for i in range(size)
        )
        return encode_record(record, Outcome(record, entries), {"n": 0}, None, layout)

    history = written(7)["meta"]["history"]
    assert {result: list(values.values()) for result, values in history.items()} == {
        "r0": [0, 3, 6],
        "r1": [1, 4],
        "r2": [2, 5],
    }
    assert is_linear(written)
    stored = written(3000)
    assert [entry.value for entry in decode_history(stored)] == list(range(3000))
    # Many texts of one time.
    said = {f"2026-01-31T12:00:00.{i:09d}Z": i for i in range(900)}
    found = decode_history({"meta": {"history": {"n": said}}})
    assert [entry.value for entry in found] == list(range(900))
    assert len({entry.time for entry in found}) == 900
