"""A small backend of its own for SQLite databases: what the mutants of section 9 are made of.

Slow and simple: it has no part of the storage plugin that it is compared with. What a mutant
changes is a method here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pipestat_conformance.mutants import sql_names as names
from pipestat_conformance.mutants.sql_history import Histories
from pipestat_conformance.mutants.sql_names import SYSTEM, TYPES, column_time, quoted
from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import InvalidValueError, LayoutError, SchemaError
from pipestat_spec.models.record import LEVELS, HistoryEntry, Level, Record, RecordKey

__all__ = ["Row", "SqliteTables"]

Row = Mapping[str, Any]


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


class SqliteTables(Backend):
    """One namespace in a SQLite database."""

    capabilities = frozenset(Capability) - {
        Capability.DURABLE,
        Capability.NATIVE_QUERY,
        Capability.ATOMIC_BATCH,
    }
    past = Histories
    types: Mapping[str, str] = TYPES

    def __init__(self, path: str, settings: StoreSettings) -> None:
        self.settings = settings
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.connection.row_factory = _row
        with self.transaction():
            self.opened()

    def opened(self) -> None:
        """Add to the tables that exist what they lack."""
        for level in LEVELS:
            if self.existing_layout() is not None and self.table(level) in self.tables():
                self.complete(self.table(level), level)

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

    def make(self, level: Level) -> None:
        """Make the tables of a namespace that are missing; inside a transaction."""
        layout = self.existing_layout() or self.new_layout(level)
        table = self.table(level, layout)
        if table not in self.tables():
            levels = ("project_name", "pipeline_name")
            columns = [c for c in SYSTEM if layout == "levels" or c not in levels]
            unique = "record_identifier" + (", project_name" if layout == "levels" else "")
            parts = [*(f"{c} {SYSTEM[c]}" for c in columns), f"UNIQUE ({unique})"]
            self.run(f"CREATE TABLE {quoted(table)} ({', '.join(parts)})")
        self.complete(table, level)
        self.past.make(self, level)

    def complete(self, table: str, level: Level) -> None:
        """Add what a table lacks; raises SchemaError where a type contradicts."""
        there = self.columns(table)
        for column, type in SYSTEM.items():
            if column not in (*there, "project_name", "pipeline_name"):
                self.add_column(table, column, type)
        for result, kind in self.declared(level).items():
            there = self.columns(table)
            found = self.existing(result, there)
            if found is None:
                self.add_column(table, self.named(result, there), self.types[kind])
            elif there[found] != kind:
                raise SchemaError(f"{result!r} is declared {kind}, its column is {there[found]}")

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
        return {**found, **(json.loads(row["pipestat_extended_data"] or "null") or {})}

    def meta(self, row: Row) -> dict[str, Any]:
        return json.loads(row.get("meta") or "null") or {}

    def time(self, row: Row, name: str) -> datetime | None:
        """Return the created or modified time of a row."""
        cell, told = row[f"pipestat_{name}_time"], self.meta(row).get(name)
        if cell is None:
            return None if told is None else datetime.fromisoformat(told)
        column = datetime.fromisoformat(cell)
        utc = column.replace(tzinfo=UTC)
        local = "project_name" in row and told != format_utc(utc)
        return column.astimezone(UTC) if local else utc

    def record(self, key: RecordKey, row: Row) -> Record:
        meta = self.meta(row)
        return Record(
            key,
            self.results(row, self.table(key.level), key.level),
            row["status"],
            meta.get("status_message"),
            meta.get("source"),
            self.time(row, "created"),
            self.time(row, "modified"),
        )

    def cells(self, record: Record, table: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a row has to hold; raises InvalidValueError for what cannot stand there."""
        columns = self.result_columns(table, record.key.level)
        declared = self.declared(record.key.level)
        extended: dict[str, Any] = {}
        cells: dict[str, Any] = {column: None for column, _ in columns.values()}
        for name, value in record.results.items():
            column, kind = columns.get(name, (name, ""))
            if kind and names.fits(kind, value):
                cells[column] = names.cell_of(kind, value)
            else:
                if name in declared and (kind, repr(value)) != ("number", "-0.0"):
                    self.refuse(f"{name}: {value!r} does not fit a column of {kind}")
                extended[name] = value
        times = {"created": record.created, "modified": record.modified}
        told = {name: time and format_utc(time) for name, time in times.items()}
        told |= {"source": record.source, "status_message": record.status_message}  # type: ignore[dict-item]
        kept = {name: value for name, value in {**meta, **told}.items() if value is not None}
        return {
            **cells,
            "record_identifier": record.key.identifier,
            "status": record.status,
            "pipestat_extended_data": names.json_text(extended) if extended else None,
            "meta": names.json_text(kept),
            **{f"pipestat_{n}_time": time and column_time(time) for n, time in times.items()},
        }

    def refuse(self, message: str) -> None:
        raise InvalidValueError(message)

    # The contract

    def read(self, key: RecordKey) -> Record | None:
        row = self.row(key)
        return None if row is None else self.record(key, row)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        keys = ((RecordKey(level, row["record_identifier"]), row) for row in self.rows(level))
        found = (self.record(k, r) for k, r in keys if after is None or k.identifier > after)
        return islice(found, limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        row = self.row(key)
        return iter(() if row is None else self.past.read(self, key, row))

    def update(self, key: RecordKey, change: Change) -> Transition:
        with self.transaction():
            self.checked_layout(key.level)
            current = self.read(key)
            outcome = change(current)
            if outcome.record is None:
                self.delete(key)
            elif outcome.record is not current:
                self.make(key.level)
                # While the row is still what the reference left.
                self.past.settle(self, key)
                self.write(outcome.record)
                self.past.add(self, key, outcome.history)
            return Transition(current, outcome.record)

    def write(self, record: Record) -> None:
        """Insert or update the row of a record."""
        table, row = self.table(record.key.level), self.row(record.key)
        cells = self.cells(record, table, {} if row is None else self.meta(row))
        if self.existing_layout() == "levels":
            cells["project_name"] = self.settings.project_name
        if row is None:
            columns, marks = ", ".join(map(quoted, cells)), ", ".join("?" * len(cells))
            self.run(f"INSERT INTO {quoted(table)} ({columns}) VALUES ({marks})", [*cells.values()])
        else:
            sets = ", ".join(f"{quoted(column)} = ?" for column in cells)
            values = [*cells.values(), row["id"]]
            self.run(f"UPDATE {quoted(table)} SET {sets} WHERE id = ?", values)

    def delete(self, key: RecordKey) -> None:
        """Delete a record and its history."""
        row = self.row(key)
        if row is not None:
            self.past.delete(self, key, row)
            self.run(f"DELETE FROM {quoted(self.table(key.level))} WHERE id = ?", [row["id"]])
