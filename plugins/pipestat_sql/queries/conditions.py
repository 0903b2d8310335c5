"""Filters as conditions of SQL, with the answers of `pipestat_spec.domain.filters`.

A condition may be NULL, which counts as false, where it stands positively; `not` takes
both for false (PS-QRY-007, PS-SQL-016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from pipestat_spec.domain.filters import SPECIAL_FIELDS
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.query import Filter, Operator
from pipestat_sql.queries.condition_parts import Part, joined, leaf, negated
from pipestat_sql.queries.dialects import COMPARE, Condition, Dialect, Expression, Order
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
from pipestat_sql.queries.given import Given
from pipestat_sql.queries.literals import (
    bigint_bound,
    double_bound,
    is_number,
    is_storable,
    moment_bound,
    text_bound,
)
from pipestat_sql.queries.shapes import Joined, Leaf, Negated, Node, Shape
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable

__all__ = ["Conditions", "condition", "conditions", "is_of_system"]

_BOUNDS: dict[Kind, Callable[[Any, Any], tuple[Any, Any] | bool]] = {
    Kind.INTEGER: bigint_bound,
    Kind.NUMBER: double_bound,
}
_TYPES: dict[Kind, type[sa.types.TypeEngine[Any]]] = {
    Kind.INTEGER: sa.BigInteger,
    Kind.NUMBER: sa.Double,
    Kind.STRING: sa.Text,
    Kind.BOOLEAN: sa.Boolean,
}


class Conditions(NamedTuple):
    """A filter on the rows of a table.

    `plain` looks at the columns alone. `layered`, which is None where nothing can stand there,
    is for the rows that are `extended`, and looks into `pipestat_extended_data` first.
    """

    plain: Condition
    layered: Condition | None = None
    extended: Sequence[Condition] = ()


def conditions(shape: Shape, table: RecordTable, dialect: Dialect) -> Conditions:
    """Return the rows that fulfil the filter, by whether they have extended data."""
    plain = _element(_compile(shape.root, Fields(table, dialect, extended=False)))
    extended = table.table.c.get(EXTENDED)
    if extended is None or is_of_system(shape.root):
        return Conditions(plain)
    layered = _element(_compile(shape.root, Fields(table, dialect, extended=True)))
    # True of every row; SQLite needs a range to take an index on the rows that have some.
    some = table.table.c.record_identifier >= ""
    return Conditions(plain, layered, (extended.is_not(sa.null()), some))


def condition(filter: Filter | Shape, table: RecordTable, dialect: Dialect) -> Condition:
    """Return the rows that fulfil the filter.

    Rows without `pipestat_extended_data` have a branch of their own that indexes serve.
    Raises FilterSyntaxError for a `like` pattern that ends in its escape character.
    """
    shape = filter if isinstance(filter, Shape) else Shape(filter)
    plain, layered, extended = conditions(shape, table, dialect)
    if layered is None:
        return plain
    return sa.or_(
        sa.and_(table.table.c[EXTENDED].is_(sa.null()), plain), sa.and_(*extended, layered)
    )


def is_of_system(node: Node) -> bool:
    """Tell whether a filter asks for no result, so that one column answers for each field."""
    match node:
        case Joined(operands):
            return all(map(is_of_system, operands))
        case Negated(operand):
            return is_of_system(operand)
        case Leaf(path):
            return path[0] in SPECIAL_FIELDS


def _element(found: Part | Condition | bool) -> Condition:
    if isinstance(found, bool):
        return sa.true() if found else sa.false()
    return found.condition if isinstance(found, Part) else found


def _compile(node: Node, place: Fields) -> Part | bool:
    match node:
        case Joined(operands, every):
            return _joined(operands, place, every=every)
        case Negated(operand):
            inner = _compile(operand, place)
            return not inner if isinstance(inner, bool) else negated(inner)
        case Leaf(path):
            found = _leaf(node, place(path), place.dialect)
            return found if isinstance(found, bool) else leaf(found)


def _joined(operands: Sequence[Node], place: Fields, *, every: bool) -> Part | bool:
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


def _leaf(asked: Leaf, field: Field, dialect: Dialect) -> Condition | bool:
    match field:
        case Missing():
            return asked.operator == "null"
        case Typed():
            return _on_column(asked, field, dialect)
        case Moment(column):
            return _on_times(asked, column, dialect)
        case Document():
            return _on_document(asked, field, dialect)
        case Layered(present, extended, column):
            inside = _leaf(asked, extended, dialect)
            outside = _leaf(asked, column, dialect)
            if isinstance(inside, bool) and inside is outside:
                return inside
            return sa.case((present, _element(inside)), else_=_element(outside))


def _on_column(asked: Leaf, field: Typed, dialect: Dialect) -> Condition | bool:
    match asked:
        case Leaf(_, "null"):
            return field.column.is_(sa.null())
        case Leaf(_, "in", values):
            return _is_one_of(values, field, dialect)
        case Leaf(_, "like", pattern):
            if field.kind is Kind.STRING and is_storable(pattern.value):
                return dialect.like(field.column, pattern)
            return False
        case Leaf(_, operator, value):
            return _is_ordered(operator, value, field)


def _is_one_of(
    values: Given[Sequence[JSONValue]], field: Typed, dialect: Dialect
) -> Condition | bool:
    """Compare with those of the values that are of the column's type."""
    wanted = values.of(partial(_of_kind, field.kind))
    if not wanted.value:
        return False
    if len(wanted.value) == 1:
        return field.column == wanted.of(itemgetter(0)).bound(_TYPES[field.kind])
    return dialect.member(field.column, wanted, field.kind)


def _of_kind(kind: Kind, values: Sequence[JSONValue]) -> list[Any]:
    wanted: set[Any] = set()
    for value in values:
        if kind is Kind.STRING:
            if isinstance(value, str) and is_storable(value):
                wanted.add(value)
        elif kind is Kind.BOOLEAN:
            if isinstance(value, bool):
                wanted.add(value)
        elif is_number(value):
            bound = _BOUNDS[kind]("eq", value)
            if not isinstance(bound, bool):
                wanted.add(bound[1])
    return sorted(wanted)


def _is_ordered(operator: Any, value: Given[Any], field: Typed) -> Condition | bool:
    bound = value.of(partial(_bound, field.kind, operator))
    if isinstance(bound.value, bool):
        return field.column.is_not(sa.null()) if bound.value else False
    literal = bound.of(itemgetter(1)).bound(_TYPES[field.kind])
    return COMPARE[bound.value[0]](field.column, literal)


def _bound(kind: Kind, operator: Any, value: JSONValue) -> Any:
    if kind is Kind.STRING:
        return text_bound(operator, value) if isinstance(value, str) else False
    if kind is Kind.BOOLEAN or not is_number(value):
        return False
    return _BOUNDS[kind](operator, value)


def _on_times(asked: Leaf, column: Expression, dialect: Dialect) -> Condition | bool:
    """Compare times themselves: their texts order as they do (PS-REC-003).

    The values belong to the shape of a search: what is compared follows from each in its own way.
    """
    moment = dialect.moment(column)
    match asked:
        case Leaf(_, "null"):
            return moment.is_(sa.null())
        case Leaf(_, "in", values) if len(values.value) == 1:
            (value,) = values.value
            bound = moment_bound("eq", value) if isinstance(value, str) else False
            return bound if isinstance(bound, bool) else moment == dialect.moment_literal(bound[1])
        case Leaf(_, "in", values):
            return _is_one_of(values, Typed(dialect.time_text(column), Kind.STRING), dialect)
        case Leaf(_, "like", pattern):
            if is_storable(pattern.value):
                return dialect.like(dialect.time_text(column), pattern)
            return False
        case Leaf(_, operator, value) if isinstance(value.value, str):
            bound = moment_bound(cast("Operator", operator), value.value)
            if isinstance(bound, bool):
                return moment.is_not(sa.null()) if bound else False
            return COMPARE[bound[0]](moment, dialect.moment_literal(bound[1]))
        case _:
            return False


def _on_document(asked: Leaf, field: Document, dialect: Dialect) -> Condition | bool:
    document, path = field.document, field.path
    match asked:
        case Leaf(_, "null"):
            return dialect.is_null(document, path)
        case Leaf(_, "in", values):
            return dialect.equals(document, path, values.of(_without_null))
        case Leaf(_, "like", pattern):
            return is_storable(pattern.value) and dialect.like_at(document, path, pattern)
        case Leaf(_, operator, value):
            if not is_number(value.value) and not isinstance(value.value, str):
                return False
            return dialect.compares(document, path, cast("Order", operator), value)


def _without_null(values: Sequence[JSONValue]) -> list[JSONValue]:
    return [value for value in values if value is not None]
