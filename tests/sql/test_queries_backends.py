"""Stores on SQLite and PostgreSQL answer as one in memory does, with the same records."""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipestat_sql.queries import pages
from pipestat_sql.tables.column_types import Kind

from pipestat_spec.backend import Outcome
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.query import Comparison, Query
from pipestat_spec.store import Store
from tests.sql import query_cases as cases
from tests.sql.query_tables import comparable, exact

_FULL = os.environ.get("PIPESTAT_TRIALS") == "full"
_ANY = ["object", "array", "string", "number", "integer", "boolean", "null"]
_TYPES = {kind: kind.value for kind in Kind} | {Kind.JSON: _ANY}


def schema_of(kinds):
    return {
        name: {"type": _TYPES[kind], "description": name, "index": kind is not Kind.JSON}
        for name, kind in kinds.items()
    }


@pytest.mark.parametrize(("layout", "few"), [("records", 1), ("levels", 2000)])
@pytest.mark.parametrize("dialect", ["sqlite", "icu"])
def test_random_questions_to_stores(make_database, monkeypatch, dialect, layout, few):
    monkeypatch.setattr(pages, "_FEW_MATCHES", few)
    database = make_database(dialect)
    numbers = itertools.count()

    @settings(
        max_examples=500 if _FULL else 15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data):
        declared = {"always": Kind.STRING} | data.draw(cases.kinds)
        namespace = f"n{next(numbers)}"
        memory = MemoryBackend()
        # What only the later schema declares stands in the extended data of earlier rows.
        for share in (2, 1):
            part = dict(list(declared.items())[: max(1, len(declared) // share)])
            opened = database.open(schema_of(part), namespace, layout=layout)
            for record in data.draw(st.lists(cases.records(declared), max_size=5)):
                for backend in (memory, opened.backend):
                    backend.update(record.key, lambda _, record=record: Outcome(record))
            if share == 2:
                opened.backend.close()
        sql, wanted = opened.store, Store(memory, opened.settings, validate=True)
        for query in data.draw(st.lists(cases.queries, min_size=4, max_size=4)):
            assert comparable(sql.select(query)) == comparable(wanted.select(query)), query
        for where in data.draw(st.lists(cases.filters, max_size=2)):
            limit = data.draw(st.none() | st.integers(1, 3))
            found = sql.matching("sample", where, None, limit)
            assert list(found) == list(wanted.matching("sample", where, None, limit)), where
        columns = [path[0] for path in data.draw(st.lists(cases.paths, max_size=3))]
        found = sql.distinct("sample", columns)
        assert list(map(exact, found)) == list(map(exact, wanted.distinct("sample", columns)))
        limit, start, end, column = data.draw(cases.windows)
        cursor, first = None, True
        while first or cursor is not None:
            window = {"limit": limit, "start": start, "end": end, "time_column": column}
            pages = [one.recent("sample", **window, cursor=cursor) for one in (sql, wanted)]
            assert comparable(pages[0]) == comparable(pages[1]), window
            cursor, first = pages[0].next_cursor, False
        assert sql.count("sample") == wanted.select(Query()).total_size
        opened.backend.close()

    ask()


@pytest.mark.parametrize(
    "change",
    ["add column extra bigint", "rename column status to former", "rename column n to extra"],
)
@pytest.mark.parametrize("layout", ["records", "levels"])
def test_columns_of_other_programs_are_seen(database, layout, change):
    """By searches that were asked before; who asks again sees what the table is by now."""
    opened = database.open(schema_of({"n": Kind.INTEGER}), layout=layout)
    opened.report("s1", {"n": 1})
    backend, table = opened.backend, "demo" if layout == "records" else "demo__sample"
    by_extra = Comparison(("extra",), "ge", 1)

    def ask(backend):
        page = backend.select(Query(where=by_extra))
        return {
            "all": backend.select(Query()).records,
            "some": page.records,
            "number": page.total_size,
            "column": [r.results for r in backend.select(Query(columns=("extra",))).records],
            "page": backend.select(Query(where=by_extra, limit=1, cursor="a")).records,
            "matching": list(backend.matching("sample", by_extra)),
            "recent": backend.recent("sample", limit=5).records,
            "distinct": backend.distinct("sample", ["extra"]),
            "read": backend.read(page.records[0].key) if page.records else None,
        }

    assert ask(backend)["some"] == ()
    database.execute(f"alter table {table} {change}")
    if change.startswith("add"):
        database.execute(f"update {table} set extra = 1")
    fresh = database.open(layout=layout).backend
    assert ask(backend) == ask(fresh)
    assert ask(backend)["number"] == ("extra" in change)


def test_a_number_by_index_knows_what_stands_in_extended_data(database, monkeypatch):
    """Of matches so many that they are not listed; 'a' to 'c' stand in the extended data."""
    monkeypatch.setattr(pages, "_FEW_MATCHES", 1)
    database.open(schema_of({"m": Kind.INTEGER})).report_many(
        {"a": {"n": 3}, "b": {"n": 2**70}, "c": {"n": "3"}}
    )
    opened = database.open(schema_of({"m": Kind.INTEGER, "n": Kind.INTEGER}))
    opened.report_many({f"d{n}": {"n": n % 5} for n in range(20)} | {"e": {"m": 1}})
    wanted = {"n = 3": 5, "n > 2": 10, "not n = 3": 19, "n is null": 1, "n in (0, 3)": 9}
    for text, number in wanted.items():
        query = Query(where=parse_filter(text), limit=2)
        assert opened.backend.select(query).total_size == number, text
