"""Databases to test in: where they are, and raw access that shares no code with the plugin."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipestat_spec import PipestatManager
from pipestat_spec.backend import Backend, StoreSettings, UpdatesMany
from pipestat_spec.domain import changes
from pipestat_spec.models.output_schema import parse_output_schema
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.models.status_schema import DEFAULT_STATUS_SCHEMA
from pipestat_spec.store import Store
from tests.sql.servers import PostgresServer


@dataclass
class Opened:
    """A backend with short forms for what a test does to it; `store` adds the domain's rules."""

    backend: Backend
    settings: StoreSettings

    @property
    def store(self) -> Store:
        return Store(self.backend, self.settings, validate=self.settings.schema is not None)

    def report(
        self, record: str, values: Mapping[str, Any], level: Level = "sample", **more: Any
    ) -> Record:
        key = RecordKey(level, record)
        arguments = {"overwrite": True, **more}
        done = self.backend.update(key, changes.report_results(key, values, **arguments))
        assert done is not None
        return done

    def report_many(
        self, records: Mapping[str, Mapping[str, Any]], level: Level = "sample"
    ) -> list[Record | None]:
        assert isinstance(self.backend, UpdatesMany)
        keys = {RecordKey(level, name): values for name, values in records.items()}
        return self.backend.update_many(
            [(key, changes.report_results(key, keys[key], overwrite=True)) for key in keys]
        )

    def set_status(self, record: str, status: str, level: Level = "sample", **more: Any) -> None:
        key = RecordKey(level, record)
        self.backend.update(key, changes.set_status(key, status, **more))

    def remove(self, record: str, result: str | None = None, level: Level = "sample") -> None:
        key = RecordKey(level, record)
        change = (
            changes.remove_record(key) if result is None else changes.remove_result(key, result)
        )
        self.backend.update(key, change)

    def read(self, record: str, level: Level = "sample") -> Record | None:
        return self.backend.read(RecordKey(level, record))

    def results(self, record: str, level: Level = "sample") -> dict[str, Any]:
        found = self.read(record, level)
        assert found is not None, record
        return dict(found.results)

    def history(self, record: str, level: Level = "sample") -> list[HistoryEntry]:
        return list(self.backend.history(RecordKey(level, record)))

    def names(self, level: Level = "sample", **window: Any) -> list[str]:
        return [record.key.identifier for record in self.backend.scan(level, **window)]


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
        from pipestat_sql.options import SqlOptions
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

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A plain connection in autocommit of sqlite3 or psycopg, in the schema of the stores."""
        if self.dialect == "sqlite":
            connection: Any = sqlite3.connect(self.file, isolation_level=None, timeout=30)
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
