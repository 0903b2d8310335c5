"""Distinct values, grouped by the database (PS-QRY-014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import SPECIAL_FIELDS, OrderKey, order_key
from pipestat_spec.domain.query import distinct
from pipestat_spec.models.record import JSONValue
from pipestat_sql.queries.bounds import is_storable
from pipestat_sql.queries.databases import dialect_of
from pipestat_sql.queries.dialects import Dialect, Expression
from pipestat_sql.queries.fields import EXTENDED, TIMES, extended_data, record_identifier
from pipestat_sql.queries.streams import (
    ToRecord,
    has_local_times,
    own_rows,
    rows_of,
    stream_records,
)
from pipestat_sql.rows.json_text import load
from pipestat_sql.tables.shape import Kind, TableShape

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["distinct_values"]

_MISSING = object()


@dataclass(frozen=True)
class _Grouped:
    """Expressions that are equal when a value is the same, and how to read it from them.

    Values that are equal but not the same, such as 1 and 1.0, may stay apart.
    """

    expressions: Sequence[Expression]
    read: Callable[[Sequence[Any]], JSONValue]


def distinct_values(
    connection: Connection, shape: TableShape, columns: Sequence[str], to_record: ToRecord
) -> list[tuple[JSONValue, ...]]:
    """Return the distinct rows of values, as `pipestat_spec.domain.query.distinct` does.

    The database groups; here groups are merged whose values are equal (1 and 1.0), with
    the value of the first record.
    """
    times = [name for name in columns if name in TIMES]
    if times and has_local_times(connection, shape, times):
        return distinct(stream_records(connection, shape, to_record), columns)
    database = dialect_of(connection.dialect.name)
    database.prepare(connection)
    grouped = [_grouped(name, shape, database) for name in columns]
    found: dict[tuple[OrderKey, ...], tuple[str, tuple[JSONValue, ...]]] = {}
    for first, *parts in rows_of(connection, _statement(shape, database, grouped)):
        values = _read(grouped, parts)
        if all(value is _MISSING for value in values):
            continue
        row = tuple(None if value is _MISSING else value for value in values)
        key = tuple(map(order_key, row))
        if key not in found or first < found[key][0]:
            found[key] = first, row
    return [found[key][1] for key in sorted(found)]


def _statement(shape: TableShape, database: Dialect, grouped: Sequence[_Grouped]) -> sa.Select[Any]:
    # Grouped outside: an expression with parameters is not known again in GROUP BY.
    expressions = [
        expression.label(f"v{number}")
        for number, expression in enumerate(
            expression for column in grouped for expression in column.expressions
        )
    ]
    identifier = record_identifier(shape, database).label("identifier")
    values = own_rows(sa.select(identifier, *expressions), shape).subquery("rows")
    keys = [values.c[expression.name] for expression in expressions]
    first = sa.func.min(values.c.identifier, type_=sa.Text)
    return sa.select(first, *keys).group_by(*keys)


def _read(grouped: Sequence[_Grouped], parts: Sequence[Any]) -> list[JSONValue]:
    values, start = [], 0
    for column in grouped:
        end = start + len(column.expressions)
        values.append(column.read(parts[start:end]))
        start = end
    return values


def _grouped(name: str, shape: TableShape, database: Dialect) -> _Grouped:
    if name in SPECIAL_FIELDS:
        return _special(name, shape, database)
    column = _column(name, shape, database)
    if EXTENDED not in shape.table.c or not is_storable(name):
        return column
    text = database.member_text(extended_data(shape, database), name)

    def read(parts: Sequence[Any]) -> JSONValue:
        return column.read(parts[1:]) if parts[0] is None else load(parts[0])

    return _Grouped([text, *column.expressions], read)


def _special(name: str, shape: TableShape, database: Dialect) -> _Grouped:
    column = shape.table.c.get(name)
    if column is None:
        return _Grouped([], _nothing)
    text = database.time_text(column) if name in TIMES else database.text(column)
    return _Grouped([text], _plain)


def _column(name: str, shape: TableShape, database: Dialect) -> _Grouped:
    result = shape.results.get(name)
    if result is None:
        return _Grouped([], _nothing)
    column = shape.table.c[result.name]
    if result.kind is Kind.JSON:
        text = database.document_text(database.document(column))
        return _Grouped([text], _from_json)
    if result.kind is Kind.NUMBER:
        return _Grouped(database.exact_double(column), lambda parts: _double(database, parts))
    if result.kind is Kind.STRING:
        return _Grouped([database.text(column)], _plain)
    type_ = sa.Boolean if result.kind is Kind.BOOLEAN else sa.BigInteger
    return _Grouped([sa.type_coerce(column, type_)], _plain)


def _nothing(_: Sequence[Any]) -> JSONValue:
    return _MISSING


def _plain(parts: Sequence[Any]) -> JSONValue:
    return _MISSING if parts[0] is None else parts[0]


def _from_json(parts: Sequence[Any]) -> JSONValue:
    text = parts[0]
    return _MISSING if text is None else load(text)


def _double(database: Dialect, parts: Sequence[Any]) -> JSONValue:
    value = database.read_double(parts)
    return _MISSING if value is None else value
