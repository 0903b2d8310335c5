"""Statements that SQLAlchemy compiles once and the driver runs (PS-SQL-011)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = ["Writes", "compiled", "is_one_of", "listed"]

_MOST_KNOWN = 512


def compiled(statement: sa.sql.ClauseElement, dialect: Dialect) -> str:
    """Return a statement in the driver's words; its parameters go by their order."""
    return str(statement.compile(dialect=dialect))


def is_one_of(column: sa.ColumnElement[Any], name: str, dialect: Dialect) -> sa.ColumnElement[bool]:
    """Tell whether a column is one of the values of a parameter, which `listed` makes."""
    if dialect.name == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type)))
    values = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(values.c.value))


def listed(values: Sequence[Any], dialect: Dialect) -> Any:
    """Return many values as one parameter: SQLite takes some 32,000 of them."""
    return list(values) if dialect.name == "postgresql" else json.dumps(values)


class Writes(dict[tuple[str, ...], tuple[str, Sequence[str]]]):
    """An INSERT or UPDATE by the columns that it writes, compiled when they first occur.

    A value is the statement, and the names of its parameters in their order.
    """

    def __init__(self, statement: sa.sql.ClauseElement, dialect: Dialect) -> None:
        super().__init__()
        self._statement = statement
        self._dialect = dialect

    def __missing__(self, columns: tuple[str, ...]) -> tuple[str, Sequence[str]]:
        made: Any = self._statement.compile(dialect=self._dialect, column_keys=list(columns))
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[columns] = str(made), made.positiontup
        return self[columns]

    def of(self, values: Mapping[str, Any], **more: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the statement that writes these columns, and its parameters."""
        statement, names = self[tuple(values)]
        return statement, tuple(map({**values, **more}.__getitem__, names))
