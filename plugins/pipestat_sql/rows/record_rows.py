"""The rows of one table of records: read, locked and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.models.record import (
    DEFAULT_PROJECT_NAME,
    HistoryEntry,
    HistoryLimit,
    Record,
    RecordKey,
)
from pipestat_sql.database.connections import Session
from pipestat_sql.database.faults import driver_errors, sql_state
from pipestat_sql.database.transactions import MARK, Mark, Retry
from pipestat_sql.rows.codec import Codec, Row
from pipestat_sql.rows.histories import histories_of
from pipestat_sql.rows.statements import (
    COPY,
    INSERT,
    UPDATE,
    Statement,
    Writes,
    check_columns,
    compiled,
    is_one_of,
    listed,
)
from pipestat_sql.tables.record_table import MOST_ALIKE, RecordTable

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = ["PendingRow", "RecordRows", "rows_of"]

# The histories of how many records are pruned at once.
_AT_ONCE = 500
# From how many new rows on PostgreSQL gets them as a COPY, in a third of the time.
_MANY = 20
_FROM_ELSEWHERE = "records of these names come from elsewhere at the same time"
# States of PostgreSQL: a name is taken, and a statement is not offered.
_TAKEN, _UNSUPPORTED = "23505", "0A000"
_SELECT_MARK = f"SELECT {MARK}"


@dataclass(slots=True)
class PendingRow:
    """What became of one record so far: `history` is to be added, `cleared` removed first.

    `keep`, when not None, is how many entries of each result stay then.
    """

    row: Row | None
    record: Record | None
    history: tuple[HistoryEntry, ...] = ()
    cleared: bool = False
    keep: int | None = None


class RecordRows:
    """The rows of one table that belong to a store, and to all stores whose tables are alike.

    Statements are compiled when they are first needed. Every method raises Retry when the
    table has other columns than those that are known.
    """

    def __init__(self, table: RecordTable, dialect: Dialect) -> None:
        self.table = table
        self._dialect = dialect
        self._is_postgresql = dialect.name == "postgresql"
        self._codec = Codec(table, is_postgresql=self._is_postgresql)
        self._histories = histories_of(table, dialect)
        self.record, self.to_record = self._codec.record, self._codec.to_record
        # Whether many rows are copied into the table.
        self._copies = self._is_postgresql
        # Searches that were compiled, by what they ask, as their reader keeps them.
        self.searches: dict[str, Any] = {}
        self._identifier = table.table.c.record_identifier
        # By code point: PostgreSQL may order by the rules of a language otherwise.
        self._ordered = sa.collate(self._identifier, "C" if self._is_postgresql else "BINARY")

    # Statements

    def _select(self, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
        # A star, so that columns of others show up; the names are compared with those known.
        own = self.table.own_rows()
        every: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(self.table.table)
        return every.where(*conditions, *(() if own is None else (own,)))

    def _one(self) -> sa.Select[Any]:
        one = self._select(self._identifier == sa.bindparam("identifier"))
        if self.table.project_name == DEFAULT_PROJECT_NAME and self.table.names_projects:
            # Of two rows that mean the same the one with the project's name is ours.
            one = one.order_by(sa.column("project_name").is_(None))
        return one

    @cached_property
    def _read(self) -> Statement:
        return compiled(self._one(), self._dialect)

    @cached_property
    def _lock(self) -> Statement:
        return compiled(self._one().with_for_update(), self._dialect)

    @cached_property
    def _lock_many(self) -> Statement:
        many = self._select(is_one_of(self._identifier, "identifiers", self._dialect))
        return compiled(many.order_by(self._ordered).with_for_update(), self._dialect)

    @cached_property
    def _pages(self) -> tuple[Statement, Statement]:
        """The first page, and one after a row."""
        return self._paged()

    @cached_property
    def _pages_with_history(self) -> tuple[Statement, Statement]:
        return self._paged(*([self._histories.some] if self._histories else []))

    def _paged(self, *conditions: sa.ColumnElement[bool]) -> tuple[Statement, Statement]:
        page = self._select(*conditions).order_by(self._ordered)
        page = page.limit(sa.bindparam("limit", type_=sa.Integer)).offset(sa.literal_column("0"))
        following = page.where(self._ordered > sa.bindparam("after"))
        return compiled(page, self._dialect), compiled(following, self._dialect)

    @cached_property
    def _count(self) -> Statement:
        rows = self._select().with_only_columns(sa.func.count(), maintain_column_froms=True)
        return compiled(rows, self._dialect)

    @cached_property
    def _inserts(self) -> Writes:
        ending = f" ON CONFLICT DO NOTHING RETURNING id, {MARK}" if self._is_postgresql else ""
        return Writes(INSERT + ending, self.table.table, self._dialect)

    @cached_property
    def _copying(self) -> Writes:
        return Writes(COPY, self.table.table, self._dialect)

    @cached_property
    def _updates(self) -> Writes:
        ending = f" RETURNING {MARK}" if self._is_postgresql else ""
        return Writes(UPDATE + ending, self.table.table, self._dialect)

    @cached_property
    def _delete(self) -> Statement:
        number = sa.column("id", sa.BigInteger)
        delete = sa.delete(self.table.table).where(number == sa.bindparam("id"))
        if self._is_postgresql:
            return compiled(delete.returning(sa.literal_column(MARK)), self._dialect)
        return compiled(delete, self._dialect)

    # Reading

    def _fetch(self, session: Session, statement: Statement, **values: Any) -> list[Sequence[Any]]:
        cursor = session.execute(statement.text, {**statement.parameters, **values})
        rows: list[Sequence[Any]] = cursor.fetchall()
        check_columns(cursor, self.table)
        return rows

    def read(self, session: Session, identifier: str) -> Record | None:
        """Return one record."""
        rows = self._fetch(session, self._read, identifier=identifier)
        return self.record(rows[0]) if rows else None

    def find(self, session: Session, identifier: str) -> Row | None:
        """Return one row."""
        rows = self._fetch(session, self._read, identifier=identifier)
        return self._codec.decode(rows[0]) if rows else None

    def lock(self, session: Session, identifier: str) -> Row | None:
        """Return one row, which nobody else changes until the transaction ends."""
        rows = self._fetch(session, self._lock, identifier=identifier)
        return self._codec.decode(rows[0]) if rows else None

    def lock_many(self, session: Session, identifiers: Sequence[str]) -> Iterable[Row]:
        """Return rows in code-point order of their identifiers, and lock them."""
        wanted = listed(identifiers, self._dialect)
        return map(self._codec.decode, self._fetch(session, self._lock_many, identifiers=wanted))

    def page(self, session: Session, after: str | None, limit: int) -> list[Record]:
        """Return records in code-point order of their identifiers, those after `after`."""
        return list(map(self._codec.record, self._page(session, self._pages, after, limit)))

    def _page(
        self,
        session: Session,
        pages: tuple[Statement, Statement],
        after: str | None,
        limit: int,
    ) -> list[Sequence[Any]]:
        first, following = pages
        if after is None:
            return self._fetch(session, first, limit=limit)
        return self._fetch(session, following, after=after, limit=limit)

    def count(self, session: Session) -> int:
        """Return how many rows there are."""
        return int(session.execute(*self._count).fetchone()[0])

    def projects(self, session: Session) -> list[str]:
        """Return the projects of all rows of the table."""
        if not self.table.names_projects:
            return [DEFAULT_PROJECT_NAME] if self.count(session) else []
        project: sa.ColumnElement[str | None] = sa.column("project_name", sa.Text)
        rows = session.sql.execute(sa.select(project).select_from(self.table.table).distinct())
        return [DEFAULT_PROJECT_NAME if found is None else found for (found,) in rows]

    def history(self, session: Session, identifier: str) -> list[HistoryEntry]:
        """Return the history of one record, oldest first."""
        row = self.find(session, identifier)
        if row is None or self._histories is None:
            return []
        return self._histories.read(session, [row])[0]

    def histories(
        self, session: Session, after: str | None, limit: int
    ) -> list[tuple[RecordKey, list[HistoryEntry]]]:
        """Return the histories of a page of records."""
        rows = list(map(self._codec.decode, self._page(session, self._pages, after, limit)))
        found = self._histories.read(session, rows) if self._histories else [[] for _ in rows]
        return [(row.record.key, entries) for row, entries in zip(rows, found, strict=True)]

    # Writing, in the caller's transaction

    def store(self, session: Session, pending: PendingRow) -> Mark | None:
        """Store what became of one record; raises NeedsWidening."""
        row, record, histories = pending.row, pending.record, self._histories
        if row is not None:
            self._codec.check_project(row)
        if row is not None and pending.cleared:
            if histories is not None:
                histories.remove(session, row)
            cursor = session.execute(self._delete.text, {"id": row.id})
            if record is None:
                return self._marked(cursor)
            row = None
        assert record is not None
        if row is None:
            return self._insert(session, record, pending)
        if histories is not None and self._codec.is_foreign(row):
            histories.adopt(session, row)
        values = self._codec.encode(record, row)
        self._add_history(session, row, record, pending)
        if not values:
            return self.mark(session)
        return self._marked(session.execute(*self._updates.of(values, row.id)))

    def _add_history(self, session: Session, row: Row, record: Record, pending: PendingRow) -> None:
        if self._histories is None or not pending.history:
            return
        self._histories.add(session, row, record, pending.history)
        if pending.keep is not None:
            self._histories.prune(session, [row], HistoryLimit(keep=pending.keep))

    def _insert(self, session: Session, record: Record, pending: PendingRow) -> Mark | None:
        cursor = session.execute(*self._inserts.of(self._codec.encode(record, None)))
        number, mark = None, None
        if not self._is_postgresql:
            number = cursor.lastrowid
        elif (found := cursor.fetchone()) is not None:
            number, mark = found[0], Mark(*found[1:])
        else:
            # Another writer's first report came in between.
            raise Retry(
                f"record {record.key.identifier!r} cannot be stored beside one of the same "
                "name in another project"
            )
        self._add_history(session, Row(number, record), record, pending)
        return mark

    def prune(self, session: Session, limit: HistoryLimit) -> int:
        """Remove the entries of all histories that are beyond a limit; return how many."""
        if self._histories is None:
            return 0
        removed, after = 0, None
        while True:
            found = self._page(session, self._pages_with_history, after, _AT_ONCE)
            rows = list(map(self._codec.decode, found))
            for row in rows:
                self._codec.check_project(row)
            removed += self._histories.prune(session, rows, limit) if rows else 0
            if len(rows) < _AT_ONCE:
                return removed
            after = rows[-1].record.key.identifier

    def store_many(self, session: Session, changed: Sequence[PendingRow]) -> None:
        """Store what became of many records; raises NeedsWidening."""
        inserts: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        updates: dict[str, list[tuple[Any, ...]]] = {}
        for one in changed:
            if one.cleared or one.history or (one.row and self._codec.is_foreign(one.row)):
                self.store(session, one)
                continue
            if one.row is not None:
                self._codec.check_project(one.row)
            assert one.record is not None
            values = self._codec.encode(one.record, one.row)
            if one.row is None:
                inserts.setdefault(tuple(values), []).append(tuple(values.values()))
            elif values:
                statement, parameters = self._updates.of(values, one.row.id)
                updates.setdefault(statement, []).append(parameters)
        for columns, rows in inserts.items():
            self._insert_many(session, columns, rows)
        for statement, rows in updates.items():
            session.run_many(statement, rows)

    def _insert_many(
        self, session: Session, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        if self._copies and len(rows) >= _MANY:
            try:
                # Not a statement to be formatted: a percent sign stands for itself.
                session.copy(self._copying[columns].replace("%%", "%"), rows)
            except driver_errors() as error:
                state = sql_state(error)
                if state == _TAKEN:
                    raise Retry(_FROM_ELSEWHERE) from None
                if state == _UNSUPPORTED:
                    # The table has policies for its rows, for example.
                    self._copies = False
                    raise Retry("rows cannot be copied") from None
                raise
        elif session.run_many(self._inserts[columns], rows) != len(rows):
            raise Retry(_FROM_ELSEWHERE)

    def mark(self, session: Session) -> Mark | None:
        """Return the transaction that is under way; on SQLite there is no need to know."""
        return self._marked(session.execute(_SELECT_MARK)) if self._is_postgresql else None

    def _marked(self, cursor: Any) -> Mark | None:
        return Mark(*cursor.fetchone()) if self._is_postgresql else None


@lru_cache(maxsize=MOST_ALIKE)
def rows_of(table: RecordTable, dialect: Dialect) -> RecordRows:
    """Return the rows of a table, whose statements are compiled once in a process."""
    return RecordRows(table, dialect)
