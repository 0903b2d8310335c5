"""Between a record and its row (SPEC.md sections 9 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipestat_spec.domain.times import format_utc
from pipestat_spec.domain.values import same_value
from pipestat_spec.models.record import JSONValue, Record, RecordKey
from pipestat_sql.rows.column_values import (
    NeedsWidening,
    check_declared,
    fits,
    reader_of,
    stored_time,
)
from pipestat_sql.rows.json_text import dump, load, load_object, survives_rewriting
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable
from pipestat_sql.tables.result_columns import ResultColumn

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

__all__ = ["Codec", "Row"]

_EXTENDED = "pipestat_extended_data"
_TIMES = {"created": "pipestat_created_time", "modified": "pipestat_modified_time"}


@dataclass(slots=True)
class Row:
    """A row as it stands, and the record in it."""

    id: Any
    record: Record
    meta: dict[str, Any] = field(default_factory=dict)
    extended: dict[str, Any] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    # Whether its times are another program's, and whether it names no project.
    foreign_times: bool = False
    unnamed: bool = False


class Codec:
    """Reads and writes the rows of one table."""

    def __init__(self, table: RecordTable, *, is_postgresql: bool) -> None:
        self._table = table
        self._is_postgresql = is_postgresql
        self._is_levels = table.layout == "levels"
        self._renamed = {
            identifier: column.name
            for identifier, column in table.results.items()
            if column.name != identifier
        }
        self._is_cut = str(table.table.name) != table.full_name
        self._rewrites = is_postgresql and table.types.get(_EXTENDED) == "jsonb"
        # Where in a row of all columns what stands.
        self.names = tuple(table.types)
        places = {name: number for number, name in enumerate(self.names)}
        self._id = places.get("id")
        self._identifier = places["record_identifier"]
        self._status = places.get("status")
        self._created = places.get(_TIMES["created"])
        self._modified = places.get(_TIMES["modified"])
        self._extended = places.get(_EXTENDED)
        self._meta = places.get("meta")
        self._project = places.get("project_name")
        self._columns: list[tuple[int, ResultColumn, Callable[[Any], Any] | None]] = [
            (places[column.name], column, reader_of(column.kind, is_postgresql=is_postgresql))
            for column in table.results.values()
        ]

    # Reading

    def decode(self, row: Sequence[Any]) -> Row:
        """Return what a row of all columns, in their order, holds."""
        results: dict[str, JSONValue] = {}
        used = set()
        for place, column, read in self._columns:
            value = row[place]
            if value is not None:
                results[column.identifier] = value if read is None else read(value)
                used.add(column.name)
        extended_text = None if self._extended is None else row[self._extended]
        extended = _extended_of(extended_text) if extended_text is not None else {}
        if extended:
            results.update(extended)
        meta = load_object(row[self._meta]) if self._meta is not None else {}
        source, message = meta.get("source"), meta.get("status_message")
        created, foreign_created = self._time(row, self._created, meta.get("created"))
        modified, foreign_modified = self._time(row, self._modified, meta.get("modified"))
        record = Record(
            RecordKey(self._table.level, row[self._identifier]),
            results,
            None if self._status is None else row[self._status],
            message if isinstance(message, str) else None,
            source if isinstance(source, dict) else None,
            created,
            modified,
        )
        number = None if self._id is None else row[self._id]
        foreign = foreign_created or foreign_modified
        unnamed = self._is_levels and self._project is not None and row[self._project] is None
        return Row(number, record, meta, extended, frozenset(used), foreign, unnamed)

    def to_record(self, row: Mapping[str, Any] | RowMapping) -> Record:
        """Return the record in a row by column name; results that it lacks are left out."""
        if tuple(row) == self.names:
            return self.decode(tuple(row.values())).record
        get = row.get
        return self.decode([get(name) for name in self.names]).record

    def _time(
        self, row: Sequence[Any], place: int | None, text: object
    ) -> tuple[datetime | None, bool]:
        """Return a time, and whether another program wrote it (PS-SQL-004)."""
        value = None if place is None else row[place]
        if value is None:
            known = _parsed(text)
            return known, known is not None
        stood = datetime.fromisoformat(value) if isinstance(value, str) else value
        if stood.tzinfo is not None:
            return stood.astimezone(UTC), False
        if not self._is_levels:
            return stood.replace(tzinfo=UTC), False
        known = _parsed(text)
        if known is not None and known.replace(tzinfo=None) == stood:
            return known, False
        return stood.astimezone(UTC), True

    # Writing

    def encode(self, record: Record, old: Row | None) -> dict[str, Any]:
        """Return the columns to write, by name: all of a new row, or those that change.

        Raises InvalidValueError for a value that its column cannot hold (PS-SQL-007), and
        NeedsWidening.
        """
        values: dict[str, Any] = {}
        before = old.record if old else None
        extended = self._encode_results(record, old, values)
        stood = old.extended if old else {}
        if (extended or stood) and not same_value(extended, stood):
            values[_EXTENDED] = dump(extended) if extended else None
            if self._rewrites and not survives_rewriting(extended):
                raise NeedsWidening(_EXTENDED)
        if record.status != (before.status if before else None):
            values["status"] = record.status
        meta = self._encode_meta(record, old, values)
        if old is None or not same_value(meta, old.meta):
            values["meta"] = dump(meta)
        if old is None:
            values["record_identifier"] = record.key.identifier
            if self._is_levels:
                values["project_name"] = self._table.project_name
        elif old.unnamed:
            values["project_name"] = self._table.project_name
        return values

    def _encode_results(
        self, record: Record, old: Row | None, values: dict[str, Any]
    ) -> dict[str, JSONValue]:
        """Put changed results into `values`; return what goes into the extended data."""
        stood = old.record.results if old else {}
        in_extended: Mapping[str, Any] = old.extended if old else {}
        used = old.columns if old else frozenset[str]()
        extended: dict[str, JSONValue] = {}
        for identifier, value in record.results.items():
            column = self._table.results.get(identifier)
            if column is None:
                extended[identifier] = value
                continue
            moved = identifier in in_extended
            if not moved and identifier in stood and stood[identifier] is value:
                continue
            if fits(column, value, is_postgresql=self._is_postgresql):
                values[column.name] = dump(value) if column.kind is Kind.JSON else value
            else:
                kept = moved and stood[identifier] is value
                if not kept and identifier in self._table.declared:
                    check_declared(column, value)
                extended[identifier] = value
                if column.name in used:
                    values[column.name] = None
        for identifier in stood.keys() - record.results.keys():
            column = self._table.results.get(identifier)
            if column is not None and column.name in used:
                values[column.name] = None
        return extended

    def _encode_meta(
        self, record: Record, old: Row | None, values: dict[str, Any]
    ) -> dict[str, Any]:
        meta = dict(old.meta) if old else {}
        before = old.record if old else None
        for name, new, former in (
            ("created", record.created, before and before.created),
            ("modified", record.modified, before and before.modified),
        ):
            if new != former or (old and old.foreign_times and new is not None):
                meta[name] = new and format_utc(new)
                column = _TIMES[name]
                type_name = self._table.types.get(column, "")
                values[column] = new and stored_time(
                    new, type_name, is_postgresql=self._is_postgresql
                )
        if record.source != (before.source if before else None):
            meta["source"] = None if record.source is None else dict(record.source)
        if record.status_message != (before.status_message if before else None):
            meta["status_message"] = record.status_message
        if self._renamed or "columns" in meta:
            columns = {self._renamed[n]: n for n in record.results if n in self._renamed}
            meta["columns"] = columns or None
        if self._is_cut:
            meta["table"] = self._table.full_name
        return {name: value for name, value in meta.items() if value is not None}


def _extended_of(text: Any) -> dict[str, Any]:
    value = load(text)
    return value if isinstance(value, dict) else {}


def _parsed(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
