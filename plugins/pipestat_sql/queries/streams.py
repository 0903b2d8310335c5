"""Rows as a stream, and the queries that only the domain can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from pipestat_spec.domain.filters import compile_filter, fields
from pipestat_spec.models.query import And, Filter, Like, Not, Or
from pipestat_spec.models.record import Record
from pipestat_sql.queries.databases import dialect_of
from pipestat_sql.queries.fields import TIMES, record_identifier
from pipestat_sql.tables.shape import TableShape

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

__all__ = [
    "ToRecord",
    "columns_of",
    "has_local_times",
    "needs_domain",
    "rows_of",
    "stream_records",
]

ToRecord: TypeAlias = Callable[["Mapping[str, Any] | RowMapping"], Record]

_BATCH = 1000
# Past these a statement meets the limits of the databases on parameters and depth; the
# parser of SQLite has a stack of 100 places.
_MAX_LEAVES = 300
_MAX_DEPTH = {"sqlite": 40, "postgresql": 1000}
_MAX_WILDCARDS = 1000


def needs_domain(connection: Connection, shape: TableShape, where: Filter | None) -> bool:
    """Tell whether the database cannot answer: too large a filter, or one on local times.

    Raises FilterSyntaxError for a `like` pattern that ends in its escape character.
    """
    if where is None:
        return False
    compile_filter(where)
    if _size(where) > _MAX_LEAVES or _depth(where) > _MAX_DEPTH[connection.dialect.name]:
        return True
    timed = any(path[0] in TIMES for path in fields(where))
    return timed and has_local_times(connection, shape)


def _size(filter: Filter) -> int:
    match filter:
        case And(operands) | Or(operands):
            return sum(map(_size, operands))
        case Not(operand):
            return _size(operand)
        case Like(_, pattern):
            return _MAX_LEAVES + 1 if pattern.count("%") > _MAX_WILDCARDS else 1
        case _:
            return 1


def _depth(filter: Filter) -> int:
    match filter:
        case And(operands) | Or(operands):
            return 1 + max(map(_depth, operands), default=0)
        case Not(Not(operand)):
            return _depth(operand)
        case Not(operand):
            return 1 + _depth(operand)
        case _:
            return 0


def has_local_times(
    connection: Connection, shape: TableShape, columns: Sequence[str] = TIMES
) -> bool:
    """Tell whether times of the rows are not what their columns say as UTC (PS-SQL-004).

    In `levels` the reference may have written them since, in local time; a time may also
    stand in `meta` alone, or be text of another form.
    """
    database = dialect_of(connection.dialect.name)
    database.prepare(connection)
    table = shape.table
    differing: list[Any] = []
    for name in columns:
        if name not in table.c or "meta" not in table.c:
            continue
        column = table.c[name]
        meta = database.document(table.c.meta)
        written = database.string_at(meta, name.removeprefix("pipestat_").removesuffix("_time"))
        if shape.layout == "levels":
            differing.append(database.time_text(column).is_distinct_from(written))
        else:
            differing.append(sa.and_(column.is_(sa.null()), written.is_not(sa.null())))
        differing.append(database.is_odd_time(column))
    if not differing:
        return False
    found = sa.select(sa.literal(1)).select_from(table).where(sa.or_(*differing))
    return connection.execute(own_rows(found, shape).limit(1)).first() is not None


def own_rows(statement: Any, shape: TableShape) -> sa.Select[Any]:
    """Return the statement for the store's own rows (PS-SQL-003)."""
    own = shape.own_rows()
    restricted: sa.Select[Any] = statement if own is None else statement.where(own)
    return restricted


def columns_of(shape: TableShape, results: Sequence[str] | None) -> list[sa.Column[Any]]:
    """Return the columns to fetch: those of the system, and of these results (None: all)."""
    dropped: set[str] = set()
    if results is not None:
        wanted = set(results)
        dropped = {column.name for name, column in shape.results.items() if name not in wanted}
    return [column for column in shape.table.c if column.name not in dropped]


def rows_of(
    connection: Connection, statement: sa.Select[Any], *, few: bool = False
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a statement; unless they are few, a batch at a time is in memory."""
    if few:
        yield from connection.execute(statement).all()
        return
    with _transaction(connection):
        options = {"stream_results": True, "yield_per": _BATCH}
        with connection.execute(statement, execution_options=options) as rows:
            yield from rows


def stream_records(
    connection: Connection, shape: TableShape, to_record: ToRecord
) -> Iterator[Record]:
    """Yield all own records in code-point order of their identifiers."""
    database = dialect_of(connection.dialect.name)
    columns = columns_of(shape, None)
    statement = own_rows(sa.select(*columns), shape)
    names = [column.name for column in columns]
    for row in rows_of(connection, statement.order_by(record_identifier(shape, database))):
        yield to_record(dict(zip(names, row, strict=True)))


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """Give a server-side cursor the transaction that it lives in."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "postgresql" or not driver.autocommit:
        yield
        return
    connection.exec_driver_sql("BEGIN READ ONLY")
    try:
        yield
    finally:
        # Nothing was written: this ends it after a failure as well.
        connection.exec_driver_sql("ROLLBACK")
