"""Values in both directions, updates, history and status, read again with raw SQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipestat_spec.errors import ResultConflictError
from pipestat_spec.models.record import Record
from tests.sql.databases import Database

VALUES: dict[str, Any] = {
    "null": None, "empty list": [], "empty string": "", "empty object": {}, "true": True, "one": 1,
    "one.0": 1.0, "text one": "1", "negative zero": -0.0, "big double": 1e22, "exact": 2.0**62,
    "2^31": 2**31, "2^53+1": 2**53 + 1, "2^63-1": 2**63 - 1, "-2^63": -(2**63), "tiny": 5e-324,
    "deep": {"a": [{"b": [None, True, -0.0, 1e22, 2**63 - 1, "ü\U0001f600'\"\\"]}]},
    "e": "1e+16", "quote": "it's \"%s\" :x ? \\ %(a)s",
}  # fmt: skip
DECLARED = {
    "i": {"type": "integer"}, "n": {"type": "number"}, "s": {"type": "string"},
    "b": {"type": "boolean"}, "j": {"type": ["null", "integer", "number", "string", "array"]},
}  # fmt: skip


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are written alike, signs and kinds of numbers included."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_undeclared_values(database: Database, layout: str) -> None:
    opened = database.open(layout=layout)
    opened.report("s1", VALUES)
    assert same(opened.results("s1"), VALUES)
    opened.report("s1", {name: [value] for name, value in VALUES.items()})
    assert same({e.result: e.value for e in opened.history("s1")}, VALUES)
    assert "missing" not in opened.results("s1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("i", i) for i in (0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))],
        *[("n", n) for n in (0.0, -0.0, 1.0, 1e22, 5e-324, 1.7976931348623157e308, 2.0**62, 0.1)],
        *[
            ("s", s)
            for s in ("", "1", "1.0", "null", " x ", "ü\U0001f600", "it's", "%s?\\", "x" * 5000)
        ],
        *[("b", b) for b in (True, False)],
        *[("j", j) for j in (None, [], "", 0, 1, 1.0, -0.0, 1e22, "1", "null", [[None]], 2.0**63)],
    ],
)
def test_declared_values(database: Database, name: str, value: Any) -> None:
    opened = database.open(DECLARED)
    opened.report("s1", {name: value})
    assert same(opened.results("s1"), {name: value})
    other = {"i": 5, "n": 5.5, "s": "other", "b": not value, "j": "other"}[name]
    opened.report("s1", {name: other})
    opened.report_many({"s1": {name: value}, "s2": {name: value}})
    assert same(opened.results("s1"), {name: value})
    assert same(opened.results("s2"), {name: value})
    assert same([e.value for e in opened.history("s1")], [value, other])


def test_what_stands_in_the_columns(database: Database) -> None:
    opened = database.open(DECLARED)
    opened.report("s1", {"i": 2**63 - 1, "n": 0.5, "s": "x", "b": False, "j": None, "free": [1.0]})
    [row] = database.rows("select i, n, s, b, j, pipestat_extended_data from demo")
    if database.dialect == "sqlite":
        assert row == (2**63 - 1, 0.5, "x", 0, "null", '{"free":[1.0]}')
    else:
        assert row == (2**63 - 1, 0.5, "x", False, None, {"free": [1.0]})
        assert database.rows("select j::text from demo") == [("null",)]
    opened.remove("s1", "j")
    assert database.rows("select count(*) from demo where j is null") == [(1,)]


def test_doubles_are_written_with_all_digits(database: Database) -> None:
    database.open().report("s1", {"x": 2.0**62, "y": [1e16, 1.5, 1e19, 1e20]})
    column = "pipestat_extended_data" + ("::text" if database.dialect == "postgresql" else "")
    [(text,)] = database.rows(f"select {column} from demo")
    assert text == (
        '{"x":4611686018427387904.0,"y":[10000000000000000.0,1.5,10000000000000000000.0,1e+20]}'
    )


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_times_are_utc_in_the_column_and_in_meta(database: Database, layout: str) -> None:
    opened = database.open(layout=layout)
    before = datetime.now(UTC)
    opened.report("s1", {"n": 1}, source={"engine": "make"})
    opened.set_status("s1", "running", message="begun")
    record = opened.read("s1")
    assert isinstance(record, Record)
    assert record.created is not None
    assert before <= record.created <= datetime.now(UTC)
    table = "demo" if layout == "records" else "demo__sample"
    [(status, created, modified, meta)] = database.rows(
        f"select status, pipestat_created_time, pipestat_modified_time, meta from {table}"
    )
    meta = json.loads(meta) if isinstance(meta, str) else meta
    text = record.created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert status == "running"
    assert record.status_time is not None
    assert record.created < record.status_time <= datetime.now(UTC)
    since = record.status_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert meta == {
        "created": text, "modified": text, "source": {"engine": "make"}, "status_message": "begun",
        "status": "running", "status_time": since,
    }  # fmt: skip
    opened.clear_status("s1")
    [(meta,)] = database.rows(f"select meta from {table}")
    meta = json.loads(meta) if isinstance(meta, str) else meta
    assert meta == {"created": text, "modified": text, "source": {"engine": "make"}}
    wanted: Any = record.created.replace(tzinfo=None)
    if database.dialect == "sqlite":
        wanted = wanted.strftime("%Y-%m-%d %H:%M:%S.%f")
    assert (created, modified) == (wanted, wanted)


def test_no_change_writes_nothing(database: Database) -> None:
    opened = database.open(DECLARED)
    opened.report("s1", {"i": 1, "n": 0.0, "free": {"a": 1}})
    row = database.rows("select * from demo")
    version = "select xmin::text from demo" if database.dialect == "postgresql" else "select 1"
    written = database.rows(version)
    opened.report("s1", {"i": 1, "n": -0.0, "free": {"a": 1}}, overwrite=False)
    opened.report_many({"s1": {"i": 1}})
    assert database.rows("select * from demo") == row
    assert database.rows(version) == written


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_source_of_another_kind_of_value_is_stored(database: Database, layout: str) -> None:
    opened = database.open(layout=layout)
    for source in ({"again": 1}, {"again": True}, {"again": 1.0}, {"again": [0]}, {"again": [0.0]}):
        opened.report("s1", {"n": source["again"]}, source=source)
        record = opened.read("s1")
        assert record is not None
        assert same(record.source, source)


def test_a_refused_report_changes_nothing(database: Database) -> None:
    opened = database.open(DECLARED)
    opened.report("s1", {"i": 1})
    row = database.rows("select * from demo")
    with pytest.raises(ResultConflictError):
        opened.report("s1", {"i": 2, "s": "new"}, overwrite=False)
    with pytest.raises(ResultConflictError):
        opened.store.apply(
            [
                *[(k, c) for k, c in _reports(opened, ["s2", "s3"], True)],
                *_reports(opened, ["s1"], False),
            ]
        )
    assert database.rows("select * from demo") == row
    assert opened.names() == ["s1"]


def _reports(opened: Any, names: list[str], overwrite: bool) -> list[Any]:
    from pipestat_spec.models.record import RecordKey

    keys = [RecordKey("sample", name) for name in names]
    return [(k, opened.store.rules.report(k, {"i": 9}, overwrite=overwrite)) for k in keys]


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_many_changes_of_one_record_in_one_batch(database: Database, layout: str) -> None:
    from pipestat_spec.domain.changes import remove_record, report_results
    from pipestat_spec.models.record import RecordKey

    opened = database.open(DECLARED, layout=layout)
    opened.report("old", {"i": 1})
    opened.report("old", {"i": 2})
    old, new = RecordKey("sample", "old"), RecordKey("sample", "new")

    def report(key: RecordKey, i: int) -> Any:
        return (key, report_results(key, {"i": i}, overwrite=True))

    backend: Any = opened.backend
    backend.update_many(
        [report(new, 1), report(old, 3), report(new, 2), (old, remove_record(old)), report(old, 4),
         report(old, 5)]
    )  # fmt: skip
    assert opened.results("new") == {"i": 2}
    assert [entry.value for entry in opened.history("new")] == [1]
    assert opened.results("old") == {"i": 5}
    assert [entry.value for entry in opened.history("old")] == [4]
    backend.update_many([(new, remove_record(new)), (old, remove_record(old))])
    assert opened.names() == []
    history = "demo__history" if layout == "records" else "demo__sample_history"
    assert database.rows(f"select * from {history}") == []


CHANGES = st.lists(
    st.tuples(
        st.sampled_from("dbaec"),
        st.sampled_from(["report", "report", "report", "remove"]),
        st.dictionaries(
            st.sampled_from(["i", "n", "other"]),
            # The column of `i` holds integers, so that 0.5 stands elsewhere.
            st.sampled_from([1, 2, 0.5, None, "text", 2**40]),
            min_size=1,
        ),
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(CHANGES, min_size=1, max_size=3))
def test_batches_do_what_they_do_in_memory(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, batches: list[Any]
) -> None:
    from pipestat_sql.rows import namespace_rows

    from pipestat_spec.domain.changes import remove_record, report_results
    from pipestat_spec.memory import MemoryBackend
    from pipestat_spec.models.record import RecordKey

    # Rows of two records are made at once.
    monkeypatch.setattr(namespace_rows, "_AT_ONCE", 2)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    number = len(sqlite_database.rows("select name from sqlite_master where type = 'table'"))
    opened: Any = sqlite_database.open(namespace=f"batch{number}").backend
    memory: Any = MemoryBackend()
    for batch in batches:
        changes: list[Any] = []
        present = {record.key.identifier for record in memory.scan("sample")}
        for name, what, values in batch:
            key = RecordKey("sample", name)
            if what == "report":
                change: Any = report_results(key, values, overwrite=True, clock=lambda: moment)
                present.add(name)
            elif name in present:
                change = remove_record(key)
                present.remove(name)
            else:
                continue
            changes.append((key, change))
        assert opened.update_many(changes) == memory.update_many(changes)
        assert list(opened.scan("sample")) == list(memory.scan("sample"))
        assert list(opened.histories("sample")) == list(memory.histories("sample"))


def test_order_and_pages_of_a_scan(database: Database) -> None:
    names = ["_x", "10", "9", "a", "A", "é", "z", "\U0001f600", "\uffee"]
    opened = database.open()
    opened.report_many({name: {"n": 1} for name in names})
    opened.report_many({f"m{i:05}": {"n": i} for i in range(2500)})
    wanted = sorted([*names, *(f"m{i:05}" for i in range(2500))])
    assert opened.names() == wanted
    assert opened.names(after="A", limit=3) == wanted[wanted.index("A") + 1 :][:3]
    assert opened.names(after="m00500", limit=1500) == wanted[wanted.index("m00500") + 1 :][:1500]
    assert opened.names(limit=0) == []


def test_order_in_a_database_of_another_order(icu_database: Database) -> None:
    opened = icu_database.open(layout="levels")
    names = ["_x", "10", "9", "a", "A"]
    opened.report_many({name: {"n": 1} for name in names})
    assert opened.names() == ["10", "9", "A", "_x", "a"]


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_all_histories(database: Database, layout: str) -> None:
    opened = database.open(layout=layout)
    for name in ("b", "a", "c"):
        opened.report(name, {"n": 0})
    for number in range(1, 100):
        opened.report("a", {"n": number})
    opened.report("c", {"n": None})
    backend: Any = opened.backend
    found = {
        key.identifier: [e.value for e in entries] for key, entries in backend.histories("sample")
    }
    assert found == {"a": list(range(99)), "c": [0]}
    times = [entry.time for entry in opened.history("a")]
    assert times == sorted(set(times))
