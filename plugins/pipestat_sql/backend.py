"""The backend for one namespace in a database (SPEC.md section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.errors import MissingConfigDataError, PipestatDatabaseError
from pipestat_spec.models.record import (
    DEFAULT_PROJECT_NAME,
    LEVELS,
    HistoryEntry,
    JSONValue,
    Level,
    Record,
    RecordKey,
)
from pipestat_sql.database import sqlite_files
from pipestat_sql.database.addresses import database_url
from pipestat_sql.database.connecting import Database, Session
from pipestat_sql.database.options import SqlOptions
from pipestat_sql.rows.access import Access, TableAccess
from pipestat_sql.rows.codec import Row
from pipestat_sql.rows.writing import Writing
from pipestat_sql.tables.catalog import read_catalog
from pipestat_sql.tables.placement import listed_namespaces

if TYPE_CHECKING:
    from pipestat_spec.domain.query import TimeColumn
    from pipestat_spec.models.query import Page, Query

__all__ = ["SqlBackend", "list_namespaces"]

T = TypeVar("T")
# How many rows a scan has in memory.
_BATCH = 1000


class SqlBackend(Backend):
    """Records of one namespace in PostgreSQL or SQLite; threads and forked children may share it.

    Tables are made when something is first written. A column that a declared result lacks
    is added when the store is opened, or, where that is not permitted, refused at the
    first write.
    """

    capabilities = frozenset(Capability)

    def __init__(self, settings: StoreSettings) -> None:
        if settings.layout not in (None, "records", "levels"):
            raise MissingConfigDataError(
                f"layout {settings.layout!r} is not known", hint="use 'records' or 'levels'"
            )
        self._settings = settings
        self._database = _database(settings)
        self._access = Access(self._database, settings)
        self._writing = Writing(self._access)
        try:
            self._look()
        except BaseException:
            self._database.close()
            raise

    def _look(self) -> None:
        if self._access.is_empty_file:
            sqlite_files.check_folder(str(self._database.url.database))
            return
        self._access.transactions.read(self._access.refresh)
        if self._access.tables.lacking:
            # Where it is not permitted, reading works without; the first write says so.
            with suppress(PipestatDatabaseError):
                self._access.ensure(None)

    @property
    def url(self) -> str:
        """The database's URL without its password."""
        return self._database.shown_url

    @property
    def layout(self) -> str | None:
        """The layout of the namespace; None while it has none."""
        return self._access.tables.layout

    # Reading

    def _reading(self, level: Level, empty: T, work: Callable[[Session, TableAccess], T]) -> T:
        """Run work on a level's table; `empty` is the answer while there is none."""
        access = self._access
        if access.table(level) is None and access.is_empty_file:
            return empty

        def looked_up(session: Session) -> T:
            table = access.current_table(session, level)
            return empty if table is None else work(session, table)

        return access.transactions.read(looked_up)

    def exists(self) -> bool:
        """Tell whether the namespace has a table."""
        return any(self._reading(level, False, lambda *_: True) for level in LEVELS)

    def read(self, key: RecordKey) -> Record | None:
        def work(session: Session, table: TableAccess) -> Row | None:
            return self._access.found(session, table, key.identifier)

        row = self._reading(key.level, None, work)
        return row.record if row else None

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        return islice((row.record for row in self._rows(level, after, limit)), limit)

    def _rows(self, level: Level, after: str | None, limit: int | None) -> Iterator[Row]:
        while True:
            count = _BATCH if limit is None else min(limit, _BATCH)
            part = self._page(level, after, count)
            yield from part
            limit = None if limit is None else limit - len(part)
            if len(part) < count or limit == 0:
                return
            after = part[-1].record.key.identifier

    def _page(self, level: Level, after: str | None, count: int) -> list[Row]:
        def work(session: Session, table: TableAccess) -> list[Row]:
            return self._access.page(session, table, after, count)

        return self._reading(level, [], work)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        def work(session: Session, table: TableAccess) -> list[HistoryEntry]:
            with self._access.snapshot(session):
                row = self._access.found(session, table, key.identifier)
                if row is None or table.histories is None:
                    return []
                return table.histories.read(session, row)

        nothing: list[HistoryEntry] = []
        return iter(self._reading(key.level, nothing, work))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, in code-point order."""
        after: str | None = None
        while True:
            part = self._histories_page(level, after)
            yield from ((key, entries) for key, entries in part if entries)
            if len(part) < _BATCH:
                return
            after = part[-1][0].identifier

    def _histories_page(
        self, level: Level, after: str | None
    ) -> list[tuple[RecordKey, list[HistoryEntry]]]:
        def work(
            session: Session, table: TableAccess
        ) -> list[tuple[RecordKey, list[HistoryEntry]]]:
            with self._access.snapshot(session):
                rows = self._access.page(session, table, after, _BATCH)
                histories = table.histories
                found = histories.read_many(session, rows) if histories else [[] for _ in rows]
                return [(r.record.key, e) for r, e in zip(rows, found, strict=True)]

        return self._reading(level, [], work)

    def count(self, level: Level) -> int:
        def work(session: Session, table: TableAccess) -> int:
            statements = table.statements
            (found,) = session.execute(statements.count, statements.own).fetchone()
            return int(found)

        return self._reading(level, 0, work)

    def projects(self) -> list[str]:
        """Return the projects whose records the tables hold, in code-point order."""
        if self.layout != "levels":
            return []

        def work(session: Session, table: TableAccess) -> list[str]:
            statement = f"SELECT DISTINCT project_name FROM {table.statements.table}"
            rows = session.execute(statement).fetchall()
            return [DEFAULT_PROJECT_NAME if found is None else found for (found,) in rows]

        sample: list[str] = self._reading("sample", [], work)
        project: list[str] = self._reading("project", [], work)
        return sorted({*sample, *project})

    # Queries

    def select(self, query: Query) -> Page:
        """Return a page of matching records (SPEC.md section 12)."""
        from pipestat_spec.domain.query import select
        from pipestat_sql.queries import select_page

        def work(session: Session, table: TableAccess) -> Page:
            shape = self._access.looked_at(session, table).stored.shape
            return select_page(session.sql, shape, query, table.codec.to_record)

        # The domain answers for an empty store, so that wrong queries are refused there too.
        page = self._reading(query.level, None, work)
        return select((), query) if page is None else page

    def recent(
        self,
        level: Level,
        *,
        limit: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        time_column: TimeColumn = "modified",
        cursor: str | None = None,
    ) -> Page:
        """Return a page of records by time, newest first."""
        from pipestat_spec.domain.query import recent
        from pipestat_sql.queries import recent_page

        window = (limit, start, end, time_column, cursor)

        def work(session: Session, table: TableAccess) -> Page:
            shape = self._access.looked_at(session, table).stored.shape
            return recent_page(session.sql, shape, table.codec.to_record, *window)

        page = self._reading(level, None, work)
        return recent((), *window) if page is None else page

    def distinct(self, level: Level, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered."""
        from pipestat_sql.queries import distinct_values

        def work(session: Session, table: TableAccess) -> list[tuple[JSONValue, ...]]:
            shape = self._access.looked_at(session, table).stored.shape
            return distinct_values(session.sql, shape, columns, table.codec.to_record)

        return self._reading(level, [], work)

    # Writing

    def update(self, key: RecordKey, change: Change) -> Transition:
        if self._access.is_empty_file and change(None).record is None:
            return Transition(None, None)
        return self._access.transactions.write(
            lambda session: self._writing.update(session, key, change)
        )

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes in one transaction: all are stored or none."""
        if self._access.is_empty_file:
            # What is refused or changes nothing must not make the file.
            records: dict[RecordKey, Record | None] = {}
            for key, change in changes:
                records[key] = change(records.get(key)).record
            if not any(records.values()):
                return [Transition(None, None) for _ in changes]
        if not changes:
            return []
        return self._access.transactions.write(
            lambda session: self._writing.update_many(session, changes)
        )

    def close(self) -> None:
        self._database.close()


def _database(settings: StoreSettings) -> Database:
    return Database(database_url(settings), settings.options or SqlOptions())


def list_namespaces(settings: StoreSettings) -> list[str]:
    """Return the namespaces that a database holds, in code-point order."""
    database = _database(settings)
    access = Access(database, settings)
    try:
        if access.is_empty_file:
            sqlite_files.check_folder(str(database.url.database))
            return []
        schema = settings.options.schema_ if settings.options else None

        def work(session: Session) -> list[str]:
            names = list(read_catalog(session, database, schema, ()).tables)
            return listed_namespaces(read_catalog(session, database, schema, names).tables)

        return access.transactions.read(work)
    finally:
        database.close()
