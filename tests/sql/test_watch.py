"""Following stores of every kind: nothing is lost, nothing told twice."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipestat_spec import PipestatManager
from pipestat_spec.backend import Outcome
from pipestat_spec.domain.events import Event
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.errors import FilterSyntaxError, PipestatError
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.store import Store
from pipestat_spec.watching import Watch, Watcher
from tests.patience import SECONDS
from tests.sql.conftest import KINDS, MakeDatabase, MakeManager
from tests.sql.servers import PostgresServer

SCHEMA = """
pipeline_name: demo
samples:
  reads: {type: integer, qc: {fail: "value < 10"}}
  rate: {type: number}
  note: {type: [string, "null"]}
"""


def short(events: Any) -> list[tuple[Any, ...]]:
    """Return kind, record, result and value of each event."""
    return [(e.event, e.record_identifier, e.result, e.value) for e in events]


@pytest.fixture
def make(make_manager: MakeManager) -> MakeManager:
    """`make(kind)` opens a new store."""
    return lambda kind, schema=SCHEMA: make_manager(kind, schema)


@pytest.mark.parametrize("kind", KINDS)
def test_each_change_is_told_once(make: MakeManager, kind: str) -> None:
    psm = make(kind)
    psm.report({"reads": 100, "note": "x"}, "old")
    watcher = Watcher(psm.store, "sample")
    assert watcher.look() == []
    psm.report({"reads": 5, "rate": 1}, "s1")
    psm.set_status("running", "s1")
    assert short(watcher.look()) == [
        ("result", "s1", "reads", 5),
        ("result", "s1", "rate", 1.0),
        ("status", "s1", None, "running"),
        ("verdict", "s1", None, "fail"),
    ]
    assert watcher.look() == []
    psm.report({"reads": 20, "rate": 1}, "s1")
    psm.store.set_status(RecordKey("sample", "s1"), "failed", "no disk")
    found = watcher.look()
    assert short(found) == [
        ("result", "s1", "reads", 20),
        ("status", "s1", None, "failed"),
        ("verdict", "s1", None, "pass"),
    ]
    assert found[1].message == "no disk"
    psm.report({"note": None}, "s1")
    psm.remove(record_identifier="s1", result_identifier="rate")
    psm.store.set_status(RecordKey("sample", "s1"), "failed", "no memory")
    assert short(watcher.look()) == [
        ("result", "s1", "note", None),
        ("result_removed", "s1", "rate", None),
        ("status", "s1", None, "failed"),
    ]
    psm.clear_status("s1")
    psm.remove(record_identifier="old")
    assert short(watcher.look()) == [
        ("status", "s1", None, None),
        ("record_removed", "old", None, None),
    ]
    psm.report({"reads": 100}, "old")
    assert short(watcher.look()) == [
        ("result", "old", "reads", 100),
        ("verdict", "old", None, "pass"),
    ]
    assert watcher.look() == []


@pytest.mark.parametrize("kind", KINDS)
def test_where_it_begins(make: MakeManager, kind: str) -> None:
    psm = make(kind, "pipeline_name: demo\nsamples: {n: {type: integer}}\n")
    psm.report({"n": 1}, "a")
    psm.report({"n": 1}, "b")
    time.sleep(0.002)
    then = datetime.now(UTC)
    time.sleep(0.002)
    psm.set_status("completed", "a")
    psm.report({"n": 1}, "c")
    everything = [
        ("result", "a", "n", 1),
        ("status", "a", None, "completed"),
        ("result", "b", "n", 1),
        ("result", "c", "n", 1),
    ]
    assert Watcher(psm.store, "sample").look() == []
    started = Watcher(psm.store, "sample", from_start=True)
    assert short(started.look()) == everything
    assert started.look() == []
    since = Watcher(psm.store, "sample", since=then)
    assert short(since.look()) == [event for event in everything if event[1] != "b"]
    psm.report({"n": 2}, "b")
    assert short(since.look()) == short(started.look()) == [("result", "b", "n", 2)]


@pytest.mark.parametrize("kind", KINDS)
def test_filters_count_records(make: MakeManager, kind: str) -> None:
    psm = make(kind)
    psm.report({"reads": 100}, "a")
    psm.set_status("completed", "a")
    texts = ("status = 'completed'", "verdict = 'fail'")
    watcher = Watcher(psm.store, "sample", filters=[parse_filter(text) for text in texts])

    def counts() -> tuple[int, int]:
        watcher.look()
        return watcher.matching(0), watcher.matching(1)

    assert (watcher.matching(0), watcher.matching(1)) == (1, 0)
    psm.report({"reads": 1}, "b")
    assert counts() == (1, 1)
    psm.set_status("completed", "b")
    assert counts() == (2, 1)
    psm.report({"reads": 50}, "b")
    psm.remove(record_identifier="a")
    assert counts() == (1, 0)
    with pytest.raises(FilterSyntaxError):
        Watcher(psm.store, "sample", filters=[parse_filter("status like 'a\\'")])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["report", "report", "report", "status", "remove", "remove result", "look"]
        ),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["n", "m"]),
        st.sampled_from([0, 1, -1, -2, 1.0, True, None, "1", [1], [1.0], {"k": 1}]),
    ),
    max_size=25,
)
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["memory", "yaml", "sqlite"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_the_events_make_the_store(make: MakeManager, kind: str, steps: Any) -> None:
    """Whoever does what the events say has the same records, also when all times are equal."""
    psm = make(
        kind, "pipeline_name: demo\nadditionalProperties: true\nsamples: {x: {type: boolean}}\n"
    )
    backend = psm.store.backend
    # Files tell changes without times; a database is asked for the times alone.
    exact = kind == "sqlite"
    watcher = Watcher(psm.store, "sample")
    told: dict[str, dict[str, Any]] = {}
    statuses: dict[str, Any] = {}
    for number, (step, name, result, value) in enumerate([*steps, ("look", "", "", None)]):
        key = RecordKey("sample", name)
        now = backend.read(key) if name else None
        moment = MOMENT.replace(microsecond=number) if exact else MOMENT
        if step == "look":
            replay(watcher.look(), told, statuses)
            there = {r.key.identifier: r for r in backend.scan("sample")}
            assert told == {n: dict(r.results) for n, r in there.items() if n in told or r.results}
            assert {n: s for n, s in statuses.items() if s} == {
                n: r.status for n, r in there.items() if r.status
            }
            assert watcher.look() == []
            continue
        if step == "report":
            results = {**(now.results if now else {}), result: value}
            new: Record | None = Record(
                key,
                results,
                status=now.status if now else None,
                created=now.created if now else moment,
                modified=moment,
                status_time=now.status_time if now else None,
            )
        elif step == "status":
            status = "running" if number % 2 else "failed"
            new = Record(
                key,
                now.results if now else {},
                status=status,
                created=now.created if now else moment,
                modified=now.modified if now else moment,
                status_time=moment,
            )
        elif now is None:
            continue
        elif step == "remove":
            new = None
        else:
            results = {k: v for k, v in now.results.items() if k != result}
            new = Record(
                key,
                results,
                status=now.status,
                created=now.created,
                modified=moment,
                status_time=now.status_time,
            )
        backend.update(key, lambda *_, new=new: Outcome(new))


def replay(events: list[Event], told: dict[str, dict[str, Any]], statuses: dict[str, Any]) -> None:
    for event in events:
        name = event.record_identifier
        if event.event == "result":
            record = told.setdefault(name, {})
            before = record.get(event.result or "", ...)
            assert before is ... or repr(before) != repr(event.value), "told twice"
            record[event.result or ""] = event.value
        elif event.event == "result_removed":
            del told[name][event.result or ""]
        elif event.event == "status":
            statuses[name] = event.value
            told.setdefault(name, {})
        elif event.event == "record_removed":
            told.pop(name, None)
            statuses.pop(name, None)


def test_a_file_that_others_wrote_within_a_second(tmp_path: Path) -> None:
    """pipestat 0.13.1 keeps whole seconds, and a person none at all."""
    path = tmp_path / "r.yaml"
    text = "p:\n  sample:\n    s1:\n      n: 1\n      meta:\n        pipestat_modified_time: '{}'\n"
    path.write_text(text.format("2026-01-31 12:00:00") + "  project: {}\n")
    psm = PipestatManager(results_file_path=path, pipeline_name="p")
    watcher = Watcher(psm.store, "sample")
    path.write_text(path.read_text().replace("n: 1", "n: 2"))
    assert short(watcher.look()) == [("result", "s1", "n", 2)]
    assert watcher.look() == []


@pytest.mark.parametrize("kind", ["yaml", "record files", "sqlite", "postgresql"])
def test_a_version_says_that_nothing_has_changed(
    make: MakeManager, kind: str, tmp_path: Path
) -> None:
    psm = make(kind)
    psm.report({"reads": 1}, "s1")
    backend = psm.store.backend

    def is_stable() -> bool:
        # A server's own work may come between two of them.
        return any(
            (found := backend.version()) is not None and found == backend.version()
            for _ in range(50)
        )

    def is_other(change: Any, *arguments: Any) -> bool:
        if kind != "postgresql":
            # A file that has just been changed is not trusted.
            assert not is_stable()
            for path in tmp_path.rglob("*"):
                os.utime(path, (1, 1), follow_symlinks=False)
        assert is_stable()
        before = backend.version()
        change(*arguments)
        return before is not None and backend.version() != before

    assert is_other(psm.report, {"reads": 2}, "s1")
    assert is_other(psm.set_status, "failed", "s1")
    assert is_other(psm.report, {"reads": 2}, "s2")
    if kind != "record files":
        assert is_other(psm.remove, "s2")


def test_a_flag_of_another_program_is_a_new_version(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="p")
    psm.report({"n": 1}, "s1")
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    watcher = Watcher(psm.store, "sample")
    before = psm.store.backend.version()
    assert before is not None
    (tmp_path / "p_s1_running.flag").write_text("running")
    assert psm.store.backend.version() != before
    assert short(watcher.look()) == [("status", "s1", None, "running")]


def test_a_look_at_what_has_not_changed_reads_nothing(
    make: MakeManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    psm = make("yaml")
    psm.report({"reads": 1}, "s1")
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    watcher = Watcher(psm.store, "sample")
    looks: list[str] = []
    scan = Store.scan

    def counted(self: Store, level: Any, *rest: Any) -> Iterator[Record]:
        looks.append(level)
        return scan(self, level, *rest)

    monkeypatch.setattr(Store, "scan", counted)
    assert [watcher.look() for _ in range(3)] == [[], [], []]
    assert looks == []
    psm.report({"reads": 20}, "s1")
    assert len(watcher.look()) == 2
    assert looks == ["sample"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_manager_waits_for_events(make: MakeManager, kind: str) -> None:
    psm = make(kind)
    psm.report({"reads": 100}, "old")
    watch = psm.watch(interval=0.05, timeout=SECONDS)
    # What comes between the call and the first step belongs to it.
    psm.report({"reads": 1}, "s1")
    assert next(watch).value == 1
    writer = threading.Timer(0.1, lambda: psm.set_status("completed", "s1"))
    writer.start()
    for event in watch:
        if event.event == "status":
            assert event.value == "completed"
            break
    writer.join()
    assert next(psm.watch(since="2020-01-01", timeout=0)).record_identifier == "old"
    assert list(psm.watch(interval=0.05, timeout=0.1)) == []


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_look_that_fails_half_way_loses_nothing(
    make: MakeManager, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    psm = make(kind)
    psm.report({"reads": 50}, "z")
    watcher = Watcher(psm.store, "sample")
    psm.report({"reads": 50}, "a")
    psm.remove(record_identifier="z")
    changed = Watcher._changed

    def cut(self: Watcher, gone: dict[str, None]) -> Iterator[Record]:
        yield next(changed(self, gone))
        raise PipestatError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(Watcher, "_changed", cut)
        with pytest.raises(PipestatError, match="cut"):
            watcher.look()
    assert short(watcher.look()) == [
        ("result", "a", "reads", 50),
        ("verdict", "a", None, "pass"),
        ("record_removed", "z", None, None),
    ]


def test_a_server_that_is_lost_is_waited_for(
    own_postgres: PostgresServer, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql", own_postgres)
    database.options["patience"] = 0.2
    psm = database.manager()
    psm.report({"n": 1}, "s1")
    troubles: list[str] = []
    watcher = Watcher(psm.store, "sample")

    def trouble(error: PipestatError | None) -> None:
        troubles.append("lost" if error else "back")

    watch = Watch(watcher, interval=0.05, timeout=SECONDS, patience=SECONDS, trouble=trouble)
    batches = watch.batches()
    assert list(next(batches)) == []
    own_postgres.kill()
    assert list(next(batches)) == []
    assert list(next(batches)) == []
    assert troubles == ["lost"]
    own_postgres.start()
    database.manager().report({"n": 2}, "s1")
    found = [event for _ in range(3) for event in next(batches)]
    assert short(found) == [("result", "s1", "n", 2)]
    assert troubles == ["lost", "back"]
    own_postgres.kill()
    impatient = Watch(watcher, interval=0.05, timeout=SECONDS, patience=0)
    with pytest.raises(PipestatError):
        next(impatient)
