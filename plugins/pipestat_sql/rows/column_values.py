"""What a column of a table can hold, and the forms in which it does (spec/sql.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipestat_spec.errors import InvalidValueError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.strings import shorten
from pipestat_sql.rows.json_text import load, survives_rewriting
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.result_columns import ResultColumn

__all__ = [
    "NeedsWidening",
    "check_declared",
    "fits",
    "is_too_wide",
    "plain_class",
    "reader_of",
    "stored_time",
]

_INT32 = 2**31


class NeedsWidening(Exception):
    """A value needs a wider column than pipestat made."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def fits(column: ResultColumn, value: JSONValue, *, is_postgresql: bool) -> bool:
    """Tell whether the column gives back the very value; raises NeedsWidening."""
    match column.kind:
        case Kind.INTEGER:
            if type(value) is not int:
                return False
            if column.is_narrow and is_too_wide(column, value):
                raise NeedsWidening(column.name)
            return True
        case Kind.NUMBER:
            # SQLite drops the sign of negative zero.
            negative_zero = value == 0 and str(value)[0] == "-"
            return type(value) is float and (is_postgresql or not negative_zero)
        case Kind.STRING:
            return type(value) is str
        case Kind.BOOLEAN:
            return type(value) is bool
        case Kind.JSON:
            if not column.rewrites:
                return True
            if not is_postgresql:
                return type(value) is not float
            if not survives_rewriting(value):
                raise NeedsWidening(column.name)
            return True


def plain_class(column: ResultColumn) -> type | None:
    """Return the class of those values that the column holds as they are, None for none."""
    classes: dict[Kind, type] = {Kind.STRING: str, Kind.BOOLEAN: bool}
    if not column.is_narrow:
        classes[Kind.INTEGER] = int
    return classes.get(column.kind)


def is_too_wide(column: ResultColumn, value: Any) -> bool:
    """Tell whether a value is an integer beyond a column of pipestat's."""
    return column.is_narrow and not -_INT32 <= value < _INT32


def check_declared(column: ResultColumn, value: JSONValue) -> None:
    """Refuse a value of another type than the schema declares (PS-SQL-007)."""
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


def stored_time(time: datetime, type_name: str, *, is_postgresql: bool) -> Any:
    """Return a time as a column holds it: UTC without saying so (PS-SQL-002)."""
    utc = time.astimezone(UTC)
    if not is_postgresql:
        return utc.isoformat(" ", "microseconds")[:26]
    return utc if "with time zone" in type_name else utc.replace(tzinfo=None)


def reader_of(kind: Kind, *, is_postgresql: bool) -> Callable[[Any], Any] | None:
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
