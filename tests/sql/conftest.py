"""SQLite files and a real PostgreSQL, a fresh place for every test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from tests.sql.databases import Database
from tests.sql.servers import PostgresServer, icu_programs, wheel_programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of the session, ordered by code point."""
    server = PostgresServer(wheel_programs(), "--no-locale")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def icu_postgres() -> Iterator[PostgresServer]:
    """A server whose databases order text by the rules of a language (ICU)."""
    server = PostgresServer(
        icu_programs(), "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"
    )
    yield server
    server.stop()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for one test, which may kill it."""
    server = PostgresServer(wheel_programs(), "--no-locale")
    yield server
    server.stop()


MakeDatabase = Callable[..., Database]


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """`make_database(dialect)` gives a fresh place: a file, or a schema of the server.

    Dialects are `sqlite`, `postgresql` and `icu`; stores opened on it are closed at the end.
    """
    made: list[Database] = []

    def make(dialect: str, server: PostgresServer | None = None) -> Database:
        if dialect == "sqlite":
            folder = tmp_path / f"sqlite{len(made)}"
            folder.mkdir()
            options: dict[str, Any] = {"url": f"sqlite:///{folder}/results.db"}
            database = Database("sqlite", options, folder)
        else:
            fixture = "icu_postgres" if dialect == "icu" else "postgres"
            server = server or request.getfixturevalue(fixture)
            options = {"url": server.url(), "schema": server.new_name("place")}
            database = Database("postgresql", options, tmp_path, server)
            with server.connect() as connection:
                connection.execute(f'create schema "{options["schema"]}"')
        made.append(database)
        return database

    yield make
    for database in made:
        database.close()


@pytest.fixture
def sqlite_database(make_database: MakeDatabase) -> Database:
    return make_database("sqlite")


@pytest.fixture
def postgres_database(make_database: MakeDatabase) -> Database:
    return make_database("postgresql")


@pytest.fixture
def icu_database(make_database: MakeDatabase) -> Database:
    """A place whose order of text is that of a language: `_x, 10, 9, a, A`."""
    return make_database("icu")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """A fresh place in each of the two databases."""
    return make_database(request.param)


@pytest.fixture
def somebody() -> Iterator[Path]:
    """A folder, and an effective user to whom permissions apply."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        before = os.geteuid()
        if before == 0:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(before)


MakeManager = Callable[..., PipestatManager]
# The kinds of stores that are compared with each other.
KINDS = ["memory", "yaml", "record files", "sqlite", "postgresql"]


@pytest.fixture
def make_manager(tmp_path: Path, make_database: MakeDatabase) -> Iterator[MakeManager]:
    """`make_manager(kind, schema)` opens a new store; `schema` is the text of an output schema."""
    made: list[PipestatManager] = []

    def make(kind: str, schema: str) -> PipestatManager:
        (tmp_path / f"schema{len(made)}.yaml").write_text(schema)
        if kind == "memory":
            given: dict[str, Any] = {"config_dict": {"backend": "memory"}}
        elif kind in ("yaml", "record files"):
            folder = tmp_path / f"store{len(made)}"
            name = "r.yaml" if kind == "yaml" else "{record_identifier}/r.yaml"
            given = {"results_file_path": f"{folder}/{name}"}
        else:
            given = {"config_dict": make_database(kind).config()}
        made.append(PipestatManager(schema_path=tmp_path / f"schema{len(made)}.yaml", **given))
        return made[-1]

    yield make
    for manager in made:
        manager.close()
