"""`patience` bounds every wait for a lock, and the error says for what and which option."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.models.query import Query
from tests.sql.databases import Database
from tests.sql.poolers import PgBouncer
from tests.sql.servers import PostgresServer

SCHEMA = {"n": {"type": "integer"}}
PATIENCE = 1.0
# Long before the patience of those who say nothing (30 s) is over; a busy machine is slow.
SOON = 25 * PATIENCE


@pytest.fixture(scope="module")
def pgbouncers(postgres: PostgresServer) -> Iterator[list[PgBouncer]]:
    """One that refuses settings of a connection's start, and one that passes over them."""
    poolers = [PgBouncer(postgres), PgBouncer(postgres, ignore_startup_parameters="options")]
    yield poolers
    for pooler in poolers:
        pooler.stop()


@pytest.fixture(params=["direct", "pooled", "pooled, ignoring"])
def place(
    request: pytest.FixtureRequest, postgres_database: Database, pgbouncers: list[PgBouncer]
) -> Database:
    if request.param != "direct":
        pooler = pgbouncers[request.param != "pooled"]
        postgres_database.options["url"] = pooler.url
    return postgres_database


@contextmanager
def holding(database: Database, *statements: str) -> Iterator[None]:
    """Another session is in the middle of a transaction."""
    with database.connection() as connection:
        connection.execute("begin" if database.dialect == "postgresql" else "begin immediate")
        for statement in statements:
            connection.execute(statement)
        yield
        connection.execute("rollback")


def refused_soon(call: Callable[[], Any], what: str) -> None:
    began = time.monotonic()
    with pytest.raises(PipestatDatabaseError) as caught:
        call()
    assert PATIENCE * 0.9 <= time.monotonic() - began < SOON
    text = str(caught.value)
    assert f"waited 1 s for {what}" in text
    assert "sql: {patience: SECONDS}" in text
    assert "\n" not in text


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_locked_row(place: Database, layout: str) -> None:
    opened = place.open(SCHEMA, layout=layout, options={"patience": PATIENCE})
    opened.report("s1", {"n": 1})
    table = "demo" if layout == "records" else "demo__sample"
    with holding(place, f"update {table} set n = 5"):
        refused_soon(lambda: opened.report("s1", {"n": 2}), f"a row of table '{table}'")
        refused_soon(lambda: opened.report_many({"s1": {"n": 2}}), f"a row of table '{table}'")
        assert opened.results("s1") == {"n": 1}
        opened.report("s2", {"n": 2})
    opened.report("s1", {"n": 2})
    assert place.rows(f"select n from {table} order by 1") == [(2,), (2,)]


def test_a_locked_table(place: Database) -> None:
    opened = place.open(SCHEMA, options={"patience": PATIENCE})
    opened.report("s1", {"n": 1})
    backend: Any = opened.backend
    with holding(place, "lock table demo in access exclusive mode"):
        what = "a table that is locked"
        for call in (
            lambda: opened.report("s1", {"n": 2}),
            lambda: opened.read("s1"),
            opened.names,
            lambda: backend.count("sample"),
            lambda: backend.select(Query(limit=5)),
            lambda: backend.select(Query()),
            lambda: backend.distinct("sample", ["n"]),
            lambda: opened.history("s1"),
        ):
            refused_soon(call, what)
    assert opened.results("s1") == {"n": 1}


def test_a_table_that_is_to_be_changed(place: Database) -> None:
    place.open(SCHEMA).report("s1", {"n": 1})
    opened = place.open({**SCHEMA, "m": {"type": "string"}}, options={"patience": PATIENCE})
    with holding(place, "select * from demo"):
        refused_soon(lambda: opened.report("s1", {"m": "x"}), "a table that is locked")
    with holding(place, "select pg_advisory_xact_lock(8100128985833562484)"):
        refused_soon(lambda: opened.report("s1", {"m": "x"}), "a table that is locked")
    opened.report("s1", {"m": "x"})


def test_others_do_not_queue_behind_a_change_of_a_table(postgres_database: Database) -> None:
    """Who wants to add a column lets the others pass while it waits."""
    database = postgres_database
    database.open(SCHEMA).report("s1", {"n": 1})
    patient = database.open({**SCHEMA, "m": {"type": "string"}}, options={"patience": 30})
    reader = database.open(SCHEMA, options={"patience": 10})
    with ThreadPoolExecutor(1) as thread:
        with holding(database, "select * from demo"):
            change = thread.submit(lambda: patient.report("s1", {"m": "x"}))
            for _ in range(4):
                time.sleep(0.2)
                assert reader.results("s1") == {"n": 1}
            assert not change.done()
        change.result()
    assert reader.results("s1") == {"n": 1, "m": "x"}


def test_a_locked_file(sqlite_database: Database) -> None:
    opened = sqlite_database.open(SCHEMA, options={"patience": PATIENCE})
    opened.report("s1", {"n": 1})
    with holding(sqlite_database):
        refused_soon(lambda: opened.report("s1", {"n": 2}), "the file, which is locked")
        assert opened.results("s1") == {"n": 1}
    opened.report("s1", {"n": 2})


def test_threads_that_want_to_write_a_locked_file(sqlite_database: Database) -> None:
    """They wait at the same time, and not one after the other."""
    opened = sqlite_database.open(SCHEMA, options={"patience": PATIENCE})
    opened.report("s1", {"n": 1})
    with holding(sqlite_database), ThreadPoolExecutor(12) as threads:

        def report(number: int) -> None:
            refused_soon(lambda: opened.report(f"t{number}", {"n": 2}), "the file, which is locked")

        list(threads.map(report, range(12)))
    assert opened.names() == ["s1"]
