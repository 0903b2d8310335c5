"""Copying records from one store to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec.backend import (
    Backend,
    Capability,
    Change,
    Outcome,
    StoreSettings,
    Transition,
)
from pipestat_spec.convert import convert
from pipestat_spec.errors import (
    PipestatDataError,
    PipestatError,
    ResultConflictError,
    SchemaValidationErrorDuringReport,
    StoreNotFoundError,
    UnrecognizedStatusError,
    UnsupportedOperation,
)
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import LEVELS, HistoryEntry, Level, Record, RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA, parse_status_schema
from pipestat_spec.opening import open_store
from pipestat_spec.store import Store

MakeFile = Callable[..., Store]


@pytest.fixture
def file_store(tmp_path: Path) -> MakeFile:
    def make(name: str, layout: str | None = "levels", **arguments: Any) -> Store:
        path = str(tmp_path / name)
        settings = {"results_file_path": path, "pipeline_name": "rna", "layout": layout}
        return open_store(Config(), {**settings, **arguments}).store

    return make


def memory_store(backend: Backend | None = None, schema: Any = None, **settings: Any) -> Store:
    parsed = None if schema is None else parse_output_schema(schema)
    given = {"statuses": DEFAULT_STATUS_SCHEMA, "schema": parsed, **settings}
    return Store(
        backend or MemoryBackend(), StoreSettings("rna", **given), validate=schema is not None
    )


def at(second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 1, 31, 12, 0, second, microsecond, tzinfo=UTC)


def put(store: Store, level: Level, name: str, *history: HistoryEntry, **keys: Any) -> Record:
    """Store a record exactly as given."""
    record = Record(RecordKey(level, name), **keys)
    store.backend.update(record.key, lambda current: Outcome(record, tuple(history)))
    return record


def fill(store: Store) -> None:
    """Store records with everything that a record can have."""
    put(
        store,
        "sample",
        "s1",
        HistoryEntry("n", 1, at(1, 5)),
        HistoryEntry("n", 1.5, at(1, 6)),
        HistoryEntry("gone", {"a": [None]}, at(1, 6)),
        results={"n": 2, "plot": {"path": "a.png", "title": "no"}, "none": None},
        status="completed",
        status_message="all: fine",
        source={"engine": "make", "attempt": 2},
        created=at(0, 1),
        modified=at(1, 6),
    )
    put(store, "sample", "../no", results={"n": True}, created=at(2), modified=at(2))
    put(store, "sample", "a/b", status="failed", created=at(3), modified=at(3))
    put(store, "project", "all", results={"total": 2**62}, created=at(4), modified=at(5))


def content(store: Store) -> list[Any]:
    """Return all that a store holds."""
    return [
        (record, list(store.backend.history(record.key)))
        for level in LEVELS
        for record in store.scan(level)
    ]


def test_everything_arrives_exactly_through_files_of_both_kinds(
    file_store: MakeFile, tmp_path: Path
) -> None:
    start = memory_store()
    fill(start)
    expected = content(start)
    assert len(expected) == 4
    one = file_store("one/results.yaml")
    report = convert(start, one)
    assert (report.copied, report.replaced, report.unchanged, report.records) == (4, 0, 0, 4)
    assert report.lost == ()
    assert content(one) == expected
    many = file_store("many/{record_identifier}.yaml")
    convert(file_store("one/results.yaml"), many)
    assert content(many) == expected
    end = memory_store()
    convert(many, end)
    assert content(end) == expected


def test_all_histories_are_read_at_once_where_the_source_can(
    file_store: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = file_store("results.yaml")
    fill(source)
    for number in range(30):
        put(source, "sample", f"r{number:02}", *[HistoryEntry("n", 0, at(1))] * (number % 3 == 0),
            results={"n": number}, created=at(0), modified=at(1))  # fmt: skip
    backend = source.backend
    found = [(key.identifier, len(entries)) for key, entries in backend.histories("sample")]
    assert found == [*((f"r{number:02}", 1) for number in range(0, 30, 3)), ("s1", 3)]
    assert list(backend.histories("project")) == []
    expected = content(source)

    def one_by_one(key: RecordKey) -> Iterator[HistoryEntry]:
        raise AssertionError(key)

    monkeypatch.setattr(backend, "history", one_by_one)
    target = memory_store()
    convert(source, target, batch=4)
    monkeypatch.undo()
    assert content(target) == expected


def test_a_source_that_is_not_there(file_store: MakeFile, tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError, match=r"there are no results at .*none\.yaml"):
        convert(file_store("none.yaml"), file_store("copy.yaml"))
    assert list(tmp_path.glob("*.yaml")) == []


def test_the_verdict_on_a_record_stays_behind() -> None:
    rules = {"n": {"type": "integer", "qc": {"fail": "value < 5"}}}
    source = memory_store(schema={"samples": rules})
    source.report(RecordKey("sample", "s1"), {"n": 1}, overwrite=True)
    assert source.get(RecordKey("sample", "s1")).judgement is not None
    target = memory_store()
    convert(source, target)
    record = target.get(RecordKey("sample", "s1"))
    assert (dict(record.results), record.judgement) == ({"n": 1}, None)


def test_a_second_conversion_changes_nothing(file_store: MakeFile, tmp_path: Path) -> None:
    start = memory_store()
    fill(start)
    convert(start, file_store("results.yaml"))
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    report = convert(start, file_store("results.yaml"), overwrite=True)
    assert (report.copied, report.replaced, report.unchanged) == (0, 0, 4)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_the_layout_of_a_file_is_changed_by_copying_it_beside(
    file_store: MakeFile, tmp_path: Path
) -> None:
    old = file_store("old.yaml", layout="records")
    put(old, "sample", "s1", HistoryEntry("n", 1, at(1)), results={"n": 2}, status="completed",
        created=at(0), modified=at(1))  # fmt: skip
    put(old, "sample", "s2", status="running", created=at(2), modified=at(2))
    expected = content(old)
    # Both files lie in one folder and so have their flags in common.
    new = file_store("new.yaml", layout="levels")
    assert convert(old, new).copied == 2
    assert content(new) == expected
    stored = yaml.safe_load((tmp_path / "new.yaml").read_text())["rna"]
    assert set(stored) == {"project", "sample"}
    assert stored["sample"]["s1"]["n"] == 2
    assert content(file_store("old.yaml", layout=None)) == expected


def test_results_of_the_project_level_need_a_target_that_has_it(
    file_store: MakeFile, tmp_path: Path
) -> None:
    start = memory_store()
    fill(start)
    with pytest.raises(PipestatError):
        convert(start, file_store("results.yaml", layout="records"))
    assert not (tmp_path / "results.yaml").exists()

    class SampleOnly(MemoryBackend):
        capabilities = MemoryBackend.capabilities - {Capability.PROJECT_LEVEL}

    target = memory_store(SampleOnly())
    with pytest.raises(UnsupportedOperation, match="the project level"):
        convert(start, target)
    assert list(target.backend.scan("sample")) == []
    start.remove_record(RecordKey("project", "all"))
    assert convert(start, target).copied == 3
    # And from a store that does not know the level.
    assert convert(target, memory_store()).copied == 3


@pytest.mark.parametrize("name", ["results.yaml", "results.db"])
def test_a_differing_record_is_refused_or_replaced(file_store: MakeFile, name: str) -> None:
    start = memory_store()
    fill(start)
    target = file_store(name)
    put(target, "sample", "s1", HistoryEntry("n", 0, at(0, 7)), HistoryEntry("n", 1, at(1, 5)),
        results={"n": 3, "own": 1, "none": None}, status="running", created=at(0),
        modified=at(9))  # fmt: skip
    put(target, "sample", "other", results={"n": 3}, created=at(0), modified=at(9))
    before = content(target)
    with pytest.raises(ResultConflictError, match="record 's1' is in the target already and diff"):
        convert(start, target)
    assert content(target) == before
    began = datetime.now(UTC)
    report = convert(start, target, overwrite=True)
    assert (report.copied, report.replaced, report.unchanged) == (3, 1, 0)
    assert [one for one, _ in content(target) if one.key.identifier != "other"] == [
        one for one, _ in content(start)
    ]
    # What the target had and lost is in its history, and each entry of the source once.
    history = target.history(RecordKey("sample", "s1"))
    assert history[:4] == [
        HistoryEntry("n", 0, at(0, 7)),
        HistoryEntry("n", 1, at(1, 5)),
        HistoryEntry("n", 1.5, at(1, 6)),
        HistoryEntry("gone", {"a": [None]}, at(1, 6)),
    ]
    assert {(entry.result, entry.value) for entry in history[4:]} == {("n", 3), ("own", 1)}
    assert len({entry.time for entry in history[4:]}) == 1
    assert history[4].time >= began.replace(microsecond=0)
    after = content(target)
    assert convert(start, target, overwrite=True).unchanged == 4
    assert content(target) == after


@pytest.mark.parametrize("name", ["new.yaml", "new/{record_identifier}.yaml", "new.db", "memory"])
def test_everything_is_looked_at_before_anything_is_written(
    file_store: MakeFile, tmp_path: Path, name: str
) -> None:
    start = memory_store()
    for number in range(25):
        put(start, "sample", f"s{number:02}", results={"n": number}, status="completed")
    put(start, "sample", "z", results={"n": "text"})
    (tmp_path / "schema.yaml").write_text("pipeline_name: rna\nn: {type: integer}\n")

    def target() -> Store:
        if name == "memory":
            return memory_store(schema={"n": {"type": "integer"}})
        return file_store(name, layout=None, schema_path=str(tmp_path / "schema.yaml"))

    store = target()
    with pytest.raises(SchemaValidationErrorDuringReport, match="record 'z'"):
        convert(start, store, batch=10)
    assert not store.backend.exists()
    assert list(tmp_path.rglob("*.flag")) == []
    # A record that is there already and differs.
    start.remove_record(RecordKey("sample", "z"))
    put(store, "sample", "s24", results={"n": 0})
    with pytest.raises(ResultConflictError, match="record 's24'"):
        convert(start, store, batch=10)
    assert store.count("sample") == 1


@pytest.mark.parametrize("name", ["new.yaml", "new/{record_identifier}.yaml"])
def test_names_that_a_layout_cannot_hold_are_told_first(file_store: MakeFile, name: str) -> None:
    start = memory_store()
    for identifier in ("a", "b", "sample"):
        put(start, "sample", identifier, results={"n": 1}, created=at(0), modified=at(0))
    with pytest.raises(PipestatError, match="a record cannot be called 'sample'"):
        convert(start, file_store(name, layout="records"), batch=1)
    assert not file_store(name, layout="records").backend.exists()


def test_names_that_a_store_refuses_are_told_first() -> None:
    class Strict(MemoryBackend):
        refused_identifiers = "/"

    start, target = memory_store(), memory_store(Strict())
    for identifier in ("a", "b", "x/y"):
        put(start, "sample", identifier, results={"n": 1})
    with pytest.raises(PipestatError, match="cannot hold a record called 'x/y'"):
        convert(start, target, batch=1)
    assert target.count("sample") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"results": {"n": 2.0}},
        {"status": "failed"},
        {"status_message": "other"},
        {"source": None},
        {"modified": at(8)},
        {"created": at(0)},
    ],
    ids=str,
)
def test_each_part_of_a_record_counts(change: dict[str, Any]) -> None:
    start, target = memory_store(), memory_store()
    fill(start)
    record = start.get(RecordKey("sample", "s1"))
    differing = replace(record, **change)
    target.backend.update(record.key, lambda current: Outcome(differing))
    with pytest.raises(ResultConflictError):
        convert(start, target)


def test_an_interrupted_conversion_goes_on(file_store: MakeFile) -> None:
    start = memory_store()
    for number in range(25):
        put(start, "sample", f"s{number:02}", HistoryEntry("n", 0, at(1)), results={"n": number},
            status="completed", created=at(0), modified=at(1))  # fmt: skip
    target = file_store("results.yaml")
    told: list[tuple[str, int, int]] = []

    def interrupt(doing: str, done: int, total: int) -> None:
        told.append((doing, done, total))
        if (doing, done) == ("copying", 20):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(start, target, batch=10, progress=interrupt)
    assert told == [
        ("checking", 10, 25),
        ("checking", 20, 25),
        ("checking", 25, 25),
        ("copying", 10, 25),
        ("copying", 20, 25),
    ]
    assert target.count("sample") == 20
    report = convert(start, target, batch=10)
    assert (report.copied, report.unchanged) == (5, 20)
    assert content(target) == content(start)


def test_a_status_that_is_missing_is_a_difference(file_store: MakeFile) -> None:
    start = memory_store()
    fill(start)
    convert(start, file_store("results.yaml"))
    target = file_store("results.yaml")
    target.clear_status(RecordKey("sample", "s1"))
    with pytest.raises(ResultConflictError, match="differs in its status"):
        convert(start, target)
    report = convert(start, target, overwrite=True)
    assert (report.replaced, report.unchanged) == (1, 3)
    assert content(target) == content(start)


def test_values_and_statuses_obey_the_target() -> None:
    start = memory_store()
    put(start, "sample", "s1", results={"n": 1}, status="completed")
    as_number = memory_store(schema={"n": {"type": "number"}})
    convert(start, as_number)
    stored = as_number.get(RecordKey("sample", "s1")).results["n"]
    assert (stored, type(stored)) == (1.0, float)
    assert convert(start, as_number).unchanged == 1
    with pytest.raises(SchemaValidationErrorDuringReport, match="record 's1': "):
        convert(start, memory_store(schema={"n": {"type": "string"}}))
    statuses = parse_status_schema({"done": {"description": "x", "color": [0, 0, 0]}})
    target = memory_store(statuses=statuses)
    with pytest.raises(UnrecognizedStatusError, match="record 's1': status 'completed' is not"):
        convert(start, target)
    assert target.count("sample") == 0


def test_status_times_are_copied(file_store: MakeFile, tmp_path: Path) -> None:
    start = memory_store()
    put(start, "sample", "s1", status="failed", created=at(0), modified=at(1), status_time=at(2, 7))
    tables = open_store(Config(), {"results_file_path": str(tmp_path / "x.db")}).store
    assert convert(start, tables).lost == ()
    end = memory_store()
    convert(tables, end)
    tables.close()
    assert content(end) == content(start)
    # A copy of an earlier version, which knew of no such times, is a copy all the same.
    older = memory_store()
    put(older, "sample", "s1", status="failed", created=at(0), modified=at(1))
    assert convert(start, older).unchanged == 1


def test_what_the_target_does_not_keep_is_told() -> None:
    class Plain(MemoryBackend):
        capabilities = frozenset({Capability.PROJECT_LEVEL, Capability.STATUS})

        def update(self, key: RecordKey, change: Change) -> Transition:
            def plain(current: Record | None, *_: object) -> Outcome:
                record = change(current).record
                if record is current:
                    return Outcome(current)
                return Outcome(record and Record(record.key, record.results, record.status))

            return super().update_many([(key, plain)])[0]

        def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
            return [self.update(key, change) for key, change in changes]

    start, target = memory_store(), memory_store(Plain())
    fill(start)
    assert convert(start, target).lost == (
        "history",
        "times",
        "source and status message",
        "times of statuses",
    )
    assert convert(start, target).unchanged == 4


def test_a_store_that_loses_records_is_found_out() -> None:
    class Leaky(MemoryBackend):
        def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
            done = super().update_many(changes)
            super().update_many([(RecordKey("sample", "a/b"), lambda *_: Outcome(None))])
            return done

    start = memory_store()
    fill(start)
    with pytest.raises(PipestatDataError, match="1 of 3 sample-level records did not arrive"):
        convert(start, memory_store(Leaky()))


def test_one_file_is_not_written_again_and_again(
    file_store: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = memory_store()
    for number in range(70):
        put(source, "sample", f"r{number:02}", results={"n": number}, created=at(0))
    for name, expected in (
        # Of 5, or a quarter of those that are there.
        ("one.yaml", [5, 5, 5, 5, 5, 6, 7, 9, 11, 12]),
        ("one.db", [5] * 14),
    ):
        target = file_store(name)
        sizes: list[int] = []
        shown: list[int] = []
        update_many = target.backend.update_many

        def counted(
            changes: Sequence[tuple[RecordKey, Change]],
            sizes: list[int] = sizes,
            update_many: Callable[..., list[Transition]] = update_many,
        ) -> list[Transition]:
            sizes.append(len(changes))
            return update_many(changes)

        monkeypatch.setattr(target.backend, "update_many", counted)
        convert(
            source,
            target,
            batch=5,
            progress=lambda doing, done, _, shown=shown: (
                shown.append(done) if doing == "copying" else None
            ),
        )
        assert sizes == expected
        assert shown == [sum(expected[: n + 1]) for n in range(len(expected))]
        assert content(target) == content(source)
