"""The rows of a table as a stream, and which queries only the domain can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from pipestat_spec.domain.filters import compile_filter, fields
from pipestat_spec.models.query import And, Filter, Like, Not, Or
from pipestat_spec.models.record import Record
from pipestat_sql.queries.dialects import Dialect, Expression
from pipestat_sql.queries.fields import TIMES, record_identifier
from pipestat_sql.queries.given import Derivation
from pipestat_sql.queries.shapes import Shape
from pipestat_sql.rows.statements import Statement, check_columns, compiled
from pipestat_sql.tables import time_marks
from pipestat_sql.tables.record_table import RecordTable

if TYPE_CHECKING:
    from pipestat_sql.database.connections import Session

__all__ = ["Columns", "Kept", "Make", "TableReader"]

# Makes a record of columns by name, or of all columns in their order.
ToRecord: TypeAlias = Callable[[Mapping[str, Any]], Record]
Make: TypeAlias = Callable[[Sequence[Any]], Record]
# Columns to fetch; None for all that the table has by now.
Columns: TypeAlias = Sequence[sa.Column[Any]] | None

_BATCH = 1000
# Past these a statement meets the limits of the databases on parameters and depth; the
# parser of SQLite has a stack of 100 places.
_MAX_LEAVES = 300
_MAX_DEPTH = {"sqlite": 40, "postgresql": 1000}
_MAX_WILDCARDS = 1000
# How many searches are kept for a table, and what they may ask at most, in characters.
_MOST_KEPT = 100
_LONGEST_KEPT = 5000


class Kept(NamedTuple):
    """A statement, and which of its parameters follow from the values of a filter."""

    statement: Statement
    derivations: Mapping[str, Derivation]


class TableReader:
    """Reads the store's own rows of a table on one connection.

    `to_record` makes the record of columns by name; results that these lack are left out.
    `record`, where it is given, makes that of all columns. `searches` keeps what was compiled.
    Every search raises Retry when the table has other columns than those that are known.
    """

    def __init__(
        self,
        session: Session,
        table: RecordTable,
        to_record: ToRecord,
        record: Make | None = None,
        searches: dict[str, Kept] | None = None,
    ) -> None:
        self.session = session
        self.table = table
        self._to_record = to_record
        self._record = record
        self._searches: dict[str, Kept] = {} if searches is None else searches
        self.dialect = dialect_of(session.dialect.name)
        self.dialect.prepare(session)

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
        too_deep = _depth(where) > _MAX_DEPTH[self.session.dialect.name]
        if too_deep or _size(where) > _MAX_LEAVES:
            return True
        return any(path[0] in TIMES for path in fields(where)) and self.has_local_times(TIMES)

    def has_local_times(self, names: Sequence[str]) -> bool:
        """Tell whether times of the rows are not what their columns say as UTC (PS-SQL-004).

        In `levels` the reference may have written them since, in local time; a time may also
        stand in `meta` alone, or be text of another form.
        """
        (found,) = self.fetch(self.search(("times", names), lambda: self._local_times(names)))
        return bool(found[0])

    def _local_times(self, names: Sequence[str]) -> sa.Select[Any]:
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
        # Each by itself: an index serves it where one is.
        rows = self.own_rows(sa.select(sa.literal_column("1")))
        unmarked = time_marks.unmarked(
            self.table.types or columns.keys(), is_postgresql=self.session.is_postgresql
        )
        if unmarked is not None:
            rows = rows.where(sa.literal_column(unmarked))
        found = [rows.where(condition).exists() for condition in differing]
        return sa.select(sa.or_(sa.false(), *found))

    def own_rows(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Return the statement for the store's own rows (PS-SQL-003)."""
        own = self.table.own_rows()
        statement = statement.select_from(self.table.table)
        return statement if own is None else statement.where(own)

    def columns(self, results: Sequence[str] | None) -> Columns:
        """Return the columns to fetch: those of the system, and of these results."""
        if results is None:
            return None
        known = self.table.results
        dropped = {column.name for name, column in known.items() if name not in results}
        return [column for column in self.table.table.c if column.name not in dropped]

    def make(self, columns: Columns) -> Make:
        """Return what makes a record of these columns."""
        if columns is None and self._record is not None:
            return self._record
        names = self.table.names if columns is None else tuple(c.name for c in columns)
        # A row may have more at its end.
        return lambda row: self._to_record(dict(zip(names, row, strict=False)))

    # Statements

    def check_columns(self) -> None:
        """Look whether another program has given the table columns."""

        def nothing() -> sa.Select[Any]:
            every: sa.Select[Any] = sa.select(sa.literal_column("*"))
            return every.select_from(self.table.table).where(sa.false())

        self.fetch(self.search(("nothing",), nothing), more=0)

    def search(
        self, asked: object, make: Callable[[], sa.Select[Any]], shape: Shape | None = None
    ) -> Statement:
        """Return a statement, compiled once for all who ask the same; it may lack values."""
        return self.kept(asked, lambda: compiled(make(), self.session.dialect), shape)

    def kept(
        self, asked: object, make: Callable[[], Statement], shape: Shape | None = None
    ) -> Statement:
        """Return a statement, made once for all who ask the same by a filter of one shape.

        What is asked is told apart by its text, which tells types of values too.
        """
        try:
            text = repr((asked, shape and shape.key))
        except ValueError:
            # An integer of more digits than Python writes.
            return make()
        found = self._searches.get(text)
        if found is None:
            found = self._made(make(), shape)
            if len(self._searches) >= _MOST_KEPT:
                self._searches.clear()
            if len(text) <= _LONGEST_KEPT:
                self._searches[text] = found
        statement, derivations = found
        if not shape or not derivations:
            return statement
        own = shape.values(derivations)
        return Statement(statement.text, {**statement.parameters, **own})

    def _made(self, statement: Statement, shape: Shape | None) -> Kept:
        """Return what to keep of a statement: not the values of the first who asked."""
        text, parameters = statement
        derivations = shape.derivations(parameters) if shape else {}
        same = {name: value for name, value in parameters.items() if name not in derivations}
        return Kept(Statement(text, same), derivations)

    def fetch(
        self,
        statement: Statement,
        values: Mapping[str, Any] | None = None,
        more: int | None = None,
    ) -> list[Sequence[Any]]:
        """Return the rows of a statement.

        `more` says that they have all columns of the table, and so many others at the end.
        """
        cursor = self.session.execute(statement.text, {**statement.parameters, **(values or {})})
        rows: list[Sequence[Any]] = cursor.fetchall()
        if more is not None:
            check_columns(cursor, self.table, more)
        return rows

    def stream(
        self, statement: sa.Select[Any], values: Mapping[str, Any] | None = None
    ) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement; a batch at a time is in memory."""
        with self._transaction():
            options = {"stream_results": True, "yield_per": _BATCH}
            found = self.session.sql.execute(statement, values, execution_options=options)
            with found as rows:
                yield from rows

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Give a server-side cursor the transaction that it lives in."""
        if not self.session.is_postgresql or not _is_idle(self.session.driver):
            yield
            return
        self.session.execute("BEGIN READ ONLY")
        try:
            yield
        finally:
            # Nothing was written: this ends it after a failure as well.
            self.session.execute("ROLLBACK")

    def records(self) -> Iterator[Record]:
        """Yield all own records in code-point order of their identifiers."""
        self.check_columns()
        statement = self.own_rows(sa.select(*self.table.table.c)).order_by(self.identifier)
        yield from map(self.make(None), self.stream(statement))


def _is_idle(driver: Any) -> bool:
    from psycopg.pq import TransactionStatus

    return driver.info.transaction_status is TransactionStatus.IDLE


@cache
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
