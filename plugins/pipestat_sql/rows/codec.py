"""Between a record and its row (spec/sql.md and core.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pipestat_spec.domain.times import format_utc, read_time
from pipestat_spec.errors import LayoutError
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.record import Level, Record, RecordKey
from pipestat_spec.text.strings import shorten
from pipestat_sql.rows.column_values import (
    NeedsWidening,
    check_declared,
    fits,
    plain_class,
    reader_of,
    stored_time,
)
from pipestat_sql.rows.json_text import dump, load, load_object, survives_rewriting
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

__all__ = ["Codec", "Row"]

_EXTENDED = "pipestat_extended_data"
_SYSTEM = ("id", "meta", "project_name", "record_identifier", "status", _EXTENDED)
_TIMES = {"created": "pipestat_created_time", "modified": "pipestat_modified_time"}

# Makes a key in half of the time that it takes by its own class.
_new_key: Callable[[tuple[Level, str]], RecordKey] = partial(tuple.__new__, RecordKey)


class Row(NamedTuple):
    """A row as it stands, `values` of all columns in their order, and what is in it."""

    id: Any
    record: Record
    extended: Mapping[str, JSONValue] = {}
    meta: Mapping[str, Any] = {}
    values: Sequence[Any] = ()


class Codec:
    """Reads and writes the rows of one table."""

    def __init__(self, table: RecordTable, *, is_postgresql: bool) -> None:
        self._table = table
        self._is_postgresql = is_postgresql
        self._is_levels = table.layout == "levels"
        self._read_time = _as_written if self._is_levels else _as_utc
        self._renamed = {
            identifier: column.name
            for identifier, column in table.results.items()
            if column.name != identifier
        }
        # The columns of results whose values of a class are stored as they are.
        self._plain = {
            (identifier, plain): column.name
            for identifier, column in table.results.items()
            if (plain := plain_class(column)) is not None
        }
        self._is_cut = str(table.table.name) != table.full_name
        self._rewrites = is_postgresql and table.types.get(_EXTENDED) == "jsonb"
        # Where in a row of all columns what stands; a column that the table lacks is at the
        # end, where there is a None.
        self.names = table.names
        places = {name: number for number, name in enumerate(self.names)}
        self._id, self._meta, self._project, self._identifier, self._status, self._extended = (
            places.get(name, -1) for name in _SYSTEM
        )
        self._times = {name: places.get(column, -1) for name, column in _TIMES.items()}
        self._created_at, self._modified_at = self._times["created"], self._times["modified"]
        self._columns: list[tuple[int, str, Callable[[Any], Any] | None]] = [
            (places[column.name], identifier, reader_of(column.kind, is_postgresql=is_postgresql))
            for identifier, column in table.results.items()
        ]
        self.record = self._recorder()

    # Reading

    def decode(self, columns: Sequence[Any]) -> Row:
        """Return what a row of all columns, in their order, holds."""
        values = (*columns, None)
        meta = load_object(values[self._meta])
        extended = self._extended_of(values)
        return Row(values[self._id], self._record(values, extended, meta), extended, meta, values)

    def _slow_record(self, columns: Sequence[Any]) -> Record:
        values = (*columns[: len(self.names)], None)
        return self._record(values, self._extended_of(values), load_object(values[self._meta]))

    def _recorder(self) -> Callable[[Sequence[Any]], Record]:
        """Return what finds in a row the record that `decode` does; it may have more at its end.

        A function of its own, without the looks into an object that a method costs.
        """
        slow = self._slow_record
        whole = {*_SYSTEM, *_TIMES.values()} - {"project_name"}
        if self._is_levels or not whole <= set(self.names):
            return slow
        level, columns = self._table.level, self._columns
        identifier, status, extended = self._identifier, self._status, self._extended
        meta, created, modified = self._meta, self._created_at, self._modified_at

        def record(row: Sequence[Any]) -> Record:
            text, begun, changed = row[meta], row[created], row[modified]
            # Mostly there are the times in it, and they stand in their columns.
            says_nothing = type(text) is str and '"s' not in text and "\\" not in text
            if not says_nothing or begun is None or changed is None:
                return slow(row)
            results: dict[str, JSONValue] = {}
            for place, name, read in columns:
                value = row[place]
                if value is not None:
                    results[name] = value if read is None else read(value)
            if row[extended] is not None:
                results.update(_extended_of(row[extended]))
            time = _as_utc(changed, None)
            first = time if begun == changed else _as_utc(begun, None)
            key = _new_key((level, row[identifier]))
            return Record(key, results, row[status], None, None, first, time)

        return record

    def _extended_of(self, values: Sequence[Any]) -> Mapping[str, JSONValue]:
        text = values[self._extended]
        return {} if text is None else _extended_of(text)

    def _record(
        self, values: Sequence[Any], extended: Mapping[str, JSONValue], meta: Mapping[str, Any]
    ) -> Record:
        results: dict[str, JSONValue] = {}
        for place, identifier, read in self._columns:
            value = values[place]
            if value is not None:
                results[identifier] = value if read is None else read(value)
        if extended:
            results.update(extended)
        created, modified = values[self._created_at], values[self._modified_at]
        modified_time = self._read_time(modified, meta.get("modified"))
        created_time = modified_time
        if meta or created != modified:
            created_time = self._read_time(created, meta.get("created"))
        source, message = meta.get("source"), meta.get("status_message")
        status = values[self._status]
        return Record(
            RecordKey(self._table.level, values[self._identifier]),
            results,
            status,
            message if isinstance(message, str) else None,
            source if isinstance(source, dict) else None,
            created_time,
            modified_time,
            _status_time(meta, status, modified_time) if meta else None,
        )

    def to_record(self, row: Mapping[str, Any] | RowMapping) -> Record:
        """Return the record in a row by column name; results that it lacks are left out."""
        if tuple(row) == self.names:
            return self.record(tuple(row.values()))
        get = row.get
        return self.record([get(name) for name in self.names])

    def check_project(self, row: Row) -> None:
        """Refuse to change what another project has in a table of all projects (PS-SQL-018)."""
        own, named = self._table.configured_project, row.meta.get("project")
        if self._is_levels or own is None or named in (None, own):
            return
        raise LayoutError(
            f"record {row.record.key.identifier!r} of table {str(self._table.table.name)!r} is "
            f"one of project {shorten(str(named))!r}, and the 'records' layout holds it once",
            hint="copy the records into a new database with 'pipestat-spec convert' and "
            "--layout levels",
            layout="records",
        )

    def is_foreign(self, row: Row) -> bool:
        """Tell whether pipestat may have written the row since we did."""
        return self._is_levels and (not row.meta or self._has_foreign_times(row))

    def _has_foreign_times(self, row: Row) -> bool:
        for name, place in self._times.items():
            value, text = row.values[place], row.meta.get(name)
            if value is None:
                if read_time(text) is not None:
                    return True
            elif self._is_levels and _is_local(value, text):
                return True
        return False

    # Writing

    def encode(self, record: Record, old: Row | None) -> dict[str, Any]:
        """Return the columns to write, by name: all of a new row, or those that change.

        Raises InvalidValueError for a value that its column cannot hold (PS-SQL-007), and
        NeedsWidening.
        """
        values: dict[str, Any] = {}
        extended = self._encode_results(record, old, values)
        stood = old.extended if old else {}
        if (extended or stood) and not same_value(extended, stood):
            values[_EXTENDED] = dump(extended) if extended else None
            if self._rewrites and not survives_rewriting(extended):
                raise NeedsWidening(_EXTENDED)
        if record.status != (old.record.status if old else None):
            values["status"] = record.status
        self._encode_meta(record, old, values)
        if old is None:
            values["record_identifier"] = record.key.identifier
        # A row of pipestat's may name no project.
        if self._is_levels and (old is None or self._is_unnamed(old)):
            values["project_name"] = self._table.project_name
        return values

    def _is_unnamed(self, row: Row) -> bool:
        return "project_name" in self.names and row.values[self._project] is None

    def _encode_results(
        self, record: Record, old: Row | None, values: dict[str, Any]
    ) -> dict[str, JSONValue]:
        """Put changed results into `values`; return what goes into the extended data."""
        stood: Mapping[str, JSONValue] = {}
        in_extended: Mapping[str, JSONValue] = {}
        used: set[str] = set()
        if old is not None:
            stood, in_extended, row = old.record.results, old.extended, old.values
            used = {self.names[place] for place, *_ in self._columns if row[place] is not None}
        extended: dict[str, JSONValue] = {}
        plain = self._plain if old is None else {}
        for identifier, value in record.results.items():
            if (identifier, type(value)) in plain:
                values[plain[identifier, type(value)]] = value
                continue
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

    def _encode_meta(self, record: Record, old: Row | None, values: dict[str, Any]) -> None:
        """Put the times and `meta` into `values` where they change."""
        if old is None and self._is_simple(record):
            values["meta"] = self._new_times(record, values)
            return
        stood = old.meta if old else {}
        before = old.record if old else Record(record.key)
        foreign = old is not None and self._has_foreign_times(old)
        changed: dict[str, Any] = {}
        for name, new, former in (
            ("created", record.created, before.created),
            ("modified", record.modified, before.modified),
        ):
            if new != former or (foreign and new is not None):
                column = _TIMES[name]
                type_name = self._table.types.get(column, "")
                values[column] = new and stored_time(
                    new, type_name, is_postgresql=self._is_postgresql
                )
                changed[name] = new and format_utc(new)
        if not same_value(record.source, before.source):
            changed["source"] = None if record.source is None else dict(record.source)
        if record.status_message != before.status_message:
            changed["status_message"] = record.status_message
        since: tuple[str, str] | tuple[None, None] = (None, None)
        if record.status is not None and record.status_time is not None:
            since = record.status, format_utc(record.status_time)
        if since != (stood.get("status"), stood.get("status_time")):
            changed["status"], changed["status_time"] = since
        if self._renamed or "columns" in stood:
            columns = {self._renamed[n]: n for n in record.results if n in self._renamed}
            changed["columns"] = columns or None
        if not self._is_levels and self._table.configured_project and "project" not in stood:
            changed["project"] = self._table.configured_project
        if self._is_cut:
            changed["table"] = self._table.full_name
        meta = {**stood, **changed}
        meta = {name: value for name, value in meta.items() if value is not None}
        if old is None or (changed and not same_value(meta, stood)):
            values["meta"] = dump(meta)

    def _is_simple(self, record: Record) -> bool:
        """Tell whether a new record has nothing in `meta` but its one time."""
        more = (record.source, record.status_message, record.status_time)
        return (
            record.created is not None
            and record.created is record.modified
            and all(value is None for value in more)
            and not (self._renamed or self._is_cut or self._table.configured_project)
        )

    def _new_times(self, record: Record, values: dict[str, Any]) -> str:
        """Put the time of a new record into `values`; return its `meta`."""
        time = record.created
        assert time is not None
        stored: dict[str, Any] = {}
        for column in _TIMES.values():
            type_name = self._table.types.get(column, "")
            if type_name not in stored:
                stored[type_name] = stored_time(time, type_name, is_postgresql=self._is_postgresql)
            values[column] = stored[type_name]
        text = format_utc(time)
        return f'{{"created":"{text}","modified":"{text}"}}'


def _extended_of(text: Any) -> dict[str, Any]:
    value = load(text)
    return value if isinstance(value, dict) else {}


def _status_time(
    meta: Mapping[str, Any], status: str | None, modified: datetime | None
) -> datetime | None:
    """Return since when a record has its status (PS-SQL-017).

    It counts for the status that it names, and pipestat, which keeps none, moves the modified
    time with every status.
    """
    if "status_time" not in meta or status is None or meta.get("status") != status:
        return None
    return read_time(meta["status_time"]) if read_time(meta.get("modified")) == modified else None


# Times of PS-SQL-004: `value` is that of a column, `text` what a program of ours wrote.


def _as_utc(value: Any, text: object) -> datetime | None:
    """Return a time, which is UTC where the column names no zone."""
    if value is None:
        return read_time(text)
    if isinstance(value, str):
        try:
            # To give a time a zone takes longer than to read it with one.
            return datetime.fromisoformat(value + "+00:00")
        except ValueError:
            pass
    time = _as_time(value)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _as_written(value: Any, text: object) -> datetime | None:
    """Return a time, which is local where pipestat wrote it."""
    return _as_time(value).astimezone(UTC) if _is_local(value, text) else _as_utc(value, text)


def _is_local(value: Any, text: object) -> bool:
    if value is None or _as_utc(value, text) == read_time(text):
        return False
    return _as_time(value).tzinfo is None


def _as_time(value: Any) -> datetime:
    time: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time
