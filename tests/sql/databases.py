"""Databases to test in: where they are, and raw access that shares no code with the plugin."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from psycopg.types.string import TextLoader

from pipestat_spec import PipestatManager
from pipestat_spec.backend import StoreSettings
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from pipestat_spec.store import Store
from tests.open_backend import OpenBackend
from tests.patience import SECONDS
from tests.sql.servers import PostgresServer


@dataclass
class Opened(OpenBackend):
    """A backend with short forms for what a test does to it; `store` adds the domain's rules."""

    settings: StoreSettings

    @property
    def store(self) -> Store:
        return Store(self.backend, self.settings, validate=self.settings.schema is not None)


@dataclass
class Database:
    """One empty place for stores, and what the section `sql` of a configuration says of it.

    `open` opens a backend on it (closed at the end of the test); `rows` and `execute` go
    past the plugin.
    """

    dialect: Literal["sqlite", "postgresql"]
    options: dict[str, Any]
    folder: Path
    server: PostgresServer | None = None
    database: str = "postgres"
    opened: list[Any] = field(default_factory=list)

    def open(
        self,
        schema: Mapping[str, Any] | None = None,
        namespace: str = "demo",
        **changes: Any,
    ) -> Opened:
        """Open the backend; `schema` is an output schema in any form, the minimal one too."""
        from pipestat_sql.database.options import SqlOptions
        from pipestat_sql.plugin import SqlFactory

        settings = StoreSettings(
            namespace=namespace,
            statuses=changes.pop("statuses", DEFAULT_STATUS_SCHEMA),
            schema=None if schema is None else parse_output_schema(schema),
            base_folder=str(self.folder),
            options=SqlOptions.model_validate({**self.options, **changes.pop("options", {})}),
            **changes,
        )
        backend = SqlFactory().open(settings)
        self.opened.append(backend)
        return Opened(backend, settings)

    def config(self, **more: Any) -> dict[str, Any]:
        """Return a configuration of the core for this database."""
        return {"backend": "sql", "sql": dict(self.options), "pipeline_name": "demo", **more}

    def manager(self, schema: Path | None = None, **more: Any) -> PipestatManager:
        """Open a manager, closed at the end of the test."""
        manager = PipestatManager(config_dict=self.config(**more), schema_path=schema)
        self.opened.append(manager)
        return manager

    @cached_property
    def engine(self) -> sa.Engine:
        """SQLAlchemy's engine for the database, without the plugin; it ends with the test."""
        if self.dialect == "sqlite":
            engine = sa.create_engine(f"sqlite:///{self.file}", paramstyle="named")
        else:
            server, context = self.server, psycopg.adapt.AdaptersMap(psycopg.adapters)
            assert server is not None
            for name in ("json", "jsonb"):
                context.register_loader(name, TextLoader)
            engine = sa.create_engine(
                "postgresql+psycopg://",
                # A table may be another one under the same name.
                creator=lambda: server.connect(context=context, prepare_threshold=None),
                isolation_level="AUTOCOMMIT",
            )
        ending = ExitStack()
        ending.callback(engine.dispose)
        self.opened.append(ending)
        return engine

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A plain connection in autocommit of sqlite3 or psycopg, in the schema of the stores."""
        if self.dialect == "sqlite":
            connection: Any = sqlite3.connect(self.file, isolation_level=None, timeout=SECONDS)
            try:
                yield connection
            finally:
                connection.close()
            return
        assert self.server is not None
        with self.server.connect(self.database) as connection:
            if "schema" in self.options:
                connection.execute(f'set search_path to "{self.options["schema"]}"')
            yield connection

    @property
    def file(self) -> Path:
        return self.folder / "results.db"

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement of raw SQL (`?` or `%s` for parameters) and return its rows."""
        with self.connection() as connection:
            if self.dialect == "sqlite":
                return list(connection.execute(statement, parameters))
            cursor = connection.execute(statement, parameters or None)
            return list(cursor) if cursor.description else []

    execute = rows

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        if self.dialect == "sqlite":
            found = self.rows("select name from sqlite_master where type = 'table'")
            return sorted(name for (name,) in found if not name.startswith("sqlite_"))
        found = self.rows("select tablename from pg_tables where schemaname = current_schema()")
        return sorted(name for (name,) in found)

    def columns(self, table: str) -> dict[str, str]:
        """Return the columns of a table with their types as the database calls them."""
        if self.dialect == "sqlite":
            quoted = '"' + table.replace('"', '""') + '"'
            return {row[1]: row[2] for row in self.rows(f"pragma table_info({quoted})")}
        return dict(
            self.rows(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = current_schema() and table_name = %s"
                " order by ordinal_position",
                (table,),
            )
        )

    def close(self) -> None:
        for one in self.opened:
            one.close()
