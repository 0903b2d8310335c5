"""The history tables of both layouts, as spec/sql.md says them; for SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from conformance_selfcheck.mutants import sql_names as names
from conformance_selfcheck.mutants.sql_names import SYSTEM, column_time, quoted
from conformance_selfcheck.mutants.sql_tables import NamespaceTables, Row
from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import same_value
from pipestat_spec.models.record import HistoryEntry, Level, RecordKey

__all__ = ["Histories"]


class Histories:
    """Reads and writes the history of a record, in the layout of its table."""

    @classmethod
    def table(cls, store: NamespaceTables, level: Level) -> str:
        """Return what the history table is called, whether or not it is there."""
        namespace = store.settings.namespace
        levels = store.existing_layout() == "levels"
        name = f"{namespace}__{level}_history" if levels else f"{namespace}__history"
        return store.existing(name, store.tables()) or store.named(name, store.tables())

    @classmethod
    def make(cls, store: NamespaceTables, level: Level) -> None:
        """Make the table, or the columns that it lacks."""
        table = cls.table(store, level)
        if store.existing_layout() == "records":
            columns = {"record_identifier": "TEXT NOT NULL", "result": "TEXT NOT NULL"}
            columns |= {"value": "JSON TEXT", "time": "TEXT"}
        else:
            kinds = store.result_columns(store.table(level), level)
            columns = {**SYSTEM, "source_record_id": "INTEGER NOT NULL"}
            columns |= {column: store.types[kind] for column, kind in kinds.values()}
            del columns["id"]
        if table not in store.tables():
            store.run(f"CREATE TABLE {quoted(table)} (id INTEGER PRIMARY KEY)")
        for column in columns.keys() - store.columns(table).keys():
            # A column that is added to rows cannot ask for a value.
            store.add_column(table, column, columns[column].removesuffix(" NOT NULL"))

    @classmethod
    def rows(cls, store: NamespaceTables, key: RecordKey, row: Row) -> list[Row]:
        """Return the rows of a record in the order in which they were written."""
        table = cls.table(store, key.level)
        if table not in store.tables():
            return []
        column, value = "source_record_id", row["id"]
        if store.existing_layout() == "records":
            column, value = "record_identifier", key.identifier
        found = store.run(f"SELECT * FROM {quoted(table)} WHERE {column} = ?", [value])
        return sorted(found, key=lambda row: int(row.get("id", 0)))

    @classmethod
    def read(cls, store: NamespaceTables, key: RecordKey, row: Row) -> list[HistoryEntry]:
        """Return all entries, oldest first."""
        rows = cls.rows(store, key, row)
        if store.existing_layout() == "records":
            times = [datetime.fromisoformat(f"{r['time']}+00:00") for r in rows]
            values = [names.read_cell("json", r["value"]) for r in rows]
            entries = [
                HistoryEntry(r["result"], value, time)
                for r, value, time in zip(rows, values, times, strict=True)
            ]
        else:
            entries = [entry for r in rows if store.meta(r) for entry in cls.told(store.meta(r))]
            entries += [entry for _, found in cls.copied(store, key, row) for entry in found]
        return sorted(entries, key=lambda entry: entry.time)

    @classmethod
    def told(cls, meta: Mapping[str, Any]) -> list[HistoryEntry]:
        """Return what a row of ours says."""
        time = datetime.fromisoformat(meta["time"])
        return [HistoryEntry(name, value, time) for name, value in meta["values"].items()]

    @classmethod
    def copied(
        cls, store: NamespaceTables, key: RecordKey, row: Row
    ) -> list[tuple[Row, list[HistoryEntry]]]:
        """Return the reference's copies with what they tell, each by what came after it."""
        copies = [r for r in cls.rows(store, key, row) if not store.meta(r)]
        table = store.table(key.level)
        found = []
        for copy, later in zip(copies, [*copies, row][1:], strict=True):
            after, time = store.results(later, table, key.level), store.time(later, "modified")
            before = store.results(copy, table, key.level)
            changed = [n for n in before if n not in after or not same_value(before[n], after[n])]
            assert time is not None
            found.append((copy, [HistoryEntry(name, before[name], time) for name in changed]))
        return found

    @classmethod
    def settle(cls, store: NamespaceTables, key: RecordKey) -> None:
        """Give the reference's copies their `meta`, before the record is other than they say."""
        row = store.row(key)
        if row is None or store.existing_layout() == "records":
            return
        for copy, entries in cls.copied(store, key, row):
            time = store.time(copy, "modified") if not entries else entries[0].time
            meta = {
                "time": time and format_utc(time),
                "values": {e.result: e.value for e in entries},
            }
            table = quoted(cls.table(store, key.level))
            values = [names.json_text(meta), copy["id"]]
            store.run(f"UPDATE {table} SET meta = ? WHERE id = ?", values)

    @classmethod
    def add(cls, store: NamespaceTables, key: RecordKey, entries: Iterable[HistoryEntry]) -> None:
        """Add entries; those of one change in `levels` are one row."""
        for time, group in groupby(entries, key=lambda entry: entry.time):
            values = {entry.result: entry.value for entry in group}
            for cells in cls.cells(store, key, time, values):
                columns, marks = ", ".join(map(quoted, cells)), ", ".join("?" * len(cells))
                table = quoted(cls.table(store, key.level))
                store.run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*cells.values()])

    @classmethod
    def cells(
        cls, store: NamespaceTables, key: RecordKey, time: datetime, values: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows that say what was replaced at a time."""
        if store.existing_layout() == "records":
            identifier = {"record_identifier": key.identifier, "time": column_time(time)}
            return [
                {**identifier, "result": name, "value": names.json_text(value)}
                for name, value in values.items()
            ]
        row = store.row(key)
        assert row is not None
        columns = store.result_columns(store.table(key.level), key.level)
        old = {
            columns[name][0]: names.cell_of(columns[name][1], value)
            for name, value in values.items()
            if name in columns and names.fits(columns[name][1], value)
        }
        meta = {"time": format_utc(time), "values": dict(values)}
        return [
            {
                **old,
                "source_record_id": row["id"],
                "record_identifier": key.identifier,
                "project_name": store.settings.project_name,
                "pipestat_created_time": row["pipestat_created_time"],
                "pipestat_modified_time": column_time(time),
                "meta": json.dumps(meta, ensure_ascii=False),
            }
        ]

    @classmethod
    def delete(cls, store: NamespaceTables, key: RecordKey, row: Row) -> None:
        """Delete the history of a record."""
        column, value = "source_record_id", row["id"]
        if store.existing_layout() == "records":
            column, value = "record_identifier", key.identifier
        table = cls.table(store, key.level)
        if table in store.tables():
            store.run(f"DELETE FROM {quoted(table)} WHERE {column} = ?", [value])
