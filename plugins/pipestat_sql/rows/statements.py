"""Statements, made once for a table, that the driver runs (PS-SQL-011)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from pipestat_sql.database.transactions import Retry, Transactions
from pipestat_sql.tables.record_table import RecordTable

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = [
    "COPY",
    "INSERT",
    "UPDATE",
    "Statement",
    "Writes",
    "check_columns",
    "compiled",
    "is_one_of",
    "listed",
    "placeholder",
]

INSERT = "INSERT INTO {table} ({names}) VALUES ({places})"
UPDATE = "UPDATE {table} SET {changes} WHERE id = {place}"
COPY = "COPY {table} ({names}) FROM STDIN"
_MOST_KNOWN = 512


class Statement(NamedTuple):
    """A statement in the driver's words, and the parameters that are always the same."""

    text: str
    parameters: Mapping[str, Any]


def compiled(statement: sa.sql.ClauseElement, dialect: Dialect) -> Statement:
    """Return a statement; parameters without a value are given when it runs."""
    made = statement.compile(dialect=dialect)
    return Statement(str(made), made.params)


def placeholder(name: str, dialect: Dialect) -> str:
    """Return how a statement refers to a parameter."""
    return f"%({name})s" if dialect.name == "postgresql" else f":{name}"


def check_columns(cursor: Any, table: RecordTable, more: int = 0) -> None:
    """Raise Retry when an answer has other columns than the table is known for, and `more`.

    So another program's columns are seen by whoever asks for all, without a question of its own.
    """
    if (result := getattr(cursor, "pgresult", None)) is not None:
        # The driver's description of a column is an object, and its library's a name.
        encoded = tuple(map(result.fname, range(result.nfields - more)))
        same = encoded == table.encoded_names
    else:
        description = cursor.description
        same = description[: len(description) - more] == table.described_names
    if not same:
        raise Retry("columns come and go", Transactions.refresh)


def is_one_of(column: sa.ColumnElement[Any], name: str, dialect: Dialect) -> sa.ColumnElement[bool]:
    """Tell whether a column is one of the values of a parameter, which `listed` makes."""
    if dialect.name == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type)))
    values = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(values.c.value))


def listed(values: Sequence[Any], dialect: Dialect) -> Any:
    """Return many values as one parameter: SQLite takes some 32,000 of them."""
    return list(values) if dialect.name == "postgresql" else json.dumps(values)


class Writes(dict[tuple[str, ...], str]):
    """INSERTs, UPDATEs or COPYs of one table by the columns that they write.

    They are texts, since there may be one for every row of many, and to compile a statement
    takes longer than to run it.
    """

    def __init__(self, form: str, table: sa.Table, dialect: Dialect) -> None:
        super().__init__()
        self._form = form
        self._table = dialect.identifier_preparer.format_table(table)
        self._quote = dialect.identifier_preparer.quote_identifier
        self._place = "%s" if dialect.name == "postgresql" else "?"

    def __missing__(self, columns: tuple[str, ...]) -> str:
        names, place = [self._quote(column) for column in columns], self._place
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[columns] = self._form.format(
            table=self._table,
            names=", ".join(names),
            places=", ".join([place] * len(names)),
            changes=", ".join(f"{name} = {place}" for name in names),
            place=place,
        )
        return self[columns]

    def of(self, values: Mapping[str, Any], *more: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the statement that writes these columns, and its parameters."""
        return self[tuple(values)], (*values.values(), *more)
