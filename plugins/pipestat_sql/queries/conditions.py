"""Filters as conditions of SQL, with the answers of `pipestat_spec.domain.filters`.

A condition may be NULL, which counts as false, where it stands positively; `not` takes
both for false (PS-QRY-007, PS-SQL-016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import SPECIAL_FIELDS, check_pattern, fields
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.query import (
    And,
    Comparison,
    FieldPath,
    Filter,
    In,
    IsNull,
    Like,
    Not,
    Or,
)
from pipestat_sql.queries.condition_parts import Part, joined, leaf, negated
from pipestat_sql.queries.dialects import COMPARE, Condition, Dialect, Expression
from pipestat_sql.queries.fields import (
    EXTENDED,
    Document,
    Field,
    Fields,
    Layered,
    Missing,
    Moment,
    Typed,
)
from pipestat_sql.queries.literals import (
    bigint_bound,
    double_bound,
    is_number,
    is_storable,
    moment_bound,
    text_bound,
)
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable

__all__ = ["condition", "is_of_system"]

_BOUNDS: dict[Kind, Callable[[Any, Any], tuple[Any, Any] | bool]] = {
    Kind.INTEGER: bigint_bound,
    Kind.NUMBER: double_bound,
}


def condition(filter: Filter, table: RecordTable, dialect: Dialect) -> Condition:
    """Return the rows that fulfil the filter.

    Rows without `pipestat_extended_data` have a branch of their own that indexes serve.
    Raises FilterSyntaxError for a `like` pattern that ends in its escape character.
    """
    plain = _element(_compile(filter, Fields(table, dialect, extended=False)))
    extended = table.table.c.get(EXTENDED)
    if extended is None or is_of_system(filter):
        return plain
    layered = _element(_compile(filter, Fields(table, dialect, extended=True)))
    # True of every row; SQLite needs a range to take an index on the rows that have some.
    some = table.table.c.record_identifier >= ""
    return sa.or_(
        sa.and_(extended.is_(sa.null()), plain),
        sa.and_(extended.is_not(sa.null()), some, layered),
    )


def is_of_system(filter: Filter) -> bool:
    """Tell whether a filter asks for no result, so that one column answers for each field."""
    return all(path[0] in SPECIAL_FIELDS for path in fields(filter))


def _with_lists(operands: Sequence[Filter]) -> list[Filter]:
    """Return `x = 1 or x = 2 or ...` as `x in (1, 2, ...)`, which is one leaf."""
    values: dict[FieldPath, list[JSONValue]] = {}
    others: list[Filter] = []
    for operand in operands:
        match operand:
            case Comparison(path, "eq", value):
                values.setdefault(path, []).append(value)
            case _:
                others.append(operand)
    return [*(In(path, tuple(listed)) for path, listed in values.items()), *others]


def _element(found: Part | Condition | bool) -> Condition:
    if isinstance(found, bool):
        return sa.true() if found else sa.false()
    return found.condition if isinstance(found, Part) else found


def _compile(filter: Filter, place: Fields) -> Part | bool:
    match filter:
        case And(operands):
            return _joined(operands, place, every=True)
        case Or(operands):
            return _joined(_with_lists(operands), place, every=False)
        case Not(Not(operand)):
            return _compile(operand, place)
        case Not(operand):
            inner = _compile(operand, place)
            return not inner if isinstance(inner, bool) else negated(inner)
        case Like(path, pattern):
            check_pattern(pattern)
        case _:
            path = filter.field
    found = _leaf(filter, place(path), place.dialect)
    return found if isinstance(found, bool) else leaf(found)


def _joined(operands: Sequence[Filter], place: Fields, *, every: bool) -> Part | bool:
    """Join by `and` or `or`; what is known already decides, or is left out."""
    unknown: list[Part] = []
    known = every
    for operand in operands:
        found = _compile(operand, place)
        if isinstance(found, Part):
            unknown.append(found)
        elif found is not every:
            known = found
    if known is not every or not unknown:
        return known
    return joined(unknown, every=every)


def _leaf(filter: Filter, field: Field, dialect: Dialect) -> Condition | bool:
    match field:
        case Missing():
            return isinstance(filter, IsNull)
        case Typed():
            return _on_column(filter, field, dialect)
        case Moment(column):
            return _on_times(filter, column, dialect)
        case Document():
            return _on_document(filter, field, dialect)
        case Layered(present, extended, column):
            inside = _leaf(filter, extended, dialect)
            outside = _leaf(filter, column, dialect)
            if isinstance(inside, bool) and inside is outside:
                return inside
            return sa.case((present, _element(inside)), else_=_element(outside))


def _on_column(filter: Filter, field: Typed, dialect: Dialect) -> Condition | bool:
    match filter:
        case IsNull():
            return field.column.is_(sa.null())
        case Comparison(_, "eq", value):
            return _is_one_of((value,), field, dialect)
        case In(_, values):
            return _is_one_of(values, field, dialect)
        case Comparison(_, operator, value):
            return _is_ordered(operator, value, field)
        case Like(_, pattern) if field.kind is Kind.STRING and is_storable(pattern):
            return dialect.like(field.column, pattern)
        case _:
            return False


def _is_one_of(values: Sequence[JSONValue], field: Typed, dialect: Dialect) -> Condition | bool:
    """Compare with those of the values that are of the column's type."""
    wanted: set[JSONValue] = set()
    for value in values:
        if field.kind is Kind.STRING:
            if isinstance(value, str) and is_storable(value):
                wanted.add(value)
        elif field.kind is Kind.BOOLEAN:
            if isinstance(value, bool):
                wanted.add(value)
        elif is_number(value):
            bound = _BOUNDS[field.kind]("eq", value)
            if not isinstance(bound, bool):
                wanted.add(bound[1])
    if not wanted:
        return False
    if len(wanted) == 1:
        return field.column == _literal(wanted.pop(), field.kind)
    return dialect.member(field.column, sorted(wanted), field.kind)


def _is_ordered(operator: Any, value: JSONValue, field: Typed) -> Condition | bool:
    if field.kind is Kind.STRING:
        bound: Any = text_bound(operator, value) if isinstance(value, str) else False
    elif field.kind is Kind.BOOLEAN or not is_number(value):
        bound = False
    else:
        bound = _BOUNDS[field.kind](operator, value)
    if isinstance(bound, bool):
        return field.column.is_not(sa.null()) if bound else False
    return COMPARE[bound[0]](field.column, _literal(bound[1], field.kind))


def _on_times(filter: Filter, column: Expression, dialect: Dialect) -> Condition | bool:
    """Compare times themselves: their texts order as they do (PS-REC-003)."""
    moment = dialect.moment(column)
    match filter:
        case IsNull():
            return moment.is_(sa.null())
        case Comparison(_, "eq", value):
            bound = moment_bound("eq", value) if isinstance(value, str) else False
            return bound if isinstance(bound, bool) else moment == dialect.moment_literal(bound[1])
        case In(_, values):
            return _is_one_of(values, Typed(dialect.time_text(column), Kind.STRING), dialect)
        case Comparison(_, operator, value) if isinstance(value, str):
            bound = moment_bound(operator, value)
            if isinstance(bound, bool):
                return moment.is_not(sa.null()) if bound else False
            return COMPARE[bound[0]](moment, dialect.moment_literal(bound[1]))
        case Like(_, pattern) if is_storable(pattern):
            return dialect.like(dialect.time_text(column), pattern)
        case _:
            return False


def _literal(value: JSONValue, kind: Kind) -> sa.ColumnElement[Any]:
    types: dict[Kind, type[sa.types.TypeEngine[Any]]] = {
        Kind.INTEGER: sa.BigInteger,
        Kind.NUMBER: sa.Double,
        Kind.STRING: sa.Text,
        Kind.BOOLEAN: sa.Boolean,
    }
    return sa.literal(value, types[kind])


def _on_document(filter: Filter, field: Document, dialect: Dialect) -> Condition | bool:
    document, path = field.document, field.path
    match filter:
        case IsNull():
            return dialect.is_null(document, path)
        case Comparison(_, "eq", value):
            return dialect.equals(document, path, [] if value is None else [value])
        case In(_, values):
            return dialect.equals(document, path, [value for value in values if value is not None])
        case Comparison(_, operator, value) if is_number(value) or isinstance(value, str):
            return dialect.compares(document, path, operator, value)  # type: ignore[arg-type]
        case Like(_, pattern) if is_storable(pattern):
            return dialect.like_at(document, path, pattern)
        case _:
            return False
