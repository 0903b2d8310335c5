"""SQLite and PostgreSQL answer as memory does, whatever is asked (PS-SQL-016)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipestat_sql.queries import pages

from tests.sql import query_cases as cases
from tests.sql.query_tables import Rows

_FULL = os.environ.get("PIPESTAT_TRIALS") == "full"


@pytest.mark.parametrize(
    ("dialect", "few"),
    [("sqlite", 1), ("sqlite", 2000), ("icu", 1), ("postgresql", 2000)]
    + ([("icu", 2000), ("postgresql", 1)] if _FULL else []),
)
def test_random_questions(make_database, monkeypatch, dialect, few):
    # From how many matches on a page is met by walking.
    monkeypatch.setattr(pages, "_FEW_MATCHES", few)
    database = make_database(dialect)

    @settings(
        max_examples=1500 if _FULL else 30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data):
        declared = data.draw(cases.kinds)
        rows = Rows(database, declared, data.draw(st.sampled_from(["records", "levels"])))
        found = {}
        for record in data.draw(st.lists(cases.records(declared), max_size=8)):
            found.setdefault(record.key.identifier, record)
        for record in found.values():
            rows.add(record, extended=data.draw(st.sets(st.sampled_from(cases.NAMES), max_size=2)))
        with rows.connected() as connection:
            for query in data.draw(st.lists(cases.queries, min_size=4, max_size=4)):
                rows.check_select(connection, query)
            names = data.draw(st.lists(cases.paths, max_size=3))
            rows.check_distinct(connection, [path[0] for path in names])
            window = data.draw(cases.windows)
            page = rows.check_recent(connection, *window)
            while page.next_cursor:
                page = rows.check_recent(connection, *window, page.next_cursor)

    ask()
