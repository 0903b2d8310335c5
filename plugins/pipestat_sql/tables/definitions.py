"""Statements that make tables, columns and indexes (PS-SQL-002, PS-SQL-005, PS-SQL-012)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from pipestat_sql.database.connecting import Database
from pipestat_sql.tables.catalog import JSONText, wanted_type
from pipestat_sql.tables.columns import ResultColumns
from pipestat_sql.tables.naming import cut_name, new_names
from pipestat_sql.tables.shape import Kind, Layout, ResultColumn

__all__ = ["Definitions", "index_name", "system_columns"]


def index_name(table: str, column: str) -> str:
    """Return the name of the index of a column; always with a checksum, so none meet."""
    return cut_name(f"{table}.{column}")


def _text(is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    return wanted_type(Kind.STRING, is_postgresql=is_postgresql)


def _time(is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    return sa.TIMESTAMP() if is_postgresql else sa.Text()


def _json(is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    return postgresql.JSON() if is_postgresql else JSONText()


def _column(name: str, type_: sa.types.TypeEngine[Any], **more: Any) -> sa.Column[Any]:
    return sa.Column(sa.sql.quoted_name(name, quote=True), type_, **more)


def _key() -> sa.Column[Any]:
    # SQLite numbers rows by itself only under this very type.
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return _column("id", number, primary_key=True, autoincrement=True)


def system_columns(layout: Layout, is_postgresql: bool) -> list[sa.Column[Any]]:
    """Return the columns that every table of records has (PS-SQL-002)."""
    text, time = _text(is_postgresql), _time(is_postgresql)
    levels = [_column(n, text) for n in ("project_name", "pipeline_name") if layout == "levels"]
    return [
        _key(),
        _column("record_identifier", text, nullable=False),
        *levels,
        _column("status", text),
        _column("pipestat_created_time", time),
        _column("pipestat_modified_time", time),
        _column("pipestat_extended_data", _json(is_postgresql)),
        _column("meta", _json(is_postgresql)),
    ]


class Definitions:
    """Definitions for one database and schema; all names are quoted."""

    def __init__(self, database: Database, schema: str | None) -> None:
        self._database = database
        self._is_postgresql = database.is_postgresql
        self._schema = schema

    def qualified(self, table: str) -> str:
        """Return a table's name as statements hold it."""
        quote = self._database.quote
        return f"{quote(self._schema)}.{quote(table)}" if self._schema else quote(table)

    def new_name(self, full: str, taken: Iterable[str]) -> str:
        """Return the name of a new table."""
        return new_names([full], taken)[full]

    def _compiled(self, element: sa.sql.ClauseElement) -> str:
        return str(element.compile(dialect=self._database.dialect)).strip()

    def _table(self, name: str, *parts: Any) -> sa.Table:
        schema = self._schema and sa.sql.quoted_name(self._schema, quote=True)
        return sa.Table(sa.sql.quoted_name(name, quote=True), sa.MetaData(), *parts, schema=schema)

    def _added(self, table: str, columns: Iterable[sa.Column[Any]]) -> Iterator[str]:
        for column in columns:
            column.nullable = True
            self._table(table, column)
            yield (
                f"ALTER TABLE {self.qualified(table)} "
                f"ADD COLUMN {self._compiled(sa.schema.CreateColumn(column))}"
            )

    def _results(self, columns: Iterable[ResultColumn]) -> list[sa.Column[Any]]:
        return [
            _column(column.name, wanted_type(column.kind, is_postgresql=self._is_postgresql))
            for column in columns
        ]

    def records(
        self,
        table: str,
        types: Mapping[str, str],
        layout: Layout,
        results: ResultColumns,
        *,
        new: bool,
    ) -> Iterator[str]:
        """Yield what makes or completes a table of records."""
        system = system_columns(layout, self._is_postgresql)
        if not new:
            lacking = [column for column in system if column.name not in types]
            yield from self._added(table, [*lacking, *self._results(results.missing.values())])
            return
        unique = ["record_identifier", "project_name"][: 2 if layout == "levels" else 1]
        made = self._table(
            table,
            *system,
            *self._results(results.missing.values()),
            sa.UniqueConstraint(*unique),
        )
        yield self._compiled(sa.schema.CreateTable(made))

    def histories(
        self,
        history: str,
        types: Mapping[str, str],
        layout: Layout,
        table: str,
        columns: Sequence[ResultColumn],
    ) -> Iterator[str]:
        """Yield what makes or completes a history table (PS-SQL-012)."""
        if layout == "records":
            if not types:
                yield from self._record_history(history)
            return
        system = system_columns("levels", self._is_postgresql)[1:]
        for column in system:
            column.nullable = True
        taken = {name.casefold() for name in (*types, "id", "source_record_id")}
        own = [c for c in columns if c.name.casefold() not in taken]
        if types:
            # The rest of a foreign table stays as it is; ours to add is what we write.
            yield from self._added(
                history, [c for c in system if c.name not in types and c.name == "meta"]
            )
            yield from self._added(history, self._results(own))
        else:
            source = _column(
                "source_record_id",
                sa.BigInteger(),
                nullable=False,
            )
            made = self._table(history, _key(), source, *system, *self._results(own))
            text = self._compiled(sa.schema.CreateTable(made)).rstrip().removesuffix(")")
            yield (
                f"{text.rstrip()}, FOREIGN KEY (source_record_id) "
                f"REFERENCES {self._reference(table)} (id))"
            )
        if not types or "meta" not in types:
            yield self._index(history, "source_record_id", "source_record_id")

    def _reference(self, table: str) -> str:
        # SQLite's references stay inside the file and take no schema.
        return self.qualified(table)

    def _record_history(self, history: str) -> Iterator[str]:
        text, time = _text(self._is_postgresql), _time(self._is_postgresql)
        made = self._table(
            history,
            _key(),
            _column("record_identifier", text, nullable=False),
            _column("result", text, nullable=False),
            _column("value", _json(self._is_postgresql)),
            _column("time", time, nullable=False),
        )
        yield self._compiled(sa.schema.CreateTable(made))
        yield self._index(history, "record_identifier", "record_identifier")

    def index(self, table: str, column: ResultColumn) -> str:
        """Return what makes the index of a result's column."""
        name = self._database.quote(column.name)
        if self._is_postgresql and column.kind is Kind.STRING:
            # Any other index refuses texts of more than 2,700 bytes.
            return self._index(table, column.name, name, "USING hash ")
        return self._index(table, column.name, name)

    def extended_index(self, table: str) -> str:
        """Return what makes the index of rows with extended data.

        Without it a search that has to look into these would pass by the results' indexes.
        """
        where = " WHERE pipestat_extended_data IS NOT NULL"
        return self._index(table, "pipestat_extended_data", "record_identifier") + where

    def _index(self, table: str, column: str, expression: str, using: str = "") -> str:
        name = self._database.quote(index_name(table, column))
        on = self.qualified(table)
        return f"CREATE INDEX IF NOT EXISTS {name} ON {on} {using}({expression})"

    def widening(self, table: str, column: str, type_name: str) -> Collection[str]:
        """Return what widens a column, nothing when it is wide already."""
        wide = {"integer": "BIGINT", "smallint": "BIGINT", "jsonb": "JSON"}.get(type_name)
        if wide is None or not self._is_postgresql:
            return ()
        name = self._database.quote(column)
        change = f"ALTER COLUMN {name} TYPE {wide} USING {name}::{wide.lower()}"
        return (f"ALTER TABLE {self.qualified(table)} {change}",)
