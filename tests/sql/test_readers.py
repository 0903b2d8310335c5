"""Who reads changes no table and waits for nobody, whatever the schema has that tables lack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.models.query import Query
from tests.sql.databases import Database, Opened
from tests.sql.servers import GUARDED_ROLE, PASSWORD

OLD = {"n": {"type": "integer"}}
NEW = {**OLD, "m": {"type": "string", "index": True}}
REFERENCE = {"s1": {"n": 1, "m": "early"}, "s2": {"n": 2}}


def read_everything(opened: Opened) -> None:
    """Use every way to read; `m` has no column yet, and a value beside the columns."""
    backend: Any = opened.backend
    assert {name: opened.results(name) for name in opened.names()} == REFERENCE
    assert [record.results for record in backend.scan("sample")] == [*REFERENCE.values()]
    assert backend.count("sample") == 2
    for where, found in (
        ("m = 'early'", ["s1"]),
        ("m is null", ["s2"]),
        ("not m like 'e%'", ["s2"]),
        ("m > 'a' and n < 5", ["s1"]),
        ("other = 1", []),
    ):
        page = backend.select(Query(where=parse_filter(where), limit=5))
        assert [record.key.identifier for record in page.records] == found, where
    assert backend.distinct("sample", ["m"]) == [("early",)]
    assert len(backend.recent("sample").records) == 2
    assert [entry.value for entry in opened.history("s1")] == [0]
    assert [len(entries) for _, entries in backend.histories("sample")] == [1]
    assert backend.projects() == (["project"] if opened.backend.layout == "levels" else [])


def fill(database: Database, layout: str) -> None:
    opened = database.open(OLD, layout=layout)
    opened.report("s1", {"n": 0, "m": "early"})
    opened.report("s1", {"n": 1})
    opened.report("s2", {"n": 2})
    opened.backend.close()


def shape(database: Database) -> dict[str, dict[str, str]]:
    return {table: database.columns(table) for table in database.tables()}


@contextmanager
def dumped(database: Database, table: str) -> Iterator[None]:
    """What holds a table while somebody reads it, as pg_dump does."""
    with database.connection() as connection:
        connection.execute("begin")
        connection.execute(f"select * from {table}").fetchall()
        if database.dialect == "sqlite":
            connection.execute("rollback")
            connection.execute("begin immediate")
        yield
        connection.execute("rollback")


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_reading_changes_no_table_and_waits_for_nobody(database: Database, layout: str) -> None:
    fill(database, layout)
    before = shape(database)
    with dumped(database, "demo" if layout == "records" else "demo__sample"):
        opened = database.open(NEW, options={"patience": 0.1})
        read_everything(opened)
    assert shape(database) == before
    opened.report("s2", {"m": "late"})
    assert shape(database) != before
    assert opened.results("s2") == {"n": 2, "m": "late"}
    table = "demo" if layout == "records" else "demo__sample"
    rows = database.rows(f"select record_identifier, m from {table} order by 1")
    assert rows == [("s1", None), ("s2", "late")]
    assert opened.results("s1") == REFERENCE["s1"]


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_role_that_may_only_read(postgres_database: Database, layout: str) -> None:
    database = postgres_database
    fill(database, layout)
    before, place = shape(database), database.options["schema"]
    database.execute(f"grant usage on schema {place} to {GUARDED_ROLE}")
    database.execute(f"grant select on all tables in schema {place} to {GUARDED_ROLE}")
    assert database.server is not None
    host = f"127.0.0.1:{database.server.port}"
    url = f"postgresql://{GUARDED_ROLE}:{quote(PASSWORD, safe='')}@{host}/postgres"
    read_everything(database.open(NEW, options={"url": url}))
    read_only = f"{database.options['url']}&options=-cdefault_transaction_read_only%3Don"
    read_everything(database.open(NEW, options={"url": read_only}))
    assert shape(database) == before


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_file_that_may_only_be_read(somebody: Path, layout: str) -> None:
    database = Database("sqlite", {"url": f"sqlite:///{somebody}/results.db"}, somebody)
    fill(database, layout)
    before = database.file.read_bytes()
    database.file.chmod(0o444)
    somebody.chmod(0o555)
    try:
        read_everything(database.open(NEW))
        database.close()
    finally:
        somebody.chmod(0o777)
    assert database.file.read_bytes() == before


def test_tables_of_a_very_old_pipestat_are_read_as_they_are(database: Database) -> None:
    """They name no project and have no `meta`; the history table is missing altogether."""
    key = "integer" if database.dialect == "sqlite" else "serial"
    columns = f"id {key} primary key, record_identifier text, status text, n bigint"
    database.execute(f"create table demo__sample ({columns})")
    database.execute("insert into demo__sample values (7, 's1', 'completed', 1)")
    before = shape(database)
    opened, other = database.open(NEW), database.open(NEW, project_name="other")
    assert (opened.names(), other.names()) == (["s1"], [])
    assert opened.results("s1") == {"n": 1}
    assert opened.history("s1") == []
    assert opened.backend.projects() == ["project"]  # type: ignore[attr-defined]
    assert shape(database) == before
    opened.report("s1", {"n": 2})
    assert opened.results("s1") == {"n": 2}
    assert other.names() == []
