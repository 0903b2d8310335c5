"""JSON text on PostgreSQL: numbers compared exactly, arrays and objects by content (PS-QRY-008)."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pipestat_spec.domain.filters import order_key
from pipestat_spec.json_values import JSONValue
from pipestat_sql.queries.dialects import Condition, Expression

__all__ = ["JSONText", "number_condition", "same_content", "short_number"]

Compare: TypeAlias = Callable[[Expression], Condition]

# Decimals from the first on are infinite as doubles, those up to the second are zero.
_INFINITE = Decimal(2**1024 - 2**970)
_ZERO = Decimal((0, tuple(map(int, str(5**1075))), -1075))
# JSONB compares numbers as decimals. That is exact but for text that another program wrote:
# a decimal of more than 15 digits, and one with an exponent, may stand for a double whose
# own decimal is another.
_MOST_DIGITS = 200
_DOUBTFUL = "[0-9][eE]|[0-9.]{17}"


def number_condition(text: Expression, integer: Compare, double: Compare) -> Condition:
    """Compare a number in JSON text: an integer as NUMERIC, any other form as a double.

    False for a number that is too long for either: no program reads it.
    """
    return sa.case(
        (_is_integer(text), integer(sa.cast(text, sa.Numeric))),
        (_is_short(text), double(sa.cast(text, sa.Double))),
        (_is_decimal(text), double(_as_double(text))),
        else_=sa.false(),
    )


def short_number(text: Expression, double: Compare, otherwise: Condition) -> Condition:
    """Compare a number in JSON text as a double if it has a plain form, which takes no pattern.

    That is exact where all doubles that it is compared with are below 2^53.
    """
    digits = sa.func.rtrim(text, "-.0123456789", type_=sa.Text)
    is_plain = sa.and_(digits == "", sa.func.length(text) < _MOST_DIGITS)
    return sa.case((is_plain, double(sa.cast(text, sa.Double))), else_=otherwise)


def _is_integer(text: Expression) -> Condition:
    """Tell whether the number is written as an integer."""
    return sa.and_(_fits(text, "^-?[0-9]+$"), sa.func.length(text) < 100_000)


def _as_double(text: Expression) -> Expression:
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


def _is_decimal(text: Expression) -> Condition:
    """Tell whether NUMERIC holds the number."""
    return sa.and_(sa.func.length(text) < 5000, sa.not_(_fits(text, "[eE][+-]?[0-9]{5}")))


def _fits(text: Expression, pattern: str) -> Condition:
    return text.op("~", is_comparison=True, return_type=sa.Boolean())(sa.literal(pattern, sa.Text))


class JSONText(sa.types.UserDefinedType[str]):
    """`json` as the driver is not to take it apart."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"


class _JSONB(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSONB"


def same_content(found: Expression, values: Sequence[JSONValue]) -> Condition:
    """Tell whether a document equals one of the values, which all can stand in a store."""
    text = sa.cast(found, sa.Text)
    pattern = sa.literal(_DOUBTFUL, sa.Text)
    doubtful = text.op("~", is_comparison=True, return_type=sa.Boolean())(pattern)
    return sa.case(
        (doubtful, _any(_Flat(found), map(_flat_text, values))),
        else_=_any(sa.cast(found, _JSONB()), map(_text, values)),
    )


def _any(content: Expression, texts: Iterator[str]) -> Condition:
    listed = sa.bindparam(None, sorted(set(texts)), type_=sa.ARRAY(sa.Text()), unique=True)
    return content == sa.any_(sa.cast(listed, sa.ARRAY(_JSONB())))


def _text(value: JSONValue) -> str:
    text: str = order_key(value)[1]
    return text


def _flat_text(value: JSONValue) -> str:
    nodes = sorted(_nodes(value, ()), key=lambda node: node[0])
    return json.dumps(nodes, ensure_ascii=False)


def _nodes(value: JSONValue, path: tuple[str, ...]) -> Iterator[tuple[Any, str, JSONValue]]:
    """Yield path, type and scalar of everything in a value, as `_Flat` does."""
    if isinstance(value, dict):
        yield path, "object", None
        for key, item in value.items():
            yield from _nodes(item, (*path, key))
    elif isinstance(value, list | tuple):
        yield path, "array", None
        for number, item in enumerate(value, 1):
            yield from _nodes(item, (*path, str(number)))
    elif isinstance(value, bool):
        yield path, "boolean", str(value).lower()
    elif isinstance(value, str):
        yield path, "string", value
    elif value is None:
        yield path, "null", None
    else:
        yield path, "number", _number(value)


def _number(value: float) -> JSONValue:
    """Return an integer, or the bytes of a double that is none, in hexadecimal."""
    if isinstance(value, int):
        return value
    return int(value) if value.is_integer() else struct.pack(">d", value).hex()


class _Flat(FunctionElement[str]):
    """All that is in a document, in order, numbers by value."""

    name = "flat"
    type = _JSONB()
    inherit_cache = True

    def __init__(self, document: Expression) -> None:
        text = sa.literal_column("node.scalar", sa.Text)
        double = sa.case((_is_decimal(text), _as_double(text)))
        super().__init__(document, _is_integer(text), double)


@compiles(_Flat)
def _flat_sql(element: _Flat, compiler: Any, **options: Any) -> str:
    parts = (compiler.process(part, **options) for part in element.clauses)
    document, is_integer_text, double = parts
    return f"""(
        WITH RECURSIVE tree (path, document) AS (
            SELECT ARRAY[]::text[], {document}
            UNION ALL
            SELECT tree.path || child.key, child.value FROM tree CROSS JOIN LATERAL (
                SELECT key, value FROM json_each(
                    CASE json_typeof(tree.document) WHEN 'object' THEN tree.document END)
                UNION ALL
                SELECT ordinality::text, value FROM json_array_elements(
                    CASE json_typeof(tree.document) WHEN 'array' THEN tree.document END
                ) WITH ORDINALITY
            ) AS child
        ), node AS (
            SELECT path, json_typeof(document) AS kind, document #>> '{{}}' AS scalar FROM tree
        ), counted AS (
            SELECT node.*,
                CASE kind WHEN 'number' THEN {is_integer_text} END AS is_integer,
                CASE kind WHEN 'number' THEN {double} END AS double
            FROM node
        ), scaled AS (
            SELECT counted.*, CASE WHEN abs(double) < 'Infinity' AND abs(double) >= 2^60
                THEN floor(ln(abs(double)) / ln(2::float8))::int - 57 END AS shift
            FROM counted
        )
        SELECT jsonb_agg(jsonb_build_array(path, kind, CASE
            WHEN kind IN ('object', 'array') THEN NULL
            WHEN kind <> 'number' THEN to_jsonb(scalar)
            WHEN is_integer THEN to_jsonb(scalar::numeric)
            WHEN double <> trunc(double) THEN to_jsonb(encode(float8send(double), 'hex'))
            WHEN abs(double) < 2^60 THEN to_jsonb(double::bigint::numeric)
            -- In two exact factors, the first a BIGINT.
            WHEN abs(double) < 'Infinity' THEN to_jsonb(
                (double / 2::float8 ^ shift)::bigint * 2::numeric ^ shift::numeric)
        END) ORDER BY path COLLATE "C") FROM scaled)"""
