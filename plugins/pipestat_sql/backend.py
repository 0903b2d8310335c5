"""The backend for one namespace in a database (spec/sql.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.errors import StoreNotFoundError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import LEVELS, HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_spec.mounts import check_locks, lock_fault, warn_unsafe
from pipestat_sql.database import sqlite_files
from pipestat_sql.database.addresses import database_url
from pipestat_sql.database.connections import Session, database_of
from pipestat_sql.database.settings import settings_of
from pipestat_sql.database.transactions import Transactions, Written
from pipestat_sql.rows.namespace_rows import NamespaceRows
from pipestat_sql.rows.record_rows import RecordRows
from pipestat_sql.tables.catalog import read_catalog
from pipestat_sql.tables.namespace_tables import listed_namespaces
from pipestat_sql.tables.stored_tables import StoredTables

if TYPE_CHECKING:
    from pipestat_spec.domain.query import TimeColumn
    from pipestat_spec.models.query import Filter, Page, Query

__all__ = ["SqlBackend", "list_namespaces"]

T = TypeVar("T")
# How many rows a scan has in memory.
_BATCH = 1000
# The first PostgreSQL that shows which transactions a statement sees.
_WITH_SNAPSHOTS = 130000


class SqlBackend(Backend):
    """Records of one namespace in PostgreSQL or SQLite; threads and forked children may share it.

    Tables are made when something is first written, and what a table lacks is added at the
    next write to it: nobody who reads changes a table, or waits to (PS-SQL-008).
    """

    capabilities: frozenset[Capability] = frozenset(Capability) - {Capability.UNNAMED_NAMESPACE}

    def __init__(self, settings: StoreSettings) -> None:
        self._database = database_of(database_url(settings), settings_of(settings.options))
        self._names_project = settings.has_project
        # A database server locks for itself, SQLite by the file system.
        self._locked_in: str | None = None
        if not self._database.is_postgresql:
            folder = os.path.dirname(os.path.abspath(str(self._database.url.database)))
            if not settings.unsafe_writes:
                self._locked_in = folder
            elif fault := lock_fault(folder, "posix"):
                warn_unsafe(f"{folder}: {fault}")
                self.capabilities -= {Capability.CONCURRENT_WRITERS}
        self._tables = StoredTables(self._database, settings)
        self._rows = NamespaceRows(self._database, self._tables)
        self._transactions = Transactions(self._database, self._tables.refresh)
        try:
            self._look()
        except BaseException:
            self.close()
            raise

    def _look(self) -> None:
        if self._database.is_empty_file:
            sqlite_files.check_folder(str(self._database.url.database))
            return
        self._transactions.refresh()

    @property
    def url(self) -> str:
        """The database's URL without its password."""
        return self._database.url.render_as_string(hide_password=True)

    @property
    def layout(self) -> str | None:
        """The layout of the namespace; None while it has none."""
        return self._tables.layout

    @property
    def keeps_projects_apart(self) -> bool:  # type: ignore[override]
        """Whether the tables do; those that are not there yet will, when a project is named."""
        return (self.layout or ("levels" if self._names_project else "records")) == "levels"

    # Reading

    def _read(
        self,
        level: Level,
        empty: T,
        work: Callable[..., T],
        *arguments: Any,
        at_once: bool = False,
    ) -> T:
        """Run work on the rows of a level; `empty` is the answer while it has no table.

        With `at_once` all statements see one state of the database.
        """
        if self._has_no_file():
            return empty

        def on_rows(session: Session) -> T:
            rows = self._rows.at(session, level)
            return empty if rows is None else work(rows, session, *arguments)

        run = self._transactions.read_at_once if at_once else self._transactions.read
        return run(on_rows)

    def _has_no_file(self) -> bool:
        return not self._tables.found and self._database.is_empty_file

    def exists(self) -> bool:
        """Tell whether the namespace has a table.

        Raises StoreNotFoundError when no project is named and all records are of some.
        """
        if not any(self._read(level, False, lambda *_: True) for level in LEVELS):
            return False
        if not self._names_project and not any(map(self.count, LEVELS)):
            self._refuse_unnamed(self.projects())
        return True

    def _refuse_unnamed(self, projects: Sequence[str]) -> None:
        if projects:
            raise StoreNotFoundError(
                f"{self._database.where} holds records of projects, and none is named",
                hint="name one by project_name: " + ", ".join(map(repr, projects)),
                projects=tuple(projects),
            )

    def read(self, key: RecordKey) -> Record | None:
        if self._has_no_file():
            return None
        return self._transactions.read(partial(self._rows.read, key))

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        nothing: list[Record] = []
        return _in_parts(partial(self._read, level, nothing, RecordRows.page), after, limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        nothing: list[HistoryEntry] = []
        work = RecordRows.history
        return iter(self._read(key.level, nothing, work, key.identifier, at_once=True))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, in code-point order."""
        after: str | None = None
        while True:
            part: list[tuple[RecordKey, list[HistoryEntry]]] = self._read(
                level, [], RecordRows.histories, after, _BATCH, at_once=True
            )
            yield from ((key, entries) for key, entries in part if entries)
            if len(part) < _BATCH:
                return
            after = part[-1][0].identifier

    def count(self, level: Level) -> int:
        return self._read(level, 0, RecordRows.count)

    def version(self) -> object | None:
        """Return the files of SQLite as they are, or what the server shows of transactions."""
        if not self._database.is_postgresql:
            return sqlite_files.version(str(self._database.url.database))

        def snapshot(session: Session) -> object | None:
            if session.driver.info.server_version < _WITH_SNAPSHOTS:
                return None
            row: tuple[object] = session.execute("SELECT pg_current_snapshot()::text").fetchone()
            return row[0]

        return self._transactions.read(snapshot)

    def projects(self) -> list[str]:
        """Return the projects whose records the tables hold, in code-point order."""
        if self.layout != "levels":
            return []
        nothing: list[str] = []
        found = (self._read(level, nothing, RecordRows.projects) for level in LEVELS)
        return sorted(set(chain.from_iterable(found)))

    def lacking_indexes(self) -> list[str]:
        """Return what an index would make faster to search by, as `table.column`."""
        if self._has_no_file():
            return []
        found = self._transactions.read(self._tables.unindexed)
        return [f"{table}.{column}" for table, columns in found.items() for column in columns]

    def make_indexes(self) -> list[str]:
        """Make the indexes that `lacking_indexes` tells of, and return these."""
        lacking = self.lacking_indexes()
        if lacking:
            self._tables.make_indexes(self._transactions)
        return lacking

    # Queries

    def select(self, query: Query) -> Page:
        """Return a page of matching records (spec/queries.md)."""
        from pipestat_spec.domain.query import select
        from pipestat_sql.queries import select_page

        # The domain answers for an empty store, so that wrong queries are refused there too.
        page = self._read(query.level, None, _searched, select_page, query)
        return select((), query) if page is None else page

    def matching(
        self, level: Level, where: Filter, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records that match as `scan` yields all; the database looks for them."""
        from pipestat_spec.domain.filters import compile_filter

        holds = compile_filter(where)  # what is wrong with it is told at once

        def found() -> Iterator[Record]:
            from pipestat_sql.queries import TableReader, few_matches, more_matches

            def searched(empty: T, search: Callable[..., T], *arguments: Any) -> T:
                return self._read(level, empty, _searched, search, where, *arguments)

            if searched(False, TableReader.needs_domain):
                yield from islice(filter(holds, self.scan(level, after=after)), limit)
                return
            nobody: list[Record] | None = []
            few = searched(nobody, few_matches, after, limit)
            if few is None:
                nothing: list[Record] = []
                yield from _in_parts(partial(searched, nothing, more_matches), after, limit)
            else:
                yield from few

        return found()

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
        page = self._read(level, None, _searched, recent_page, *window)
        return recent((), *window) if page is None else page

    def distinct(self, level: Level, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered."""
        from pipestat_sql.queries import distinct_values

        nothing: list[tuple[JSONValue, ...]] = []
        return self._read(level, nothing, _searched, distinct_values, columns)

    # Writing

    def update(self, key: RecordKey, change: Change) -> Transition:
        # What is refused or changes nothing must not make the file.
        if self._has_no_file() and change(None).record is None:
            return Transition(None, None)
        return self._write(partial(self._rows.update, key=key, change=change))

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes in one transaction: all are stored or none."""
        if self._has_no_file():
            records: dict[RecordKey, Record | None] = {}
            for key, change in changes:
                records[key] = change(records.get(key)).record
            if not any(records.values()):
                return [Transition(None, None) for _ in changes]
        if not changes:
            return []
        return self._write(partial(self._rows.update_many, changes=changes))

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        """Remove entries of all histories of a level in one transaction."""
        if self._has_no_file():
            return 0
        return self._write(partial(self._rows.prune, level=level, limit=limit))

    def _write(self, work: Callable[[Session], Written[T]]) -> T:
        if self._locked_in is not None:
            check_locks(self._locked_in, "posix")
        return self._transactions.write(work)

    def close(self) -> None:
        self._transactions.close()


def _in_parts(
    read: Callable[[str | None, int], list[Record]], after: str | None, limit: int | None
) -> Iterator[Record]:
    """Yield records that `read` gives, those after one and so many at a time."""
    while True:
        count = _BATCH if limit is None else min(limit, _BATCH)
        part = read(after, count)
        yield from part
        limit = None if limit is None else limit - len(part)
        if len(part) < count or limit == 0:
            return
        after = part[-1].key.identifier


def _searched(rows: RecordRows, session: Session, search: Callable[..., T], *arguments: Any) -> T:
    """Run a search on rows."""
    from pipestat_sql.queries import TableReader

    reader = TableReader(session, rows.table, rows.to_record, rows.record, rows.searches)
    return search(reader, *arguments)


def list_namespaces(settings: StoreSettings) -> list[str]:
    """Return the namespaces that a database holds, in code-point order."""
    database = database_of(database_url(settings), settings_of(settings.options))
    if database.is_empty_file:
        sqlite_files.check_folder(str(database.url.database))
        return []
    schema = settings_of(settings.options).schema

    def work(session: Session) -> list[str]:
        names = read_catalog(session, schema, ()).tables
        return listed_namespaces(read_catalog(session, schema, list(names)).tables)

    transactions = Transactions(database)
    try:
        return transactions.run(work)
    finally:
        transactions.close()
