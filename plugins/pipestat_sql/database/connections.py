"""Connections to one database: SQLAlchemy's engine and pool, and the drivers' autocommit.

Reads are single statements, and transactions are begun and ended by statements of our own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Hashable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from pipestat_spec.errors import PipestatDatabaseError
from pipestat_sql.database.driver_options import driver_options
from pipestat_sql.database.faults import described, driver_errors
from pipestat_sql.database.server import Server
from pipestat_sql.database.settings import SqlSettings
from pipestat_sql.database.sqlite_files import exists, open_file

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = ["Database", "Session", "database_of"]

# Seconds between looks for a free connection when more threads than connections want one.
_POOL_TIMEOUT = 0.02


class Session:
    """One connection while somebody uses it; a transaction that fails is rolled back.

    `execute` runs one statement of the driver's own placeholders and returns its cursor.
    `waiting` are those who wait for a connection; `at_hand`, where it is given, takes a session
    that has ended.
    """

    __slots__ = ("_at_hand", "_engine", "_pool", "_pooled", "_sql", "_waiting", "driver", "execute")

    def __init__(
        self, engine: sa.Engine, waiting: set[Session], at_hand: list[Session] | None = None
    ) -> None:
        self._engine = engine
        self._waiting = waiting
        self._at_hand = at_hand
        self._sql: sa.Connection | None = None
        self._pooled = self._taken()
        driver: Any = self._pooled.dbapi_connection
        self.driver = driver
        self.execute = driver.execute

    def _taken(self) -> sa.PoolProxiedConnection:
        """Take a connection out of the pool; wait while all are in use."""
        try:
            while True:
                self._pool = self._engine.pool
                try:
                    return self._pool.connect()
                # It wakes nobody when a connection could not be made, or when it is disposed.
                except sa.exc.TimeoutError:
                    self._waiting.add(self)
                    _give_back(self._at_hand)
        finally:
            if self._waiting:
                self._waiting.discard(self)

    @property
    def sql(self) -> sa.Connection:
        """The connection as SQLAlchemy's."""
        if self._sql is None:
            self._sql = sa.Connection(self._engine, self._pooled)
        return self._sql

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        at_hand = self._at_hand
        if at_hand is None or at_hand or self._waiting or self._is_used_up(error):
            self.release(failed=error is not None)
        else:
            at_hand.append(self)

    def _is_used_up(self, error: object) -> bool:
        return error is not None or self._sql is not None or self._pool is not self._engine.pool

    def release(self, *, failed: bool = False) -> None:
        """Hand the connection in to the pool."""
        connection = self._sql or self._pooled
        # Of a server that is another one by now.
        lost = self._pool is not self._engine.pool
        if failed:
            with suppress(*driver_errors()):
                self.driver.rollback()
            # A connection of SQLite's cannot be lost.
            lost = lost or getattr(self.driver, "closed", False)
        if lost:
            connection.invalidate()
        connection.close()
        if self._waiting:
            # Or else this thread takes the connection again before another one wakes.
            time.sleep(0)

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    @property
    def is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    @property
    def info(self) -> dict[Any, Any]:
        """What is kept with the connection for as long as it is open."""
        return self._pooled.info

    def begin(self, statements: str) -> None:
        """Begin a transaction; several statements at once cannot be prepared."""
        if self.is_postgresql:
            self.driver.execute(statements, prepare=False)
        else:
            self.execute(statements)

    def run_all(self, statements: Sequence[str]) -> None:
        """Run statements without values, one after the other; a server gets all in one message."""
        if self.is_postgresql:
            if statements:
                self.driver.execute("; ".join(statements), (), prepare=False)
            return
        for statement in statements:
            self.execute(statement, ())

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for many rows; return how many it touched."""
        if len(rows) == 1:
            return int(self.execute(statement, rows[0]).rowcount)
        cursor = self.driver.cursor()
        cursor.executemany(statement, rows)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def copy(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a COPY of PostgreSQL's, which takes rows."""
        with self.driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _give_back(at_hand: list[Session] | None) -> None:
    """Hand in what is at hand; other threads may take it at the same time."""
    while at_hand:
        with suppress(IndexError):
            at_hand.pop().release()


class _Turn:
    """Lets one thread write at a time; the others wait as long as they do for other programs."""

    __slots__ = ("_lock", "_patience")

    def __init__(self, patience: float) -> None:
        self._lock, self._patience = threading.Lock(), patience

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._patience):
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Database:
    """One database as this process uses it; stores and threads may share it."""

    def __init__(self, url: sa.URL, settings: SqlSettings) -> None:
        self.url = url
        self.patience = settings.patience
        self.is_postgresql = url.get_backend_name() == "postgresql"
        # Whether a connection ever worked: from then on a lost one is waited for.
        self.worked = False
        # Those who have not left; what is dropped leaves by itself.
        self._users: weakref.WeakSet[object] = weakref.WeakSet()
        self._server = Server(settings.patience)
        self._engine = (
            _postgresql(url, settings, self._server)
            if self.is_postgresql
            else _sqlite(url, settings)
        )
        # The last session of a file, for the next one: to hand a connection in to the pool and
        # out again takes as long as to read a record. It is no session of a server's, whose
        # connections may be lost and grow too old, as the pool knows.
        self._at_hand: list[Session] = []
        weakref.finalize(self, _close, self._engine, self._at_hand)
        self._meet_threads()

    def _meet_threads(self) -> None:
        # Makes a session; the set is of those who wait for a connection.
        self._session = partial(
            Session, self._engine, set[Session](), None if self.is_postgresql else self._at_hand
        )
        # Where threads queue to write: SQLite lets them try again and again.
        self.turn: AbstractContextManager[Any] = nullcontext()
        if not self.is_postgresql:
            self.turn = _Turn(self.patience)

    def session(self) -> Session:
        """Return a session for a `with` block."""
        with suppress(IndexError):
            return self._at_hand.pop()
        return self._session()

    @property
    def dialect(self) -> Dialect:
        """The language of the database; that of all files is one, for what is compiled in it."""
        own = self._engine.dialect
        return own if self.is_postgresql else _of_files.setdefault("sqlite", own)

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler of connections is between us and the server, as far as is known."""
        return self._server.is_pooled

    @property
    def is_empty_file(self) -> bool:
        """Whether there is no SQLite file yet: reading must not make one."""
        return not self.is_postgresql and not exists(str(self.url.database))

    @property
    def where(self) -> str:
        """The database as errors name it, without user and password."""
        if not self.is_postgresql:
            return str(self.url.database)
        host = self.url.host or str(self.url.query.get("host", "the local server"))
        port = f":{self.url.port}" if self.url.port else ""
        name = self.url.database or self.url.username
        return f"{f'database {name!r}' if name else 'the default database'} on {host}{port}"

    def error(self, error: BaseException) -> PipestatDatabaseError:
        """Return a driver's exception as one of ours."""
        return described(error, self.where, self.url.password, self.patience)

    def forget_idle(self) -> None:
        """Close the connections that nobody uses; those in use are closed when they come back."""
        _close(self._engine, self._at_hand)

    def join(self, user: object) -> None:
        """Keep connections for somebody until he leaves, or is dropped."""
        self._users.add(user)

    def leave(self, user: object) -> None:
        """Forget a user; with the last one the connections are closed."""
        self._users.discard(user)
        if not self._users:
            self.forget_idle()

    def begin_anew(self) -> None:
        """Have no connections, and close none: they are those of the process that was forked."""
        _inherited.extend((self._engine.pool, *self._at_hand))
        self._at_hand.clear()
        self._engine.dispose(close=False)
        self._meet_threads()


def _close(engine: sa.Engine, at_hand: list[Session]) -> None:
    """Close the connections that nobody uses."""
    _give_back(at_hand)
    engine.dispose()


# Stores of one server share their connections.
_databases: weakref.WeakValueDictionary[Hashable, Database] = weakref.WeakValueDictionary()
# The dialect of the first file, which is that of all.
_of_files: dict[str, Dialect] = {}
# Pools of the process that this one was forked from: kept, since to collect a connection of
# SQLite's is to close it.
_inherited: list[object] = []


def database_of(url: sa.URL, settings: SqlSettings) -> Database:
    """Return a database, the one that this process has for the same server and options.

    Its connections are closed when nobody uses it any more, or has dropped it.
    """
    key: Hashable = (url, replace(settings, url=None, schema=None))
    if url.get_backend_name() == "sqlite":
        # Another file may have the name by now.
        key = object()
    database = _databases.get(key)
    if database is None:
        database = _databases[key] = Database(url, settings)
    return database


def _begin_anew() -> None:
    for database in list(_databases.values()):
        database.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)


def _engine(url: sa.URL, settings: SqlSettings, **more: Any) -> sa.Engine:
    return sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=sa.pool.QueuePool,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT,
        pool_recycle=settings.pool_recycle,
        pool_use_lifo=True,
        # A session leaves no transaction.
        pool_reset_on_return=None,
        **more,
    )


def _postgresql(url: sa.URL, settings: SqlSettings, server: Server) -> sa.Engine:
    import psycopg
    from psycopg.types.string import TextLoader

    context: Any = psycopg.adapt.AdaptersMap(psycopg.adapters)
    for name in ("json", "jsonb"):
        context.register_loader(name, TextLoader)
    arguments = {"connect_timeout": settings.connect_timeout, **driver_options(url)}
    engine = _engine(
        url,
        settings,
        connect_args={**arguments, "context": context},
        use_native_hstore=False,
    )
    sa.event.listen(engine, "do_connect", server.connect)
    return engine


def _sqlite(url: sa.URL, settings: SqlSettings) -> sa.Engine:
    opened = partial(open_file, str(url.database), settings.patience)
    return _engine(url, settings, creator=opened, paramstyle="named")
