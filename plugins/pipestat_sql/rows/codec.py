"""Between a record and its row (SPEC.md sections 9 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipestat_spec.domain.times import format_utc, read_time
from pipestat_spec.domain.values import same_value
from pipestat_spec.models.record import JSONValue, Record, RecordKey
from pipestat_sql.rows.column_values import ColumnValues, reader_of, stored_time
from pipestat_sql.rows.json_text import dump, load, load_object
from pipestat_sql.tables.shape import Kind, ResultColumn
from pipestat_sql.tables.tables import StoredTable

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

    def __init__(self, table: StoredTable, *, is_postgresql: bool) -> None:
        self.table = table
        self._is_postgresql = is_postgresql
        self._values = ColumnValues(table, is_postgresql=is_postgresql)
        shape = table.shape
        self._level = shape.level
        self._is_levels = shape.layout == "levels"
        self._results = shape.results
        self._named = {c.name: c.identifier for c in shape.results.values()}
        self._namespace = None
        if str(shape.table.name) != table.full_name:
            self._namespace = table.full_name
        # Where in a row of all columns what stands.
        names = list(table.types)
        self.names = tuple(names)
        self._id = names.index("id") if "id" in names else None
        places = {name: number for number, name in enumerate(names)}
        self._identifier = places["record_identifier"]
        self._status = places.get("status")
        self._created = places.get(_TIMES["created"])
        self._modified = places.get(_TIMES["modified"])
        self._extended = places.get(_EXTENDED)
        self._meta = places.get("meta")
        self._project = places.get("project_name")
        self._columns: list[tuple[int, ResultColumn, Callable[[Any], Any] | None]] = [
            (places[c.name], c, reader_of(c.kind, is_postgresql)) for c in shape.results.values()
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
            RecordKey(self._level, row[self._identifier]),
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
            known = read_time(text)
            return known, known is not None
        stood = datetime.fromisoformat(value) if isinstance(value, str) else value
        if stood.tzinfo is not None:
            return stood.astimezone(UTC), False
        if not self._is_levels:
            return stood.replace(tzinfo=UTC), False
        known = read_time(text)
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
        if not same_value(extended, old.extended if old else {}):
            values[_EXTENDED] = dump(extended) if extended else None
            self._values.check_rewriting(_EXTENDED, extended)
        if record.status != (before.status if before else None):
            values["status"] = record.status
        meta = self._encode_meta(record, old, values)
        if old is None or not same_value(meta, old.meta):
            values["meta"] = dump(meta)
        if old is None:
            values["record_identifier"] = record.key.identifier
            if self._is_levels:
                values["project_name"] = self.table.shape.project_name
        elif old.unnamed:
            values["project_name"] = self.table.shape.project_name
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
            column = self._results.get(identifier)
            if column is None:
                extended[identifier] = value
                continue
            moved = identifier in in_extended
            if not moved and identifier in stood and stood[identifier] is value:
                continue
            if self._values.fits(column, value):
                values[column.name] = dump(value) if column.kind is Kind.JSON else value
            else:
                self._values.check_refused(column, value, kept=moved and stood[identifier] is value)
                extended[identifier] = value
                if column.name in used:
                    values[column.name] = None
        for identifier in stood.keys() - record.results.keys():
            column = self._results.get(identifier)
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
                values[_TIMES[name]] = self._stored_time(_TIMES[name], new)
        if not same_value(record.source, before.source if before else None):
            meta["source"] = None if record.source is None else dict(record.source)
        if record.status_message != (before.status_message if before else None):
            meta["status_message"] = record.status_message
        renamed = {
            column.name: column.identifier
            for name in record.results
            if (column := self._results.get(name)) is not None and column.name != column.identifier
        }
        if renamed or "columns" in meta:
            meta["columns"] = renamed or None
        if self._namespace is not None:
            meta["table"] = self._namespace
        return {name: value for name, value in meta.items() if value is not None}

    def _stored_time(self, name: str, time: datetime | None) -> Any:
        if time is None:
            return None
        return stored_time(time, self.table.types.get(name, ""), is_postgresql=self._is_postgresql)


def _extended_of(text: Any) -> dict[str, Any]:
    value = load(text)
    return value if isinstance(value, dict) else {}
