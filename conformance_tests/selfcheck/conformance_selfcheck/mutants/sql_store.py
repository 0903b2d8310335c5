"""A small backend of its own for SQLite databases: what the mutants of spec/sql.md are made of.

Slow and simple: it has no part of the storage plugin that it is compared with. What a mutant
changes is a method here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from conformance_selfcheck.mutants import sql_names as names
from conformance_selfcheck.mutants.sql_history import Histories
from conformance_selfcheck.mutants.sql_names import SYSTEM, column_time, quoted
from conformance_selfcheck.mutants.sql_tables import NamespaceTables, Row
from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import InvalidValueError, LayoutError
from pipestat_spec.models.record import LEVELS, HistoryEntry, Level, Record, RecordKey

__all__ = ["SqliteTables"]


class SqliteTables(NamespaceTables, Backend):
    """One namespace in a SQLite database."""

    capabilities = frozenset(Capability) - {
        Capability.DURABLE,
        Capability.NATIVE_QUERY,
        Capability.ATOMIC_BATCH,
        Capability.UNNAMED_NAMESPACE,
    }
    past = Histories

    def __init__(self, path: str, settings: StoreSettings) -> None:
        super().__init__(path, settings)
        with self.transaction():
            for level in LEVELS:
                if self.existing_layout() is not None and self.table(level) in self.tables():
                    self.opened(self.table(level), level)

    def opened(self, table: str, level: Level) -> None:
        """Look at a table that exists."""
        self.check(table, level)

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

    def record(self, key: RecordKey, row: Row) -> Record:
        meta = self.meta(row)
        return Record(
            key,
            self.results(row, self.table(key.level), key.level),
            row.get("status"),
            meta.get("status_message"),
            meta.get("source"),
            self.time(row, "created"),
            self.time(row, "modified"),
            self.status_time(row),
        )

    def status_time(self, row: Row) -> datetime | None:
        """Return since when the row has its status, unless another program has set it."""
        told, modified = self.meta(row), self.time(row, "modified")
        if row.get("status") is None or told.get("status") != row["status"]:
            return None
        if told.get("modified") != (modified and format_utc(modified)):
            return None
        return told.get("status_time") and datetime.fromisoformat(told["status_time"])

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
                if kind and name in declared and (kind, repr(value)) != ("number", "-0.0"):
                    self.refuse(f"{name}: {value!r} does not fit a column of {kind}")
                extended[name] = value
        times = {"created": record.created, "modified": record.modified}
        told = {name: time and format_utc(time) for name, time in times.items()}
        told |= {"source": record.source, "status_message": record.status_message}  # type: ignore[dict-item]
        since = record.status_time and format_utc(record.status_time)
        told |= {"status": record.status if since else None, "status_time": since}
        if self.existing_layout() == "records" and self.settings.has_project:
            told["project"] = meta.get("project", self.settings.project_name)
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
                self.check_project(key)
                self.delete(key)
            elif outcome.record is not current:
                self.check_project(key)
                self.make(key.level)
                # While the row is still what the reference left.
                self.past.settle(self, key)
                self.write(outcome.record)
                self.past.add(self, key, outcome.history)
            return Transition(current, outcome.record)

    def check_project(self, key: RecordKey) -> None:
        """Refuse to change a row of another project in a table that holds it once."""
        row, own = self.row(key), self.settings.project_name
        named = None if row is None else self.meta(row).get("project")
        if self.existing_layout() == "levels" or not self.settings.has_project:
            return
        if named not in (None, own):
            raise LayoutError(f"{key} is one of project {named!r}: convert the database")

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
