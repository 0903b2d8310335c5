"""The tables and rows of a namespace, as spec/sql.md says them; for SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from conformance_selfcheck.mutants import sql_names as names
from conformance_selfcheck.mutants.sql_names import SYSTEM, TYPES, quoted
from pipestat_spec.backend import StoreSettings
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import LayoutError, SchemaError
from pipestat_spec.models.record import LEVELS, Level, RecordKey

__all__ = ["NamespaceTables", "Row"]

Row = Mapping[str, Any]


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


class NamespaceTables:
    """What a database holds of one namespace: its tables, their columns and rows."""

    types: Mapping[str, str] = TYPES

    def __init__(self, path: str, settings: StoreSettings) -> None:
        self.settings = settings
        self.path = path
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.connection.row_factory = _row

    def close(self) -> None:
        self.connection.close()

    def run(self, statement: str, values: Any = ()) -> list[Row]:
        return list(self.connection.execute(statement, values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep other writers out."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    # Tables

    def tables(self) -> list[str]:
        return [row["name"] for row in self.run("SELECT name FROM sqlite_master")]

    def existing(self, name: str, there: Collection[str]) -> str | None:
        """Return how a table or column is called that is there, or None."""
        return next((found for found in (names.cut(name), name) if found in there), None)

    def named(self, name: str, there: Collection[str]) -> str:
        """Return how a new table or column is called, beside those that are there."""
        taken = {other.casefold() for other in there}
        return names.cut(name) if len(name.encode()) > 63 or name.casefold() in taken else name

    def existing_layout(self) -> str | None:
        """Return the layout that exists."""
        there = self.tables()
        for level in LEVELS:
            if self.existing(f"{self.settings.namespace}__{level}", there):
                return "levels"
        return "records" if self.existing(self.settings.namespace, there) else None

    def new_layout(self, level: Level) -> str:
        """Return the layout that a new namespace gets."""
        schema = self.settings.schema
        project = level == "project" or bool(schema and schema.levels["project"].results)
        project = project or self.settings.has_project
        return self.settings.layout or ("levels" if project else "records")

    def checked_layout(self, writing: Level | None = None) -> str | None:
        """Return the layout that exists; raises LayoutError where it contradicts."""
        layout = self.existing_layout()
        if None not in (layout, self.settings.layout) and layout != self.settings.layout:
            raise LayoutError(f"the layout is {layout}, not {self.settings.layout}")
        if (layout or self.settings.layout) == "records" and writing == "project":
            raise LayoutError("the layout records has no project level; see 'convert'")
        return layout

    def table(self, level: Level, layout: str | None = None) -> str:
        """Return what the table of a level is called, whether or not it is there."""
        levels = (layout or self.existing_layout()) == "levels"
        name = f"{self.settings.namespace}__{level}" if levels else self.settings.namespace
        return self.existing(name, self.tables()) or self.named(name, self.tables())

    def columns(self, table: str) -> dict[str, str]:
        """Return the kinds of all columns, by name."""
        found = self.run(f"PRAGMA table_info({quoted(table)})")
        return {row["name"]: names.type_kind(row["type"]) for row in found}

    def declared(self, level: Level) -> dict[str, str]:
        """Return the kind of each declared result."""
        schema = self.settings.schema
        results = schema.levels[level].results if schema else {}
        return {name: names.kind_of(results[name]) for name in sorted(results)}

    def check(self, table: str, level: Level) -> None:
        """Raise SchemaError where a type contradicts the column that a result has."""
        there = self.columns(table)
        for result, kind in self.declared(level).items():
            found = self.existing(result, there)
            if found is not None and there[found] != kind:
                raise SchemaError(f"{result!r} is declared {kind}, its column is {there[found]}")

    def complete(self, table: str, level: Level) -> None:
        """Add what a table lacks."""
        there = self.columns(table)
        for column, type in SYSTEM.items():
            if column not in (*there, "project_name", "pipeline_name"):
                self.add_column(table, column, type)
        fitting = self.with_room(table, level)
        for result, kind in self.declared(level).items():
            there = self.columns(table)
            if self.existing(result, there) is None and result in fitting:
                self.add_column(table, self.named(result, there), self.types[kind])

    def with_room(self, table: str, level: Level) -> set[str]:
        """Return the results without a column for which a row has room."""
        there, kinds = self.columns(table), self.declared(level)
        sizes = [names.SIZES.get(kind, 24) for c, kind in there.items() if c not in SYSTEM]
        results = self.settings.schema.levels[level].results if self.settings.schema else {}
        found: set[str] = set()
        for result in results:
            if self.existing(result, there) is None:
                sizes.append(names.SIZES.get(kinds[result], 24))
                if len(sizes) > 1500 or sum(sizes) > 7680:
                    break
                found.add(result)
        return found

    def add_column(self, table: str, column: str, type: str) -> None:
        self.run(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column)} {type}")

    def result_columns(self, table: str, level: Level) -> dict[str, tuple[str, str]]:
        """Return column and kind of each result that has a column."""
        there = {c: k for c, k in self.columns(table).items() if c not in SYSTEM}
        own = {name: self.existing(name, there) for name in self.declared(level)}
        found = {name: (column, there[column]) for name, column in own.items() if column}
        others = there.keys() - {column for column, _ in found.values()}
        return {**{c: (c, there[c]) for c in others}, **found}

    # Rows

    def own(self, row: Row) -> bool:
        """Tell whether a row belongs to the store's project."""
        own = self.settings.project_name
        return "project_name" not in row or (row["project_name"] or "project") == own

    def rows(self, level: Level) -> list[Row]:
        """Return all rows of the store, in the order of their records."""
        if self.checked_layout() is None or (
            self.existing_layout() == "records" and level == "project"
        ):
            return []
        table = self.table(level)
        found = self.run(f"SELECT * FROM {quoted(table)}") if table in self.tables() else []
        return sorted(filter(self.own, found), key=lambda row: str(row["record_identifier"]))

    def row(self, key: RecordKey) -> Row | None:
        found = (r for r in self.rows(key.level) if r["record_identifier"] == key.identifier)
        return next(found, None)

    def results(self, row: Row, table: str, level: Level) -> dict[str, Any]:
        """Return the results of a row; what stands beside its columns was written later."""
        columns = self.result_columns(table, level)
        found = {
            name: names.read_cell(kind, row[column])
            for name, (column, kind) in columns.items()
            if row.get(column) is not None
        }
        return {**found, **(json.loads(row.get("pipestat_extended_data") or "null") or {})}

    def meta(self, row: Row) -> dict[str, Any]:
        return json.loads(row.get("meta") or "null") or {}

    def time(self, row: Row, name: str) -> datetime | None:
        """Return the created or modified time of a row."""
        cell, told = row.get(f"pipestat_{name}_time"), self.meta(row).get(name)
        if cell is None:
            return None if told is None else datetime.fromisoformat(told)
        column = datetime.fromisoformat(cell)
        utc = column.replace(tzinfo=UTC)
        local = "project_name" in row and told != format_utc(utc)
        return column.astimezone(UTC) if local else utc
