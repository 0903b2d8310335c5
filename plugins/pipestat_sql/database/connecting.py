"""Connections to one database: made on demand, kept, and never shared across a fork.

Every connection is in the driver's autocommit: reads are single statements, and
transactions are begun and ended by statements of our own. SQLAlchemy knows the dialect and
makes connections; the hot statements go straight to the driver.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.errors import PipestatDatabaseError
from pipestat_sql.database.faults import Fault, classify, described, driver_errors
from pipestat_sql.database.options import SqlOptions

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = ["Database", "Session"]

# Pools of the process that this one was forked from: kept, since closing a connection here
# would end the parent's.
_inherited: list[object] = []
# Seconds between looks for a free connection when more threads than connections want one.
_POLL = 0.002
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class Session:
    """One connection while somebody uses it: the driver's own and SQLAlchemy's."""

    __slots__ = ("born", "driver", "sql")

    def __init__(self, sql: sa.Connection) -> None:
        self.sql = sql
        driver: Any = sql.connection.driver_connection
        self.driver = driver
        self.born = time.monotonic()

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        """Run one statement of the driver's own placeholders; return its cursor."""
        return self.driver.execute(statement, parameters)

    @property
    def usable(self) -> bool:
        """Whether the connection is open and outside a transaction."""
        if isinstance(self.driver, sqlite3.Connection):
            return not self.driver.in_transaction
        return not self.driver.closed and self.driver.info.transaction_status == 0

    def discard(self) -> None:
        """Close the connection, whatever state it is in."""
        with suppress(*driver_errors()):
            self.driver.close()
        with suppress(*driver_errors()):
            self.sql.invalidate()
        with suppress(*driver_errors()):
            self.sql.close()


class Database:
    """The connections of one store; threads may share it."""

    def __init__(self, url: sa.URL, options: SqlOptions) -> None:
        self.url = url
        self.options = options
        self.is_postgresql = url.get_backend_name() == "postgresql"
        self.placeholder = "%s" if self.is_postgresql else "?"
        # Whether a connection ever worked: from then on a failing one is waited for.
        self.worked = False
        self._engine = sa.create_engine(
            url,
            creator=self._connect,
            poolclass=sa.pool.NullPool,
            isolation_level="AUTOCOMMIT",
            **({"use_native_hstore": False} if self.is_postgresql else {}),
        )
        self._closed = False
        self._fresh()

    def _fresh(self) -> None:
        self._process = os.getpid()
        # Idle connections, the last used on top, above a None for each that may be opened.
        self._idle: deque[Session | None] = deque([None] * self.options.pool_size)
        self.write_lock = threading.Lock()

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    @property
    def where(self) -> str:
        """The database as errors name it, without user and password."""
        if not self.is_postgresql:
            return str(self.url.database)
        host = self.url.host or str(self.url.query.get("host", "the local server"))
        port = f":{self.url.port}" if self.url.port else ""
        return f"database {self.url.database or self.url.username!r} on {host}{port}"

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def secret(self) -> str | None:
        return self.url.password

    def quote(self, name: str) -> str:
        """Return a name as statements of the driver hold it."""
        return self.dialect.identifier_preparer.quote_identifier(name)

    def error(self, error: BaseException) -> PipestatDatabaseError:
        """Return a driver's exception as one of ours."""
        return described(error, self.where, self.secret)

    # Connections

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend a connection; one that comes back broken or in a transaction is closed."""
        self._check_process()
        if self._closed:
            raise PipestatDatabaseError(f"{self.where}: the store is closed", hint="open it again")
        idle = self._idle
        kept: Session | None = None
        taken = self._take(idle)
        try:
            session = taken or self._open()
            try:
                yield session
            finally:
                if session.usable and not self._closed:
                    kept = session
                else:
                    session.discard()
        finally:
            if kept is None:
                # Below the idle ones: a connection that exists is used first.
                idle.appendleft(None)
            else:
                idle.append(kept)

    def _take(self, idle: deque[Session | None]) -> Session | None:
        """Return an idle connection or None, the right to open one; wait for either."""
        while True:
            try:
                session = idle.pop()
            except IndexError:
                time.sleep(_POLL)
                continue
            if session is None or time.monotonic() - session.born < self.options.pool_recycle:
                return session
            session.discard()
            return None

    def _open(self) -> Session:
        """Make a connection; after a first one has worked, wait for a server that is away."""
        end = time.monotonic() + (self.options.patience if self.worked else 0)
        pause = 0.05
        while True:
            try:
                session = Session(self._engine.connect())
            except driver_errors() as error:
                if time.monotonic() >= end or classify(error) is Fault.FINAL:
                    raise self.error(error) from None
            else:
                self.worked = True
                return session
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            _inherited.append((self._idle, self._engine))
            self._fresh()

    def forget_idle(self) -> None:
        """Close the connections that nobody uses: the server is another one by now."""
        for _ in range(self.options.pool_size):
            try:
                session = self._idle.pop()
            except IndexError:
                return
            self._idle.appendleft(None)
            if session is not None:
                session.discard()

    def close(self) -> None:
        """Close all connections; those in use are closed when they come back."""
        self._closed = True
        if self._process == os.getpid():
            self.forget_idle()
            self._engine.dispose()

    def _connect(self) -> Any:
        if self.is_postgresql:
            return self._connect_postgresql()
        return self._connect_sqlite()

    def _connect_postgresql(self) -> Any:
        import psycopg
        from psycopg.types.string import TextLoader

        _, given = self._engine.dialect.create_connect_args(self.url)
        context: Any = psycopg.adapt.AdaptersMap(psycopg.adapters)
        for name in ("json", "jsonb"):
            context.register_loader(name, TextLoader)
        defaults = {
            "connect_timeout": self.options.connect_timeout,
            "application_name": "pipestat-spec",
            "client_encoding": "utf8",
            **_KEEPALIVE,
        }
        given.pop("context", None)
        return psycopg.connect(**{**defaults, **given}, autocommit=True, context=context)

    def _connect_sqlite(self) -> sqlite3.Connection:
        from pipestat_sql.database.sqlite_files import open_file

        return open_file(str(self.url.database), self.options.patience)
