"""JSON text in SQLite, read by its own functions wherever these are exact.

They are not for every text: what is escaped they may read otherwise, NaN they refuse, and of a
number with a point they promise 15 digits. Such a value is compared by a function of ours, which
takes ten times as long.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from pipestat_spec.json_values import JSONValue
from pipestat_sql.queries.dialects import COMPARE, Condition, Expression, Order, Path
from pipestat_sql.queries.given import Given
from pipestat_sql.queries.literals import is_number

__all__ = ["at_path", "compares_natively", "equals_natively", "listed"]

# Keys that no program escapes and that every version of SQLite finds, in quotes.
_PLAIN = re.compile(r"[ !#-.0-\[\]-~]+")
# Integers up to here equal a double each.
_EXACT = 2**53
# How far a number that SQLite reads may be from the one that is written: much less than this.
_RELATIVE, _ABSOLUTE = 1e-12, 1e-290
_MOST = 1e300

# What to say of a value, by the name of its type, which is NULL where nothing is there.
Native = Callable[[Expression, Expression], Expression]


def at_path(document: Expression, path: Path, native: Native, exact: Expression) -> Expression:
    """Return what `native` says of what stands at a path; `exact` where SQLite may be wrong."""
    if not all(map(_PLAIN.fullmatch, path)):
        return exact
    place = sa.literal("$" + "".join(f'."{name}"' for name in path), sa.Text)
    kind = sa.func.json_type(document, place, type_=sa.Text)
    value: Expression = sa.func.json_extract(document, place)
    is_odd = sa.or_(sa.func.json_valid(document) == 0, sa.func.instr(document, "\\u") > 0)
    return sa.case((is_odd, exact), else_=native(kind, value))


def compares_natively(
    kind: Expression, value: Expression, operator: Order, literal: Given[Any], exact: Condition
) -> Condition:
    """Compare with a string or a number; whatever has another type is mostly out at once.

    Cases, since SQLite works out both sides of `and` and `or`.
    """
    if not is_number(literal.value):
        compared = COMPARE[operator](value, literal.bound(sa.Text))
        return sa.case((compared, kind == "text"), else_=sa.false())
    if abs(literal.value) > _MOST:
        return exact
    low, high = _around(literal)
    if operator in ("lt", "le"):
        may_be, is_surely = value <= high, value < low
    else:
        may_be, is_surely = value >= low, value > high
    numbers = sa.case((is_surely, sa.true()), else_=exact)
    integers: Condition = numbers
    if abs(literal.value) <= _EXACT:
        integers = COMPARE[operator](value, literal.bound(sa.Numeric))
    of_type = sa.case({"integer": integers, "real": numbers}, value=kind, else_=sa.false())
    return sa.case((may_be, of_type), else_=sa.false())


def equals_natively(
    kind: Expression, value: Expression, values: Given[Sequence[JSONValue]], exact: Condition
) -> Condition:
    """Compare with values that all can stand in a store, none of them null."""
    texts = values.of(_texts)
    if len(texts.value) == len(values.value) == 1:
        text = texts.of(itemgetter(0)).bound(sa.Text)
        return sa.case((value == text, kind == "text"), else_=sa.false())
    numbers = values.of(_numbers)
    cases: dict[str, Any] = {
        "text": _is_one_of(value, texts, sa.Text),
        "true": any(one is True for one in values.value),
        "false": any(one is False for one in values.value),
        "array": exact if any(isinstance(one, list | tuple) for one in values.value) else False,
        "object": exact if any(isinstance(one, dict) for one in values.value) else False,
        "integer": exact,
        "real": exact if numbers.value else False,
    }
    if all(abs(number) <= _EXACT for number in numbers.value):
        cases["integer"] = _is_one_of(value, numbers.of(_whole), sa.BigInteger)
    if len(numbers.value) == 1 and abs(numbers.value[0]) <= _MOST:
        low, high = _around(numbers.of(itemgetter(0)))
        cases["real"] = sa.case((value < low, False), (value > high, False), else_=exact)
    return sa.case(
        {name: case for name, case in cases.items() if case is not False},
        value=kind,
        else_=sa.false(),
    )


def _texts(values: Sequence[JSONValue]) -> list[str]:
    return sorted({one for one in values if isinstance(one, str)})


def _numbers(values: Sequence[JSONValue]) -> list[Any]:
    return [one for one in values if is_number(one)]


def _whole(numbers: Sequence[float]) -> list[int]:
    return sorted({int(number) for number in numbers if number == math.trunc(number)})


def _around(literal: Given[float]) -> tuple[Expression, Expression]:
    """Return bounds outside of which SQLite compares numbers as they compare."""
    return literal.of(_below).bound(sa.Double), literal.of(_above).bound(sa.Double)


def _margin(literal: float) -> float:
    return abs(float(literal)) * _RELATIVE + _ABSOLUTE


def _below(literal: float) -> float:
    return float(literal) - _margin(literal)


def _above(literal: float) -> float:
    return float(literal) + _margin(literal)


def _is_one_of(value: Expression, wanted: Given[Sequence[Any]], type_: Any) -> Condition | bool:
    if len(wanted.value) > 1:
        return value.in_(sa.select(listed(wanted).c.value))
    return value == wanted.of(itemgetter(0)).bound(type_) if wanted.value else False


def listed(values: Given[Sequence[Any]]) -> Any:
    """Return many values as one parameter: SQLite takes some 32,000 of them."""
    text = values.of(partial(json.dumps, ensure_ascii=False)).bound(sa.Text)
    return sa.func.json_each(text).table_valued("value")
