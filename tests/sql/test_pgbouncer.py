"""Through PgBouncer, which gives each transaction another connection to the server."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.models.query import Query
from tests.sql.databases import Database
from tests.sql.poolers import PgBouncer
from tests.sql.servers import PostgresServer

SCHEMA = {"n": {"type": "integer"}, "s": {"type": "string"}}


@pytest.fixture(scope="module")
def pgbouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    pooler = PgBouncer(postgres)
    yield pooler
    pooler.stop()


@pytest.fixture
def pooled(postgres_database: Database, pgbouncer: PgBouncer) -> Database:
    """A fresh place whose stores go through the pooler; `rows` goes past it."""
    postgres_database.options["url"] = pgbouncer.url
    return postgres_database


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_long_lived_processes(pooled: Database, layout: str) -> None:
    """Each statement comes more often than the driver waits before it prepares one."""
    stores = [pooled.open(SCHEMA, layout=layout) for _ in range(3)]

    def work(thread: int) -> None:
        opened = stores[thread % 3]
        backend: Any = opened.backend
        for number in range(15):
            opened.report(f"r{thread}", {"n": number, "s": "x"})
            opened.report_many({f"a{thread}": {"n": number}, f"b{thread}": {"n": number}})
            assert opened.results(f"r{thread}") == {"n": number, "s": "x"}
            found = backend.select(Query(where=parse_filter(f"n >= {number} and s = 'x'"), limit=9))
            assert f"r{thread}" in [record.key.identifier for record in found.records]
            assert backend.count("sample") >= 3
            assert len(backend.select(Query()).records) >= 3
            assert len(opened.history(f"r{thread}")) == number

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    table = "demo" if layout == "records" else "demo__sample"
    assert pooled.rows(f"select count(*), sum(n) from {table}") == [(18, 18 * 14)]


def test_a_column_that_comes_later(pooled: Database) -> None:
    old = pooled.open({"n": {"type": "integer"}})
    for number in range(8):
        old.report("s1", {"n": number})
    new = pooled.open(SCHEMA)
    new.report("s1", {"s": "x"})
    for _ in range(8):
        assert old.results("s1") == {"n": 7, "s": "x"}


def test_a_session_is_left_as_it_was(pooled: Database, pgbouncer: PgBouncer) -> None:
    """What we set for a transaction does not meet the next client of the pooler."""
    import psycopg

    opened = pooled.open(SCHEMA, options={"patience": 7})
    for number in range(6):
        opened.report("s1", {"n": number})
        opened.history("s1")
    with psycopg.connect(pgbouncer.url, autocommit=True, prepare_threshold=None) as other:
        for _ in range(6):
            for name in ("lock_timeout", "statement_timeout"):
                assert other.execute(f"show {name}").fetchone() == ("0",)
            assert other.execute(
                "select count(*) from pg_prepared_statements where not from_sql"
            ).fetchone() == (0,)
            assert other.execute(
                "select count(*) from pg_locks where locktype = 'advisory'"
            ).fetchone() == (0,)


def test_prepared_statements_for_those_who_ask(pooled: Database) -> None:
    """Who asks for them here is told what to take back."""
    url = f"{pooled.options['url']}?prepare_threshold=0"

    def use() -> None:
        opened = pooled.open(SCHEMA, options={"url": url})
        for number in range(20):
            opened.report("s1", {"n": number})

    with pytest.raises(PipestatDatabaseError, match="take prepare_threshold out of the URL"):
        use()
    # SQLAlchemy before 2.1 does not close a connection whose first statements failed.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def test_prepared_statements_of_a_server(postgres_database: Database) -> None:
    url = postgres_database.options["url"]
    for query, prepares in (("", False), ("&prepare_threshold=1", True)):
        opened = postgres_database.open(SCHEMA, options={"url": url + query})
        for number in range(8):
            opened.report("s1", {"n": number + 1 + 100 * prepares})
        database: Any = opened.backend._database  # type: ignore[attr-defined]
        with database.session() as session:
            [(count,)] = session.execute("select count(*) from pg_prepared_statements").fetchall()
        assert (count > 0) == prepares


def test_a_database_that_the_pooler_does_not_know(pooled: Database) -> None:
    url = pooled.options["url"].replace("/postgres", "/nowhere")
    with pytest.raises(PipestatDatabaseError) as caught:
        pooled.open(SCHEMA, options={"url": url})
    assert "\n" not in str(caught.value)
    assert caught.value.hint is not None
    assert "pooler" in caught.value.hint
