"""Distinct values, grouped by the database (PS-QRY-014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import SPECIAL_FIELDS, OrderKey, order_key
from pipestat_spec.domain.query import distinct
from pipestat_spec.json_values import JSONValue
from pipestat_sql.queries.dialects import Dialect, Expression
from pipestat_sql.queries.fields import EXTENDED, TIMES, extended_data
from pipestat_sql.queries.literals import is_storable
from pipestat_sql.queries.table_reader import TableReader
from pipestat_sql.rows.json_text import load
from pipestat_sql.tables.column_types import Kind

__all__ = ["distinct_values"]

_MISSING = object()


@dataclass(frozen=True)
class _Grouped:
    """Expressions that are equal when a value is the same, and how to read it from them.

    Values that are equal but not the same, such as 1 and 1.0, may stay apart.
    """

    expressions: Sequence[Expression]
    read: Callable[[Sequence[Any]], JSONValue]


def distinct_values(reader: TableReader, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
    """Return the distinct rows of values, as `pipestat_spec.domain.query.distinct` does.

    The database groups; here groups are merged whose values are equal (1 and 1.0), with
    the value of the first record.
    """
    reader.check_columns()
    times = [name for name in columns if name in TIMES]
    if times and reader.has_local_times(times):
        return distinct(reader.records(), columns)
    grouped = [_grouped(name, reader) for name in columns]
    found: dict[tuple[OrderKey, ...], tuple[str, tuple[JSONValue, ...]]] = {}
    for first, *parts in reader.stream(_statement(reader, grouped)):
        values = _read(grouped, parts)
        if all(value is _MISSING for value in values):
            continue
        row = tuple(None if value is _MISSING else value for value in values)
        key = tuple(map(order_key, row))
        if key not in found or first < found[key][0]:
            found[key] = first, row
    return [found[key][1] for key in sorted(found)]


def _statement(reader: TableReader, grouped: Sequence[_Grouped]) -> sa.Select[Any]:
    # Grouped outside: an expression with parameters is not known again in GROUP BY.
    expressions = [
        expression.label(f"v{number}")
        for number, expression in enumerate(
            expression for column in grouped for expression in column.expressions
        )
    ]
    identifier = reader.identifier.label("identifier")
    values = reader.own_rows(sa.select(identifier, *expressions)).subquery("rows")
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


def _grouped(name: str, reader: TableReader) -> _Grouped:
    columns, dialect = reader.table.table.c, reader.dialect
    if name in SPECIAL_FIELDS:
        special = columns.get(name)
        if special is None:
            return _Grouped([], _nothing)
        text = dialect.time_text(special) if name in TIMES else dialect.text(special)
        return _Grouped([text], _plain)
    column = _column(name, reader)
    if EXTENDED not in columns or not is_storable(name):
        return column
    text = dialect.member_text(extended_data(reader.table, dialect), name)

    def read(parts: Sequence[Any]) -> JSONValue:
        return column.read(parts[1:]) if parts[0] is None else load(parts[0])

    return _Grouped([text, *column.expressions], read)


def _column(name: str, reader: TableReader) -> _Grouped:
    result, dialect = reader.table.results.get(name), reader.dialect
    if result is None:
        return _Grouped([], _nothing)
    column = reader.table.table.c[result.name]
    if result.kind is Kind.JSON:
        text = dialect.document_text(dialect.document(column))
        return _Grouped([text], _from_json)
    if result.kind is Kind.NUMBER:
        return _Grouped(dialect.exact_double(column), lambda parts: _double(dialect, parts))
    if result.kind is Kind.STRING:
        return _Grouped([dialect.text(column)], _plain)
    type_ = sa.Boolean if result.kind is Kind.BOOLEAN else sa.BigInteger
    return _Grouped([sa.type_coerce(column, type_)], _plain)


def _nothing(_: Sequence[Any]) -> JSONValue:
    return _MISSING


def _plain(parts: Sequence[Any]) -> JSONValue:
    return _MISSING if parts[0] is None else parts[0]


def _from_json(parts: Sequence[Any]) -> JSONValue:
    text = parts[0]
    return _MISSING if text is None else load(text)


def _double(dialect: Dialect, parts: Sequence[Any]) -> JSONValue:
    value = dialect.read_double(parts)
    return _MISSING if value is None else value
