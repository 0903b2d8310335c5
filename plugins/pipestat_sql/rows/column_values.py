"""What a column of a table can hold, and the forms in which it does (SPEC.md section 9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipestat_spec.errors import InvalidValueError
from pipestat_spec.models.record import JSONValue
from pipestat_spec.text.strings import shorten
from pipestat_sql.rows.json_text import load, survives_rewriting
from pipestat_sql.tables.shape import Kind, ResultColumn
from pipestat_sql.tables.tables import StoredTable

__all__ = ["ColumnValues", "NeedsWidening", "is_too_wide", "reader_of", "stored_time"]

_INT32 = 2**31


class NeedsWidening(Exception):
    """A value needs a wider column than pipestat made; `names` are the columns."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


class ColumnValues:
    """Decides which values the columns of one table give back as they were."""

    def __init__(self, table: StoredTable, *, is_postgresql: bool) -> None:
        self._table = table
        self._is_postgresql = is_postgresql

    def fits(self, column: ResultColumn, value: JSONValue) -> bool:
        """Tell whether the column gives back the very value; raises NeedsWidening."""
        match column.kind:
            case Kind.INTEGER:
                if type(value) is not int:
                    return False
                stored_as = self._table.types[column.name]
                if is_too_wide(value, stored_as, is_postgresql=self._is_postgresql):
                    raise NeedsWidening(column.name)
                return True
            case Kind.NUMBER:
                # SQLite drops the sign of negative zero.
                negative_zero = value == 0 and str(value)[0] == "-"
                return type(value) is float and (self._is_postgresql or not negative_zero)
            case Kind.STRING:
                return type(value) is str
            case Kind.BOOLEAN:
                return type(value) is bool
            case Kind.JSON:
                if not column.binary_json:
                    return True
                if not self._is_postgresql:
                    return type(value) is not float
                if not survives_rewriting(value):
                    raise NeedsWidening(column.name)
                return True

    def check_rewriting(self, name: str, value: JSONValue) -> None:
        """Raise NeedsWidening when the column would store another text of the value."""
        rewrites = self._is_postgresql and self._table.types.get(name) == "jsonb"
        if rewrites and not survives_rewriting(value):
            raise NeedsWidening(name)

    def check_refused(self, column: ResultColumn, value: JSONValue, *, kept: bool) -> None:
        """Refuse a value of another type than the schema declares (PS-SQL-007)."""
        if kept or column.identifier not in self._table.declared:
            return
        if column.kind is Kind.NUMBER and type(value) is float:
            return
        if column.kind is Kind.JSON or (column.kind is Kind.STRING and isinstance(value, dict)):
            return
        raise InvalidValueError(
            f"result {column.identifier!r}: its column is of type {column.kind}, which does not "
            f"hold {shorten(repr(value), 60)} exactly",
            hint=f"report a value of type {column.kind}",
            result=column.identifier,
        )


def is_too_wide(value: Any, type_name: str, *, is_postgresql: bool) -> bool:
    """Tell whether a value is an integer beyond a column of pipestat's."""
    narrow = is_postgresql and type_name in ("integer", "smallint")
    return narrow and not -_INT32 <= value < _INT32


def stored_time(time: datetime, type_name: str, *, is_postgresql: bool) -> Any:
    """Return a time as a column holds it: UTC without saying so (PS-SQL-002)."""
    utc = time.astimezone(UTC)
    if not is_postgresql:
        return utc.isoformat(" ", "microseconds")[:26]
    return utc if "with time zone" in type_name else utc.replace(tzinfo=None)


def reader_of(kind: Kind, is_postgresql: bool) -> Callable[[Any], Any] | None:
    """Return what makes a value of what a column holds; None when it is the value."""
    match kind:
        case Kind.JSON:
            return load
        case Kind.NUMBER:
            return None if is_postgresql else float
        case Kind.BOOLEAN:
            return None if is_postgresql else bool
        case _:
            return None
