"""The in-memory backend keeps the contract."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from pipestat_spec.backend import Outcome, StoreSettings
from pipestat_spec.domain.changes import remove_record, report_results
from pipestat_spec.errors import ResultConflictError
from pipestat_spec.memory import MemoryBackend, MemoryFactory
from pipestat_spec.models.record import HistoryEntry, Record, RecordKey
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def key(name: str) -> RecordKey:
    return RecordKey("sample", name)


def test_records_come_in_code_point_order() -> None:
    backend = MemoryFactory().open(StoreSettings("ns", DEFAULT_STATUS_SCHEMA))
    for name in ("b", "a", "A", "_", "10", "9", "é", "😀", "\uffee"):
        backend.update(key(name), report_results(key(name), {"n": 1}, overwrite=False))
    names = [record.key.identifier for record in backend.scan("sample")]
    assert names == ["10", "9", "A", "_", "a", "b", "é", "\uffee", "😀"]
    assert [r.key.identifier for r in backend.scan("sample", after="A", limit=2)] == ["_", "a"]
    assert list(backend.scan("project")) == []


def test_a_refused_change_stores_nothing_of_a_batch() -> None:
    backend = MemoryBackend()
    backend.update(key("b"), report_results(key("b"), {"n": 1}, overwrite=False))
    with pytest.raises(ResultConflictError):
        backend.update_many(
            [
                (key("a"), report_results(key("a"), {"n": 1}, overwrite=False)),
                (key("b"), report_results(key("b"), {"n": 2}, overwrite=False)),
            ]
        )
    assert [record.key.identifier for record in backend.scan("sample")] == ["b"]


def test_removing_a_record_removes_its_history() -> None:
    backend = MemoryBackend()
    entry = HistoryEntry("n", 1, NOON)
    backend.update(key("a"), lambda _: Outcome(Record(key("a"), {"n": 2}), (entry,)))
    assert list(backend.history(key("a"))) == [entry]
    assert backend.update(key("a"), remove_record(key("a"))).after is None
    assert backend.read(key("a")) is None
    assert list(backend.history(key("a"))) == []


def test_threads_lose_nothing() -> None:
    backend = MemoryBackend()

    def add(number: int) -> None:
        for i in range(50):
            values = {f"r{number}_{i}": i}
            backend.update(key("a"), report_results(key("a"), values, overwrite=False))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = backend.read(key("a"))
    assert record is not None
    assert len(record.results) == 400
