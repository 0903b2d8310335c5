"""One atomic piece of work: begun, committed, repeated where that is safe (PS-SQL-014, -015).

What failed before COMMIT was sent is repeated. A COMMIT whose answer never came is settled
by evidence: the server is asked what became of the transaction, and the work is repeated
only when it was not stored.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar

from pipestat_spec.errors import PipestatDatabaseError
from pipestat_sql.database.connecting import Database, Session
from pipestat_sql.database.faults import Fault, classify, driver_errors, sql_state
from pipestat_sql.database.sqlite_files import prepare_to_write

__all__ = ["MARK", "Again", "Mark", "Transactions", "Work"]

T = TypeVar("T")

# Advisory locks share one space of numbers; this one is nobody else's by chance.
_LOCK = 0x7069_7065_7374_6174
_BEGIN_POSTGRESQL = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_SQLITE = "BEGIN IMMEDIATE"
_MOST_REPEATS = 50

# What a statement returns to identify its transaction and the server that it ran on. A
# transaction's number may be given again after a crash, so the server's start belongs to it.
MARK = "pg_current_xact_id()::text, pg_postmaster_start_time()"


class Mark(NamedTuple):
    """A transaction of PostgreSQL's, and when the server that ran it was started."""

    transaction: str
    server: Any


class Again(Exception):
    """The work has to begin anew: another writer was faster, or the tables have changed."""

    def __init__(self, why: str, prepare: Callable[[], None] | None = None) -> None:
        super().__init__(why)
        self.prepare = prepare


class Work(NamedTuple, Generic[T]):
    """What came of a piece of work.

    `stored` is False when there is nothing to commit. `evidence` looks at the database
    later and tells whether the work is there: yes, no, or None when that cannot be seen.
    """

    result: T
    stored: bool = False
    mark: Mark | None = None
    evidence: Callable[[Session], bool | None] | None = None


class _Unknown(Exception):
    """COMMIT was sent and the answer never came."""


class Transactions:
    """Runs work on a database; `refresh` looks at its tables again."""

    def __init__(self, database: Database, refresh: Callable[[Session], None]) -> None:
        self._database = database
        self._refresh = refresh
        self._begin = _BEGIN_POSTGRESQL if database.is_postgresql else _BEGIN_SQLITE
        self._prepared = False

    # Reading

    def read(self, work: Callable[[Session], T]) -> T:
        """Run work that only reads; repeated when the connection or the tables went."""
        return self._repeated(lambda session: work(session))

    def _repeated(self, attempt: Callable[[Session], T]) -> T:
        database = self._database
        began: float | None = None
        repeats = 0
        while True:
            try:
                with database.session() as session:
                    return attempt(session)
            except driver_errors() as error:
                began = began or time.monotonic()
                repeats += 1
                waited = time.monotonic() - began
                fault = classify(error)
                if fault is Fault.LOST and not database.worked:
                    fault = Fault.FINAL
                hopeless = fault is Fault.STALE and repeats > 3
                if fault is Fault.FINAL or hopeless or waited > database.options.patience:
                    raise database.error(error) from None
            except Again as again:
                repeats += 1
                if repeats > _MOST_REPEATS:
                    raise PipestatDatabaseError(
                        f"{database.where}: {again}",
                        hint="look at the table's unique constraints",
                    ) from None
                if again.prepare is not None:
                    again.prepare()
                continue
            if fault in (Fault.LOST, Fault.STALE):
                # Connections keep prepared statements, which a new column makes useless.
                database.forget_idle()
            if fault is Fault.STALE:
                self._repeated(self._refresh)
            else:
                time.sleep(random.uniform(0.001, 0.02) * min(repeats, 10))

    # Writing

    def write(self, work: Callable[[Session], Work[T]]) -> T:
        """Run work in one transaction and return its result once that is stored.

        Raises what `work` raises, then nothing is stored, and PipestatDatabaseError.
        """
        if self._database.is_postgresql:
            return self._repeated(lambda session: self._attempt(session, work))

        def alone(session: Session) -> T:
            # The threads of a process queue here: SQLite lets them try again and again.
            with self._database.write_lock:
                return self._attempt(session, work)

        return self._repeated(alone)

    def _attempt(self, session: Session, work: Callable[[Session], Work[T]]) -> T:
        self.begin(session)
        try:
            done = work(session)
            if not done.stored:
                session.execute("ROLLBACK")
                return done.result
            self._commit(session)
        except _Unknown:
            pass
        except BaseException:
            self.undo(session)
            raise
        else:
            return done.result
        session.discard()
        if self._settle(done):
            return done.result
        raise Again("the database loses its connections")

    def begin(self, session: Session) -> None:
        """Begin a transaction that writes; on SQLite it excludes other writers at once."""
        if not self._prepared and not self._database.is_postgresql:
            path, patience = str(self._database.url.database), self._database.options.patience
            prepare_to_write(session.driver, path, patience)
            self._prepared = True
        session.execute(self._begin)

    def undo(self, session: Session) -> None:
        """End a transaction that failed."""
        with suppress(*driver_errors()):
            if not session.usable:
                session.execute("ROLLBACK")

    def _commit(self, session: Session) -> None:
        try:
            cursor = session.execute("COMMIT")
        except driver_errors() as error:
            if self._database.is_postgresql and classify(error) is Fault.LOST:
                raise _Unknown from None
            raise
        # PostgreSQL answers COMMIT of a failed transaction with another word, and no error.
        if self._database.is_postgresql and cursor.statusmessage != "COMMIT":
            raise PipestatDatabaseError(
                f"{self._database.where}: the transaction was rolled back", hint="try again"
            )

    def _settle(self, done: Work[Any]) -> bool:
        """Tell whether a transaction whose COMMIT was not answered is stored."""
        database = self._database
        database.forget_idle()
        end = time.monotonic() + database.options.patience
        while time.monotonic() < end:
            with suppress(*driver_errors()), database.session() as session:
                outcome = self._outcome(session, done)
                if outcome is not None:
                    return outcome
            time.sleep(0.05)
        raise PipestatDatabaseError(
            f"{database.where}: the connection was lost during COMMIT, and the server does not "
            "tell whether the change was stored",
            hint="look whether it is there before you report again",
        )

    def _outcome(self, session: Session, done: Work[Any]) -> bool | None:
        assert done.mark is not None
        try:
            status, server = session.execute(
                "SELECT pg_xact_status(%s::text::xid8), pg_postmaster_start_time()",
                (done.mark.transaction,),
            ).fetchone()
        except driver_errors() as error:
            if sql_state(error) == "22023":
                # A number in the future: the server crashed before it kept any trace of it.
                return False
            raise
        if status == "in progress":
            return None
        if status != "committed" or server == done.mark.server:
            return bool(status == "committed")
        # Another server process: the number may be somebody else's by now.
        seen = done.evidence(session) if done.evidence else None
        return True if seen is None else seen

    # Definitions

    def define(self, work: Callable[[Session], None]) -> None:
        """Run work that changes tables, alone among all programs of this specification."""
        patience = max(1, int(self._database.options.patience * 1000))

        def locked(session: Session) -> Work[None]:
            mark = None
            if self._database.is_postgresql:
                session.execute(f"SET LOCAL lock_timeout = {patience}")
                session.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            work(session)
            if self._database.is_postgresql:
                mark = Mark(*session.execute(f"SELECT {MARK}").fetchone())
            return Work(None, stored=True, mark=mark)

        self.write(locked)
