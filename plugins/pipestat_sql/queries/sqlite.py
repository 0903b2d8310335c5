"""Conditions in the SQL of SQLite."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import NUMBER, STRING
from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_sql.queries.dialects import COMPARE, Condition, Dialect, Expression, Order, Path
from pipestat_sql.queries.given import Given
from pipestat_sql.queries.literals import (
    PatternForm,
    is_number,
    is_storable_all,
    pattern_form,
    text_bound,
)
from pipestat_sql.queries.sqlite_functions import register, text_key
from pipestat_sql.queries.sqlite_json import at_path, compares_natively, equals_natively, listed
from pipestat_sql.tables.column_types import Kind

if TYPE_CHECKING:
    from pipestat_sql.database.connections import Session

__all__ = ["SQLite"]


class SQLite(Dialect):
    """Text is ordered by its bytes unless a column says otherwise; JSON is text."""

    collation = '"BINARY"'

    def prepare(self, session: Session) -> None:
        register(session)

    def text(self, column: Expression) -> Expression:
        return sa.collate(sa.type_coerce(column, sa.Text), "BINARY")

    def member(self, column: Expression, values: Given[Sequence[Any]], kind: Kind) -> Condition:
        # One parameter however many values: SQLite admits 32,766 of them.
        if kind is Kind.NUMBER:
            values = values.of(_as_texts)
        value: Expression = listed(values).c.value
        if kind is Kind.NUMBER:
            value = sa.func.pipestat_double(value)
        return column.in_(sa.select(value))

    def like(self, text: Expression, pattern: Given[str]) -> Condition:
        form = pattern.of(pattern_form)
        wanted = form.of(attrgetter("text")).bound(sa.Text)
        match form.value.kind:
            case "text":
                return text == wanted
            case "prefix":
                # An index serves a range.
                following = form.of(attrgetter("following")).bound(sa.Text)
                return sa.and_(text >= wanted, text < following)
            case "suffix":
                start = form.of(_from_end).bound(sa.Integer)
                return sa.func.substr(text, start, type_=sa.Text) == wanted
            case "part":
                return sa.func.instr(text, wanted, type_=sa.Integer) > 0
            case "pattern":
                return sa.func.pipestat_like(text, wanted, type_=sa.Boolean)

    def unindexed(self, condition: Condition) -> Condition:
        # Its planner takes an index for a condition though most rows fulfil it, and none for a
        # case, of which it works out no more than it needs.
        return sa.case((condition, sa.true()), else_=sa.false())

    def time_text(self, column: Expression) -> Expression:
        text = sa.func.replace(sa.type_coerce(column, sa.Text), " ", "T", type_=sa.Text)
        return text.concat("Z")

    def is_odd_time(self, column: Expression) -> Condition:
        # With an offset, for example, or fewer than six digits: only ours order as times do.
        form = sa.literal("????-??-?? ??:??:??.??????", sa.Text)
        return sa.not_(column.op("GLOB", is_comparison=True, return_type=sa.Boolean())(form))

    def moment(self, column: Expression) -> Expression:
        return sa.type_coerce(column, sa.Text)

    def moment_literal(self, moment: datetime) -> Expression:
        return sa.literal(format_utc(moment).replace("T", " ")[:26], sa.Text)

    def document(self, column: Expression) -> Expression:
        return sa.type_coerce(column, sa.Text)

    def has(self, document: Expression, name: str) -> Condition:
        exact = sa.func.pipestat_has(document, sa.literal(name, sa.Text), type_=sa.Boolean)
        return at_path(document, (name,), lambda kind, _: kind.is_not(sa.null()), exact)

    def member_text(self, document: Expression, name: str) -> Expression:
        return sa.func.pipestat_at(document, sa.literal(name, sa.Text), type_=sa.Text)

    def document_text(self, document: Expression) -> Expression:
        return document

    def text_at(self, document: Expression, name: str) -> Expression:
        exact = sa.func.substr(_key(document, (name,), STRING), 2, type_=sa.Text)
        return at_path(document, (name,), lambda _, value: value, exact)

    def is_null(self, document: Expression, path: Path) -> Condition:
        null = text_key(None)
        exact = sa.func.coalesce(_key(document, path, None), null, type_=sa.Text) == null

        def native(kind: Expression, _: Expression) -> Condition:
            return sa.func.coalesce(kind, "null", type_=sa.Text) == "null"

        return at_path(document, path, native, exact)

    def equals(
        self, document: Expression, path: Path, values: Given[Sequence[JSONValue]]
    ) -> Condition | bool:
        values = values.of(_storable)
        keys = values.of(_keys)
        key = sa.func.coalesce(_key(document, path, None), "", type_=sa.Text)
        if not keys.value:
            return False
        exact = (
            key == keys.of(itemgetter(0)).bound(sa.Text)
            if len(keys.value) == 1
            else key.in_(sa.select(listed(keys).c.value))
        )
        return at_path(document, path, partial(equals_natively, values=values, exact=exact), exact)

    def compares(
        self, document: Expression, path: Path, operator: Order, value: Given[Any]
    ) -> Condition | bool:
        if _is_nan(value.value):
            return False
        rank = NUMBER if is_number(value.value) else STRING
        if rank == STRING:
            bound = value.of(partial(text_bound, operator))
            operator, value = bound.value[0], bound.of(itemgetter(1))  # type: ignore[assignment]
        literal = value.of(text_key).bound(sa.Text)
        compared = COMPARE[operator](_key(document, path, rank), literal)
        exact = sa.func.coalesce(compared, sa.false(), type_=sa.Boolean)
        native = partial(compares_natively, operator=operator, literal=value, exact=exact)
        return at_path(document, path, native, exact)

    def like_at(self, document: Expression, path: Path, pattern: Given[str]) -> Condition:
        text = sa.func.substr(_key(document, path, STRING), 2, type_=sa.Text)
        exact = sa.func.coalesce(self.like(text, pattern), sa.false(), type_=sa.Boolean)

        def native(kind: Expression, value: Expression) -> Condition:
            return sa.case((kind == "text", self.like(value, pattern)), else_=sa.false())

        return at_path(document, path, native, exact)

    def exact_double(self, column: Expression) -> Sequence[Expression]:
        text = sa.cast(column, sa.Text)
        return column, sa.func.substr(text, 1, 1, type_=sa.Text) == "-"

    def read_double(self, parts: Sequence[Any]) -> float | None:
        value, negative = parts
        return None if value is None else math.copysign(value, -1.0 if negative else 1.0)


def _key(document: Expression, path: Path, rank: int | None) -> Expression:
    text = sa.literal(json.dumps(path, ensure_ascii=False), sa.Text)
    return sa.func.pipestat_key(document, text, sa.literal(rank, sa.Integer), type_=sa.Text)


def _storable(values: Sequence[JSONValue]) -> list[JSONValue]:
    return [value for value in values if is_storable_all(value)]


def _keys(values: Sequence[JSONValue]) -> list[str]:
    return sorted(set(map(text_key, values)))


def _as_texts(numbers: Sequence[float]) -> list[str]:
    return [repr(float(number)) for number in numbers]


def _from_end(form: PatternForm) -> int:
    return -len(form.text)


def _is_nan(value: JSONValue) -> bool:
    return isinstance(value, float) and math.isnan(value)
