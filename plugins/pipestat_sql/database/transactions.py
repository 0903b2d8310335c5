"""Attempts at a piece of work, until one succeeds (PS-SQL-014, PS-SQL-015).

What failed before COMMIT was sent is retried. A COMMIT whose answer never came has an unknown
outcome, which is settled by evidence: the server is asked what became of the transaction, and
the work is retried only when nothing was stored.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from pipestat_spec.errors import PipestatDatabaseError
from pipestat_sql.database.connections import Database, Session
from pipestat_sql.database.faults import Fault, classify, driver_errors, is_locked, sql_state
from pipestat_sql.database.server import milliseconds
from pipestat_sql.database.sqlite_files import prepare_to_write

__all__ = ["MARK", "Mark", "Retry", "Transactions", "Written"]

T = TypeVar("T")

# Advisory locks share one space of numbers; this one is nobody else's by chance.
_LOCK = 0x7069_7065_7374_6174
# Transactions that write, and transactions whose statements see one state of the database.
_BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED", "sqlite": "BEGIN IMMEDIATE"}
_SNAPSHOT = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "sqlite": "BEGIN",
}
# Seconds for which who changes a table queues for it: whoever comes later queues behind.
_SLICE = 1.0
_MOST_RETRIES = 50

# What a statement returns to identify its transaction and the server that it ran on. A
# transaction's number may be given again after a crash, so the server's start belongs to it.
MARK = "pg_current_xact_id()::text, pg_postmaster_start_time()"


class Mark(NamedTuple):
    """A transaction of PostgreSQL's, and when the server that ran it was started."""

    transaction: str
    server: Any


class Written(NamedTuple, Generic[T]):
    """What came of an attempt at a write.

    `stored` is False when there is nothing to commit. The evidence are `mark`, and what
    `evidence` sees in the database later: that the write is there, that it is not, or None
    when that cannot be told.
    """

    result: T
    stored: bool = False
    mark: Mark | None = None
    evidence: Callable[[Session], bool | None] | None = None


def _lock_timeout(seconds: float) -> str:
    """Return what bounds the wait for each lock until the end of the transaction."""
    return f"SET LOCAL lock_timeout = {milliseconds(seconds)}"


class Retry(Exception):
    """An attempt stored nothing and asks for another: the row or the tables have changed."""

    def __init__(self, why: str, prepare: Callable[[Transactions], None] | None = None) -> None:
        super().__init__(why)
        self.prepare = prepare


class _UnknownOutcome(Exception):
    """COMMIT was sent and the connection ended before the answer."""

    def __init__(self, written: Written[Any]) -> None:
        self.written = written


class Transactions:
    """Runs work on a database for one store; `refresh` looks at its tables again."""

    def __init__(
        self, database: Database, refresh: Callable[[Session], None] = lambda _: None
    ) -> None:
        database.join(self)
        self._database = database
        self._refresh = refresh
        name = database.dialect.name
        self._begin, self._snapshot = _BEGIN[name], _SNAPSHOT[name]
        if database.is_postgresql:
            # One message to the server.
            bound = f"; {_lock_timeout(database.patience)}"
            self._begin, self._snapshot = self._begin + bound, self._snapshot + bound
        # Whether the journal of a file is chosen.
        self._has_journal = database.is_postgresql
        self._closed = False

    def close(self) -> None:
        """Let nothing run any more; the database's last store closes its connections."""
        self._closed = True
        self._database.leave(self)

    def refresh(self) -> None:
        """Look at the tables again."""
        self.run(self._refresh)

    def run(self, work: Callable[[Session], T]) -> T:
        """Run work; retried when a connection or a table went, or when it raises Retry."""
        database = self._database
        if self._closed:
            raise PipestatDatabaseError(
                f"{database.where}: the store is closed", hint="open it again"
            )
        began: float | None = None
        attempt = 0
        while True:
            attempt += 1
            started = time.monotonic()
            try:
                with database.session() as session:
                    database.worked = True
                    return work(session)
            except _UnknownOutcome as unknown:
                if self._settle(unknown.written):
                    result: T = unknown.written.result
                    return result
                self._prepare(Retry("the database loses its connections"), attempt)
            except Retry as retry:
                self._prepare(retry, attempt)
            except driver_errors() as error:
                # A lock was waited for within the attempt.
                began = began or (started if is_locked(error) else time.monotonic())
                self._wait(error, attempt, time.monotonic() - began)

    def _prepare(self, retry: Retry, attempt: int) -> None:
        """Do what an attempt has asked for before the next one."""
        if attempt > _MOST_RETRIES:
            raise PipestatDatabaseError(
                f"{self._database.where}: {retry}", hint="look at the table's unique constraints"
            ) from None
        if retry.prepare is not None:
            retry.prepare(self)

    def _wait(self, error: Exception, attempt: int, waited: float) -> None:
        """Wait before the next attempt; raises PipestatDatabaseError when there is none."""
        database = self._database
        fault = classify(error)
        if fault is Fault.LOST and not database.worked:
            fault = Fault.FINAL
        hopeless = fault is Fault.STALE and attempt > 3
        if fault is Fault.FINAL or hopeless or waited >= database.patience:
            raise database.error(error) from None
        if fault in (Fault.LOST, Fault.STALE):
            # Connections keep prepared statements, which a new column makes useless.
            database.forget_idle()
        if fault is Fault.STALE:
            self.refresh()
        else:
            time.sleep(random.uniform(0.001, 0.02) * min(attempt, 10))

    def read(self, work: Callable[[Session], T]) -> T:
        """Run work that only reads; behind a pooler in a transaction, whose waits are bounded."""
        return self.read_at_once(work) if self._database.is_pooled else self.run(work)

    def read_at_once(self, work: Callable[[Session], T]) -> T:
        """Run work that only reads and whose statements see one state of the database."""

        def at_once(session: Session) -> T:
            session.begin(self._snapshot)
            found = work(session)
            session.execute("ROLLBACK")
            return found

        return self.run(at_once)

    # Writing

    def write(self, work: Callable[[Session], Written[T]]) -> T:
        """Run work in one transaction and return its result once that is stored.

        Raises what `work` raises, then nothing is stored, and PipestatDatabaseError.
        """
        return self.run(partial(self._attempt, work))

    def _attempt(self, work: Callable[[Session], Written[T]], session: Session) -> T:
        database = self._database
        with database.turn:
            if not self._has_journal:
                path = str(database.url.database)
                prepare_to_write(session.driver, path, database.patience)
                self._has_journal = True
            session.begin(self._begin)
            written = work(session)
            if written.stored:
                self._commit(session, written)
            else:
                session.execute("ROLLBACK")
        return written.result

    def _commit(self, session: Session, written: Written[Any]) -> None:
        try:
            cursor = session.execute("COMMIT")
        except driver_errors() as error:
            if self._database.is_postgresql and classify(error) is Fault.LOST:
                raise _UnknownOutcome(written) from None
            raise
        # PostgreSQL answers COMMIT of a failed transaction with another word, and no error.
        if self._database.is_postgresql and cursor.statusmessage != "COMMIT":
            raise PipestatDatabaseError(
                f"{self._database.where}: the transaction was rolled back", hint="try again"
            )

    def _settle(self, written: Written[Any]) -> bool:
        """Tell by evidence whether a write of unknown outcome was stored."""
        database = self._database
        database.forget_idle()
        end = time.monotonic() + database.patience
        with suppress(PipestatDatabaseError):
            while time.monotonic() < end:
                stored = self.run(partial(self._evidence, written))
                if stored is not None:
                    return stored
                time.sleep(0.05)
        raise PipestatDatabaseError(
            f"{database.where}: the connection was lost during COMMIT, and the server does not "
            "tell whether the change was stored",
            hint="look whether it is there before you report again",
        )

    def _evidence(self, written: Written[Any], session: Session) -> bool | None:
        """Tell whether a write was stored; None while its transaction is under way."""
        assert written.mark is not None
        try:
            status, server = session.execute(
                "SELECT pg_xact_status(%s::text::xid8), pg_postmaster_start_time()",
                (written.mark.transaction,),
            ).fetchone()
        except driver_errors() as error:
            if sql_state(error) == "22023":
                # A number in the future: the server crashed before it kept any trace of it.
                return False
            raise
        if status == "in progress":
            return None
        if status != "committed" or server == written.mark.server:
            return bool(status == "committed")
        # Another server process: the number may be somebody else's by now.
        seen = written.evidence(session) if written.evidence else None
        return True if seen is None else seen

    # Definitions

    def define(self, work: Callable[[Session], None]) -> None:
        """Run work that changes tables, alone among all programs of this specification."""
        is_postgresql, patience = self._database.is_postgresql, self._database.patience
        end = time.monotonic() + patience

        def locked(session: Session) -> Written[None]:
            mark = None
            if is_postgresql:
                session.run_all(
                    [
                        _lock_timeout(end - time.monotonic()),
                        f"SELECT pg_advisory_xact_lock({_LOCK})",
                        _lock_timeout(min(_SLICE, patience)),
                    ]
                )
            work(session)
            if is_postgresql:
                mark = Mark(*session.execute(f"SELECT {MARK}").fetchone())
            return Written(None, stored=True, mark=mark)

        self.write(locked)
