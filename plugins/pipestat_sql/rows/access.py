"""Reading rows of the tables as they are now, and what a table needs for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipestat_spec.backend import StoreSettings
from pipestat_spec.models.record import Level
from pipestat_sql.database.connecting import Database, Session
from pipestat_sql.database.sqlite_files import exists
from pipestat_sql.database.transactions import MARK, Again, Mark, Transactions
from pipestat_sql.rows.codec import Codec, Row
from pipestat_sql.rows.histories import histories_for
from pipestat_sql.rows.statements import Statements
from pipestat_sql.tables.tables import StoredTable, Tables

__all__ = ["Access", "TableAccess"]


class TableAccess:
    """One table with all that reads and writes its rows."""

    def __init__(self, database: Database, stored: StoredTable, tables: Tables) -> None:
        qualified = tables.definitions.qualified
        self.stored = stored
        self.codec = Codec(stored, is_postgresql=database.is_postgresql)
        self.statements = Statements(database, stored, qualified)
        self.histories = histories_for(database, stored, qualified)
        self._encoded_names = tuple(name.encode() for name in self.codec.names)
        self._is_postgresql = database.is_postgresql
        self._is_levels = stored.shape.layout == "levels"

    def is_current(self, cursor: Any) -> bool:
        """Tell whether a statement with a star gave the columns that are known."""
        if self._is_postgresql:
            result = cursor.pgresult
            found: tuple[Any, ...] = tuple(map(result.fname, range(result.nfields)))
            return found == self._encoded_names
        return tuple([column[0] for column in cursor.description]) == self.codec.names

    def is_foreign(self, row: Row) -> bool:
        """Tell whether pipestat may have written the row since we did."""
        return self._is_levels and (row.foreign_times or not row.meta)


class Access:
    """The tables of a store, looked at again when they turn out to have changed."""

    def __init__(self, database: Database, settings: StoreSettings) -> None:
        self.database = database
        self.is_postgresql = database.is_postgresql
        self.tables = Tables(database, settings)
        self.transactions = Transactions(database, self.refresh)
        self._tables: dict[Level, tuple[StoredTable, TableAccess]] = {}

    # Tables

    def refresh(self, session: Session) -> None:
        self.tables.refresh(session)

    def table(self, level: Level) -> TableAccess | None:
        """Return a table as last seen; None when there was none."""
        stored = self.tables.get(level)
        if stored is None:
            return None
        known = self._tables.get(level)
        if known is None or known[0] is not stored:
            known = (stored, TableAccess(self.database, stored, self.tables))
            self._tables[level] = known
        return known[1]

    def current_table(self, session: Session, level: Level) -> TableAccess | None:
        """Return a table; one that was not there is looked for once more."""
        table = self.table(level)
        if table is None:
            self.refresh(session)
            table = self.table(level)
        return table

    @property
    def is_empty_file(self) -> bool:
        """Whether there is no SQLite file yet: reading must not make one."""
        return not self.is_postgresql and not exists(str(self.database.url.database))

    def ensure(self, level: Level | None) -> None:
        self.tables.ensure(self.transactions, level)

    def widen(self, level: Level, names: Iterable[str]) -> None:
        self.tables.widen(self.transactions, level, names)

    def looked_at(self, session: Session, table: TableAccess) -> TableAccess:
        """Return the table after a look whether another program has given it columns."""
        cursor = session.execute(f"SELECT * FROM {table.statements.table} LIMIT 0")
        if not table.is_current(cursor):
            raise Again("columns come and go", self._look_again)
        return table

    @contextmanager
    def snapshot(self, session: Session) -> Iterator[None]:
        """Let several statements see one state of the database."""
        begin = "BEGIN"
        if self.is_postgresql:
            begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        session.execute(begin)
        try:
            yield
        finally:
            self.transactions.undo(session)

    # Rows

    def _run(
        self, session: Session, table: TableAccess, statement: str, parameters: Any
    ) -> list[tuple[Any, ...]]:
        cursor = session.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not table.is_current(cursor):
            raise Again("columns come and go", self._look_again)
        return rows

    def _look_again(self) -> None:
        self.transactions.read(self.refresh)

    def found(self, session: Session, table: TableAccess, identifier: str) -> Row | None:
        """Return one row."""
        statements = table.statements
        rows = self._run(session, table, statements.read, (identifier, *statements.own))
        return table.codec.decode(rows[0]) if rows else None

    def locked(self, session: Session, table: TableAccess, identifier: str) -> Row | None:
        """Return one row, which nobody else changes until the transaction ends."""
        statements = table.statements
        rows = self._run(session, table, statements.lock, (identifier, *statements.own))
        return table.codec.decode(rows[0]) if rows else None

    def locked_many(
        self, session: Session, table: TableAccess, identifiers: Sequence[str]
    ) -> Iterator[Row]:
        """Return rows in code-point order of their identifiers, and lock them."""
        statements = table.statements
        wanted: tuple[Any, ...] = tuple(identifiers)
        if self.is_postgresql:
            wanted = (list(identifiers),)
        statement = statements.lock_many(len(identifiers))
        rows = self._run(session, table, statement, (*wanted, *statements.own))
        return map(table.codec.decode, rows)

    def page(
        self, session: Session, table: TableAccess, after: str | None, limit: int | None
    ) -> list[Row]:
        """Return rows in code-point order of their identifiers, those after `after`."""
        statements = table.statements
        parameters: list[Any] = [*statements.own]
        parameters += [after] if after is not None else []
        parameters += [limit] if limit is not None else []
        statement = statements.page(after=after is not None, limit=limit is not None)
        return list(map(table.codec.decode, self._run(session, table, statement, parameters)))

    def mark(self, session: Session) -> Mark | None:
        """Return the transaction that is under way."""
        if not self.is_postgresql:
            return None
        return Mark(*session.execute(f"SELECT {MARK}").fetchone())

    def run_many(self, session: Session, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run one statement for many rows; return how many it touched."""
        cursor = session.driver.cursor()
        cursor.executemany(statement, rows)
        count: int = cursor.rowcount
        cursor.close()
        return count
