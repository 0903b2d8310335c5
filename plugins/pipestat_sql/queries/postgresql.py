"""Conditions in the SQL of PostgreSQL."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import ARRAY, OBJECT, order_key
from pipestat_spec.json_values import JSONValue
from pipestat_sql.queries.dialects import COMPARE, Condition, Dialect, Expression, Order, Path
from pipestat_sql.queries.given import Given
from pipestat_sql.queries.literals import (
    IntegerBound,
    NumberBound,
    double_bound,
    integer_bound,
    is_number,
    is_storable,
    is_storable_all,
    text_bound,
)
from pipestat_sql.queries.postgresql_json import (
    JSONText,
    number_condition,
    same_content,
    short_number,
)
from pipestat_sql.tables.column_types import Kind

if TYPE_CHECKING:
    from pipestat_sql.database.connections import Session

__all__ = ["PostgreSQL"]

_MARK = "pipestat_settings"
# Integers below equal a double each.
_EXACT = 2**53
_TYPES: dict[Kind, type[sa.types.TypeEngine[Any]]] = {
    Kind.INTEGER: sa.BigInteger,
    Kind.NUMBER: sa.Double,
    Kind.STRING: sa.Text,
    Kind.BOOLEAN: sa.Boolean,
}


class PostgreSQL(Dialect):
    """Text gets the collation C, JSON is `json`, whose numbers stand as they were written."""

    collation = '"C"'

    def prepare(self, session: Session) -> None:
        # Compiling the conditions takes the server far longer than any table of results.
        if _MARK not in session.info:
            session.execute("SET jit = off")
            session.info[_MARK] = True

    def text(self, column: Expression) -> Expression:
        return sa.collate(column, "C") if getattr(column.type, "collation", "") != "C" else column

    def member(self, column: Expression, values: Given[Sequence[Any]], kind: Kind) -> Condition:
        return _in(column, values, _TYPES[kind]())

    def like(self, text: Expression, pattern: Given[str]) -> Condition:
        return sa.collate(text, "C").like(pattern.bound(sa.Text), escape="\\")

    def unindexed(self, condition: Condition) -> Condition:
        return condition

    def time_text(self, column: Expression) -> Expression:
        form = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
        text = sa.func.to_char(self.moment(column), sa.literal(form, sa.Text), type_=sa.Text)
        return sa.collate(text, "C")

    def is_odd_time(self, column: Expression) -> Condition:  # noqa: ARG002
        return sa.false()

    def moment(self, column: Expression) -> Expression:
        if getattr(column.type, "timezone", False):
            return sa.func.timezone("UTC", column, type_=sa.DateTime)
        return column

    def moment_literal(self, moment: datetime) -> Expression:
        return sa.literal(moment.replace(tzinfo=None), sa.DateTime)

    def document(self, column: Expression) -> Expression:
        # A JSONB column is another program's; its text is what it reads as.
        return sa.cast(sa.type_coerce(column, sa.Text), JSONText())

    def has(self, document: Expression, name: str) -> Condition:
        return _at(document, (name,)).is_not(None)

    def member_text(self, document: Expression, name: str) -> Expression:
        return self.document_text(_at(document, (name,)))

    def document_text(self, document: Expression) -> Expression:
        return sa.cast(document, sa.Text)

    def text_at(self, document: Expression, name: str) -> Expression:
        return document.op("->>", return_type=sa.Text())(sa.literal(name, sa.Text))

    def is_null(self, document: Expression, path: Path) -> Condition:
        return sa.func.coalesce(_typeof(_at(document, path)), "null", type_=sa.Text) == "null"

    def equals(
        self, document: Expression, path: Path, values: Given[Sequence[JSONValue]]
    ) -> Condition | bool:
        found = _at(document, path)
        cases = {
            "boolean": _booleans(_scalar(document, path), values),
            "number": _numbers(_number_text(document, path), values),
            "string": _strings(_text(document, path), values),
            "array": _documents(found, values, ARRAY),
            "object": _documents(found, values, OBJECT),
        }
        present = {name: case for name, case in cases.items() if case is not None}
        return sa.case(present, value=_typeof(found), else_=sa.false()) if present else False

    def compares(
        self, document: Expression, path: Path, operator: Order, value: Given[Any]
    ) -> Condition | bool:
        found = _at(document, path)
        if is_number(value.value):
            text = _number_text(document, path)
            integer = value.of(partial(integer_bound, operator))
            double = value.of(partial(double_bound, operator))
            doubles = partial(_compared, bound=double, type_=sa.Double())
            integers = partial(_compared, bound=integer, type_=sa.Numeric())
            compared = number_condition(text, integers, doubles)
            if abs(value.value) < _EXACT:
                compared = short_number(text, doubles, compared)
            return sa.case((_typeof(found) == "number", compared), else_=sa.false())
        bound = value.of(partial(text_bound, operator))
        literal = bound.of(itemgetter(1)).bound(sa.Text)
        compared = COMPARE[bound.value[0]](_text(document, path), literal)
        return sa.case((_typeof(found) == "string", compared), else_=sa.false())

    def like_at(self, document: Expression, path: Path, pattern: Given[str]) -> Condition:
        found = _at(document, path)
        matches = self.like(_scalar(document, path), pattern)
        return sa.case((_typeof(found) == "string", matches), else_=sa.false())

    def exact_double(self, column: Expression) -> Sequence[Expression]:
        return (sa.func.float8send(column, type_=sa.LargeBinary),)

    def read_double(self, parts: Sequence[Any]) -> float | None:
        if parts[0] is None:
            return None
        value: float = struct.unpack(">d", parts[0])[0]
        return value


def _at(document: Expression, path: Path) -> Expression:
    # Step by step: "#>" would take a segment of digits for a place in an array.
    for segment in path:
        key = sa.literal(segment, sa.Text)
        document = document.op("->", return_type=JSONText())(key)
    return document


def _typeof(document: Expression) -> Expression:
    return sa.func.json_typeof(document, type_=sa.Text)


def _scalar(document: Expression, path: Path) -> Expression:
    """Return what stands at a path as text."""
    if path:
        return _at(document, path[:-1]).op("->>", return_type=sa.Text())(
            sa.literal(path[-1], sa.Text)
        )
    return document.op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))


def _text(document: Expression, path: Path) -> Expression:
    return sa.collate(_scalar(document, path), "C")


def _number_text(document: Expression, path: Path) -> Expression:
    text = _scalar(document, path)
    if not path:
        # A document that is a number alone keeps the space before it.
        text = sa.func.btrim(text, " \t\r\n", type_=sa.Text)
    return sa.collate(text, "C")


def _compared(
    number: Expression, bound: Given[IntegerBound] | Given[NumberBound], type_: Any
) -> Condition:
    if isinstance(bound.value, bool):
        return sa.true() if bound.value else sa.false()
    return COMPARE[bound.value[0]](number, bound.of(_number_of).bound(type_))


def _number_of(bound: Any) -> Decimal | float:
    value: float = bound[1]
    return Decimal(value) if isinstance(value, int) else value


def _in(expression: Expression, values: Given[Sequence[Any]], type_: Any) -> Condition:
    """Compare with one parameter however many values: the protocol admits 65,535."""
    if not values.value:
        return sa.false()
    if len(values.value) == 1:
        return expression == values.of(itemgetter(0)).bound(type_)
    return expression == sa.any_(values.bound(sa.ARRAY(type_)))


def _booleans(text: Expression, values: Given[Sequence[JSONValue]]) -> Condition | None:
    texts = values.of(_boolean_texts)
    return _in(text, texts, sa.Text()) if texts.value else None


def _boolean_texts(values: Sequence[JSONValue]) -> list[str]:
    return sorted({str(value).lower() for value in values if isinstance(value, bool)})


def _strings(text: Expression, values: Given[Sequence[JSONValue]]) -> Condition | None:
    texts = values.of(_storable_texts)
    return _in(text, texts, sa.Text()) if texts.value else None


def _storable_texts(values: Sequence[JSONValue]) -> list[str]:
    return sorted({value for value in values if isinstance(value, str) and is_storable(value)})


def _numbers(text: Expression, values: Given[Sequence[JSONValue]]) -> Condition | None:
    integers, doubles = values.of(_integers), values.of(_doubles)
    if not integers.value and not doubles.value:
        return None

    def is_double(number: Expression) -> Condition:
        return _in(number, doubles, sa.Double())

    condition = number_condition(
        text, lambda number: _in(number, integers, sa.Numeric()), is_double
    )
    if all(abs(number) < _EXACT for number in filter(is_number, values.value)):
        return short_number(text, is_double, condition)
    return condition


def _integers(values: Sequence[Any]) -> list[Decimal]:
    """Return the integers that equal numbers among the values."""
    bounds = [integer_bound("eq", value) for value in values if is_number(value)]
    return sorted({Decimal(bound[1]) for bound in bounds if not isinstance(bound, bool)})


def _doubles(values: Sequence[Any]) -> list[float]:
    """Return the doubles that equal numbers among the values."""
    bounds = [double_bound("eq", value) for value in values if is_number(value)]
    return sorted({bound[1] for bound in bounds if not isinstance(bound, bool)})


def _documents(
    found: Expression, values: Given[Sequence[JSONValue]], rank: int
) -> Condition | None:
    # These belong to the shape of a search.
    known = [
        value for value in values.value if order_key(value)[0] == rank and is_storable_all(value)
    ]
    return same_content(found, known) if known else None
