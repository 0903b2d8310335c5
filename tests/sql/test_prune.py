"""Removing old entries of histories in databases: the answers of memory, and what else stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipestat_sql.rows import record_rows

from pipestat_spec.backend import Backend, Outcome
from pipestat_spec.errors import LayoutError
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.record import LEVELS, HistoryEntry, HistoryLimit, Record, RecordKey
from tests.sql.databases import Database
from tests.sql.query_cases import values

_FULL = os.environ.get("PIPESTAT_TRIALS") == "full"
SCHEMA = {
    "n": {"type": "integer"}, "s": {"type": "string"}, "j": {"type": ["null", "array", "object"]}
}  # fmt: skip
START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES: Iterator[str] = (f"n{number}" for number in count())

seconds = st.integers(0, 12)
limits = st.builds(
    HistoryLimit,
    st.none() | st.integers(0, 4) | st.just(2**70),
    st.none() | seconds.map(lambda number: START + timedelta(seconds=number)),
)
old = st.fixed_dictionaries(
    {}, optional={"n": st.integers(-(2**63), 2**63 - 1), "s": st.text(max_size=2).filter(
        lambda text: "\x00" not in text and text.isprintable()), "j": st.lists(values, max_size=2),
        "extra": values}
)  # fmt: skip
keys = st.tuples(st.sampled_from(["sample", "project"]), st.sampled_from(["a", "B", "é"]))
overwrites = st.lists(st.tuples(keys, old), max_size=12)


def overwrite(backend: Backend, key: RecordKey, former: dict[str, Any], second: int) -> None:
    """Store a record with entries of one time."""
    time = START + timedelta(seconds=second)
    entries = [HistoryEntry(name, value, time) for name, value in former.items()]

    def change(current: Record | None) -> Outcome:
        created = time if current is None else current.created
        return Outcome(Record(key, {"n": second}, created=created, modified=time), entries)

    backend.update(key, change)


def stored(backend: Backend) -> list[Any]:
    """Return all that the store holds."""
    return [
        (record, list(backend.history(record.key)))
        for level in LEVELS
        for record in backend.scan(level)
    ]


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_random_histories(database: Database, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # How many records are looked at together.
    monkeypatch.setattr(record_rows, "_AT_ONCE", 2)

    @settings(
        max_examples=300 if _FULL else 12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(overwrites, st.lists(limits, max_size=3))
    def ask(steps: list[Any], pruned: list[HistoryLimit]) -> None:
        memory = MemoryBackend()
        opened = database.open(SCHEMA, next(NAMES), layout=layout).backend
        for second, ((level, name), former) in enumerate(steps):
            key = RecordKey("sample" if layout == "records" else level, name)
            overwrite(memory, key, former, second)
            overwrite(opened, key, former, second)
        for limit in pruned:
            for level in LEVELS:
                assert opened.prune(level, limit) == memory.prune(level, limit)
            assert stored(opened) == stored(memory)
        opened.close()

    ask()


def test_a_project_prunes_its_own(database: Database) -> None:
    ours, theirs = (database.open(layout="levels", project_name=name) for name in ("a", "b"))
    for opened in (ours, theirs):
        for number in range(3):
            opened.report("s1", {"n": number})
    assert ours.backend.prune("sample", HistoryLimit(keep=1)) == 1
    assert [entry.value for entry in ours.history("s1")] == [1]
    assert [entry.value for entry in theirs.history("s1")] == [0, 1]


def test_a_record_of_another_project_is_refused(database: Database) -> None:
    """In the layout `records`, where a project changes no other's (PS-SQL-018)."""
    theirs = database.open(layout="records", project_name="b")
    for number in range(3):
        theirs.report("s1", {"n": number})
    ours = database.open(layout="records", project_name="a")
    with pytest.raises(LayoutError):
        ours.backend.prune("sample", HistoryLimit(keep=0))
    assert [entry.value for entry in theirs.history("s1")] == [0, 1]
    assert database.open(layout="records").backend.prune("sample", HistoryLimit(keep=0)) == 2


def test_a_former_value_leaves_its_column(database: Database) -> None:
    """A row of `levels` holds the results of one change, of which some may go (PS-SQL-012)."""
    opened = database.open(SCHEMA, layout="levels")
    opened.report("s1", {"n": 1, "s": "a"})
    opened.report("s1", {"n": 2, "s": "b"})
    opened.report("s1", {"n": 3})
    assert opened.backend.prune("sample", HistoryLimit(keep=1)) == 1
    assert database.rows("select n, s from demo__sample_history order by id") == [
        (None, "a"), (2, None)
    ]  # fmt: skip
    assert {e.result: e.value for e in opened.history("s1")} == {"s": "a", "n": 2}


def test_copies_of_pipestat_are_read_before_they_go(database: Database) -> None:
    """A copy stands for what the next one has changed (PS-SQL-013)."""
    opened = database.open(SCHEMA, layout="levels")
    opened.report("s1", {"n": 4, "s": "c"})
    (number,) = database.rows("select id from demo__sample")[0]
    for n, s, time in ((1, "a", 1), (2, "a", 2), (3, "b", 3)):
        database.execute(
            "insert into demo__sample_history (source_record_id, record_identifier, n, s,"
            f" pipestat_modified_time) values ({number}, 's1', {n}, '{s}', '2026-01-0{time} 12:00')"
        )
    before = opened.history("s1")
    assert sorted((e.result, e.value) for e in before) == [
        ("n", 1), ("n", 2), ("n", 3), ("s", "a"), ("s", "b")
    ]  # fmt: skip
    assert opened.backend.prune("sample", HistoryLimit(keep=1)) == 3
    assert opened.history("s1") == before[-2:]


def test_nothing_is_pruned_where_nothing_is(database: Database) -> None:
    opened = database.open()
    limit = HistoryLimit(keep=0)
    assert [opened.backend.prune(level, limit) for level in LEVELS] == [0, 0]
    assert database.dialect == "postgresql" or not database.file.exists()
    assert database.dialect == "sqlite" or database.tables() == []
