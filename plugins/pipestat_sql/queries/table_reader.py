"""The rows of a table as a stream, and which queries only the domain can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from pipestat_spec.domain.filters import compile_filter, fields
from pipestat_spec.models.query import And, Filter, Like, Not, Or
from pipestat_spec.models.record import Record
from pipestat_sql.queries.dialects import Dialect, Expression
from pipestat_sql.queries.fields import TIMES, record_identifier
from pipestat_sql.tables.record_table import RecordTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

__all__ = ["TableReader", "ToRecord"]

ToRecord: TypeAlias = Callable[["Mapping[str, Any] | RowMapping"], Record]

_BATCH = 1000
# Past these a statement meets the limits of the databases on parameters and depth; the
# parser of SQLite has a stack of 100 places.
_MAX_LEAVES = 300
_MAX_DEPTH = {"sqlite": 40, "postgresql": 1000}
_MAX_WILDCARDS = 1000


class TableReader:
    """Reads the store's own rows of a table on one connection.

    `to_record` makes the record of columns by name; results that these lack are left out.
    """

    def __init__(self, connection: Connection, table: RecordTable, to_record: ToRecord) -> None:
        self.connection = connection
        self.table = table
        self.to_record = to_record
        self.dialect = dialect_of(connection.dialect.name)
        self.dialect.prepare(connection)

    @property
    def identifier(self) -> Expression:
        """The column of the record identifiers, ordered by code point."""
        return record_identifier(self.table, self.dialect)

    def needs_domain(self, where: Filter | None) -> bool:
        """Tell whether the database cannot answer: too large a filter, or one on local times.

        Raises FilterSyntaxError for a `like` pattern that ends in its escape character.
        """
        if where is None:
            return False
        compile_filter(where)
        too_deep = _depth(where) > _MAX_DEPTH[self.connection.dialect.name]
        if too_deep or _size(where) > _MAX_LEAVES:
            return True
        return any(path[0] in TIMES for path in fields(where)) and self.has_local_times(TIMES)

    def has_local_times(self, names: Sequence[str]) -> bool:
        """Tell whether times of the rows are not what their columns say as UTC (PS-SQL-004).

        In `levels` the reference may have written them since, in local time; a time may also
        stand in `meta` alone, or be text of another form.
        """
        columns, dialect = self.table.table.c, self.dialect
        differing: list[Any] = []
        for name in names:
            if name not in columns or "meta" not in columns:
                continue
            column = columns[name]
            meta = dialect.document(columns.meta)
            written = dialect.text_at(meta, name.removeprefix("pipestat_").removesuffix("_time"))
            if self.table.layout == "levels":
                differing.append(dialect.time_text(column).is_distinct_from(written))
            else:
                differing.append(sa.and_(column.is_(sa.null()), written.is_not(sa.null())))
            differing.append(dialect.is_odd_time(column))
        if not differing:
            return False
        # Each by itself: an index serves it where one is.
        rows = self.own_rows(sa.select(sa.literal(1)))
        found = sa.or_(*(rows.where(condition).exists() for condition in differing))
        return bool(self.connection.execute(sa.select(found)).scalar())

    def own_rows(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Return the statement for the store's own rows (PS-SQL-003)."""
        own = self.table.own_rows()
        statement = statement.select_from(self.table.table)
        return statement if own is None else statement.where(own)

    def columns(self, results: Sequence[str] | None) -> list[sa.Column[Any]]:
        """Return the columns to fetch: those of the system, and of these results (None: all)."""
        wanted, known = set(results or ()), self.table.results
        dropped = {column.name for name, column in known.items() if name not in wanted}
        columns = self.table.table.c
        return [c for c in columns if results is None or c.name not in dropped]

    def rows(self, statement: sa.Select[Any], *, few: bool = False) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement; unless they are few, a batch at a time is in memory."""
        if few:
            yield from self.connection.execute(statement).all()
            return
        with self._transaction():
            options = {"stream_results": True, "yield_per": _BATCH}
            with self.connection.execute(statement, execution_options=options) as rows:
                yield from rows

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Give a server-side cursor the transaction that it lives in."""
        driver: Any = self.connection.connection.dbapi_connection
        if self.connection.dialect.name != "postgresql" or not _is_idle(driver):
            yield
            return
        self.connection.exec_driver_sql("BEGIN READ ONLY")
        try:
            yield
        finally:
            # Nothing was written: this ends it after a failure as well.
            self.connection.exec_driver_sql("ROLLBACK")

    def records(self) -> Iterator[Record]:
        """Yield all own records in code-point order of their identifiers."""
        columns = self.columns(None)
        names = [column.name for column in columns]
        statement = self.own_rows(sa.select(*columns)).order_by(self.identifier)
        for row in self.rows(statement):
            yield self.to_record(dict(zip(names, row, strict=True)))


def _is_idle(driver: Any) -> bool:
    from psycopg.pq import TransactionStatus

    return driver.info.transaction_status is TransactionStatus.IDLE


def dialect_of(name: str) -> Dialect:
    """Return the database of that name in SQLAlchemy."""
    if name == "sqlite":
        from pipestat_sql.queries.sqlite import SQLite

        return SQLite()
    from pipestat_sql.queries.postgresql import PostgreSQL

    return PostgreSQL()


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
