"""Numbers in JSON text on PostgreSQL, compared exactly and without a cast that fails."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import sqlalchemy as sa

from pipestat_sql.queries.dialects import Condition, Expression

__all__ = ["as_double", "is_decimal", "is_integer", "number_condition"]

Compare: TypeAlias = Callable[[Expression], Condition]

# Decimals from the first on are infinite as doubles, those up to the second are zero.
_INFINITE = Decimal(2**1024 - 2**970)
_ZERO = Decimal((0, tuple(map(int, str(5**1075))), -1075))


def number_condition(text: Expression, integer: Compare, double: Compare) -> Condition:
    """Compare a number in JSON text: an integer as NUMERIC, any other form as a double.

    False for a number that is too long for either: no program reads it.
    """
    return sa.case(
        (is_integer(text), integer(sa.cast(text, sa.Numeric))),
        (_is_short(text), double(sa.cast(text, sa.Double))),
        (is_decimal(text), double(as_double(text))),
        else_=sa.false(),
    )


def is_integer(text: Expression) -> Condition:
    """Tell whether the number is written as an integer."""
    return sa.and_(_fits(text, "^-?[0-9]+$"), sa.func.length(text) < 100_000)


def as_double(text: Expression) -> Expression:
    """Return the double of a decimal; the cast alone fails on what is too large or small."""
    number = sa.cast(text, sa.Numeric)
    size = sa.func.abs(number, type_=sa.Numeric)
    return sa.case(
        (size >= sa.literal(_INFINITE, sa.Numeric), sa.func.sign(number) * _infinity()),
        (size <= sa.literal(_ZERO, sa.Numeric), sa.literal(0.0, sa.Double)),
        else_=sa.cast(text, sa.Double),
    )


def _infinity() -> Expression:
    return sa.literal(float("inf"), sa.Double)


def _is_short(text: Expression) -> Condition:
    # At most 200 digits and an exponent of two: far from the ends of the range.
    return sa.and_(sa.func.length(text) < 200, sa.not_(_fits(text, "[eE][+-]?[0-9]{3}")))


def is_decimal(text: Expression) -> Condition:
    """Tell whether NUMERIC holds the number."""
    return sa.and_(sa.func.length(text) < 5000, sa.not_(_fits(text, "[eE][+-]?[0-9]{5}")))


def _fits(text: Expression, pattern: str) -> Condition:
    return text.op("~", is_comparison=True, return_type=sa.Boolean())(sa.literal(pattern, sa.Text))
