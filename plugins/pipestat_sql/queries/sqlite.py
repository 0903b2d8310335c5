"""Conditions in the SQL of SQLite."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import NUMBER, STRING
from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_sql.queries.dialects import COMPARE, Condition, Dialect, Expression, Order, Path
from pipestat_sql.queries.literals import is_number, is_storable_all, text_bound
from pipestat_sql.queries.sqlite_functions import register, text_key
from pipestat_sql.tables.column_types import Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["SQLite"]


class SQLite(Dialect):
    """Text is ordered by its bytes unless a column says otherwise; JSON is text."""

    def prepare(self, connection: Connection) -> None:
        register(connection)

    def text(self, column: Expression) -> Expression:
        return sa.collate(sa.type_coerce(column, sa.Text), "BINARY")

    def member(self, column: Expression, values: Sequence[Any], kind: Kind) -> Condition:
        # One parameter however many values: SQLite admits 32,766 of them.
        if kind is Kind.NUMBER:
            values = [repr(float(value)) for value in values]
        listed = _listed(values)
        value: Expression = listed.c.value
        if kind is Kind.NUMBER:
            value = sa.func.pipestat_double(value)
        return column.in_(sa.select(value))

    def like(self, text: Expression, pattern: str) -> Condition:
        return sa.func.pipestat_like(text, sa.literal(pattern, sa.Text), type_=sa.Boolean)

    def time_text(self, column: Expression) -> Expression:
        # Six digits and a "T", whatever the program wrote that made the row.
        text = sa.func.replace(sa.type_coerce(column, sa.Text), " ", "T", type_=sa.Text)
        point = sa.case((sa.func.instr(text, ".") > 0, ""), else_=".")
        padded = text.concat(point).concat("000000")
        return sa.func.substr(padded, 1, 26, type_=sa.Text).concat("Z")

    def is_odd_time(self, column: Expression) -> Condition:
        # With an offset, for example, or fewer than six digits.
        return sa.func.length(column).not_in((len("2026-01-31 12:00:00"), 26))

    def moment(self, column: Expression) -> Expression:
        return self.time_text(column)

    def moment_literal(self, moment: datetime) -> Expression:
        return sa.literal(format_utc(moment), sa.Text)

    def document(self, column: Expression) -> Expression:
        return sa.type_coerce(column, sa.Text)

    def has(self, document: Expression, name: str) -> Condition:
        return sa.func.pipestat_has(document, sa.literal(name, sa.Text), type_=sa.Boolean)

    def member_text(self, document: Expression, name: str) -> Expression:
        return sa.func.pipestat_at(document, sa.literal(name, sa.Text), type_=sa.Text)

    def document_text(self, document: Expression) -> Expression:
        return document

    def string_at(self, document: Expression, name: str) -> Expression:
        return sa.func.substr(_key(document, (name,), STRING), 2, type_=sa.Text)

    def is_null(self, document: Expression, path: Path) -> Condition:
        null = text_key(None)
        return sa.func.coalesce(_key(document, path, None), null, type_=sa.Text) == null

    def equals(
        self, document: Expression, path: Path, values: Sequence[JSONValue]
    ) -> Condition | bool:
        keys = sorted({text_key(value) for value in values if is_storable_all(value)})
        key = sa.func.coalesce(_key(document, path, None), "", type_=sa.Text)
        if not keys:
            return False
        if len(keys) == 1:
            return key == sa.literal(keys[0], sa.Text)
        return key.in_(sa.select(_listed(keys).c.value))

    def compares(
        self, document: Expression, path: Path, operator: Order, value: JSONValue
    ) -> Condition | bool:
        if _is_nan(value):
            return False
        rank = NUMBER if is_number(value) else STRING
        if rank == STRING:
            operator, value = text_bound(operator, value)  # type: ignore[assignment]
        compared = COMPARE[operator](
            _key(document, path, rank), sa.literal(text_key(value), sa.Text)
        )
        return sa.func.coalesce(compared, sa.false(), type_=sa.Boolean)

    def like_at(self, document: Expression, path: Path, pattern: str) -> Condition:
        text = sa.func.substr(_key(document, path, STRING), 2, type_=sa.Text)
        return sa.func.coalesce(self.like(text, pattern), sa.false(), type_=sa.Boolean)

    def exact_double(self, column: Expression) -> Sequence[Expression]:
        text = sa.cast(column, sa.Text)
        return column, sa.func.substr(text, 1, 1, type_=sa.Text) == "-"

    def read_double(self, parts: Sequence[Any]) -> float | None:
        value, negative = parts
        return None if value is None else math.copysign(value, -1.0 if negative else 1.0)


def _key(document: Expression, path: Path, rank: int | None) -> Expression:
    text = sa.literal(json.dumps(path, ensure_ascii=False), sa.Text)
    return sa.func.pipestat_key(document, text, sa.literal(rank, sa.Integer), type_=sa.Text)


def _listed(values: Sequence[Any]) -> Any:
    text = sa.literal(json.dumps(values, ensure_ascii=False), sa.Text)
    return sa.func.json_each(text).table_valued("value")


def _is_nan(value: JSONValue) -> bool:
    return isinstance(value, float) and math.isnan(value)
