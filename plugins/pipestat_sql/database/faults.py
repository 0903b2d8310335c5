"""The one place where exceptions of drivers become errors of the specification.

Nothing that a driver says leaves this package otherwise, and no password with it.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from enum import Enum

import sqlalchemy as sa

from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.text.strings import shorten

__all__ = ["Fault", "classify", "described", "driver_errors", "sql_state"]


def driver_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of the drivers that are in use.

    SQLite needs no psycopg, which takes long to import; `database_url` does it for PostgreSQL.
    """
    psycopg = sys.modules.get("psycopg")
    others = (sqlite3.Error, sqlite3.Warning, sa.exc.SQLAlchemyError)
    return others if psycopg is None else (psycopg.Error, *others)


def _is_lost(error: BaseException) -> bool:
    psycopg = sys.modules.get("psycopg")
    if psycopg is None:
        return False
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


class Fault(Enum):
    """What an exception of a driver asks for."""

    BUSY = "retry: a deadlock, a busy file"
    LOST = "retry on another connection"
    STALE = "retry after another look at the tables"
    FINAL = "nothing: the caller has to know"


_BUSY_STATES = {"40001", "40P01", "55P03"}
_STALE_STATES = {"42P01", "42703", "3F000"}
# The server is starting, stopping, or ended this connection.
_LOST_STATES = {"57P01", "57P02", "57P03", "25P03", "57P05"}
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _driver_error(error: BaseException) -> BaseException:
    """Return the driver's exception inside SQLAlchemy's."""
    inner = getattr(error, "orig", None)
    return inner if isinstance(inner, BaseException) else error


def sql_state(error: BaseException) -> str | None:
    """Return the five characters by which PostgreSQL names a condition."""
    state = getattr(_driver_error(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def classify(error: BaseException) -> Fault:
    """Return what a driver's exception asks for."""
    error = _driver_error(error)
    state = sql_state(error)
    if state is not None:
        if state in _BUSY_STATES:
            return Fault.BUSY
        if state in _LOST_STATES or state.startswith("08"):
            return Fault.LOST
        cached_plan = state == "0A000" and "cached plan" in str(error)
        return Fault.STALE if state in _STALE_STATES or cached_plan else Fault.FINAL
    if isinstance(error, sqlite3.Error):
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _BUSY_CODES:
            return Fault.BUSY
        stale = re.match(r"no such (table|column)|table .* has no column", str(error))
        return Fault.STALE if stale else Fault.FINAL
    return Fault.LOST if _is_lost(error) else Fault.FINAL


_POOLED = "a connection pooler keeps no prepared statements: take prepare_threshold out of the URL"
# What a state of PostgreSQL, or a part of a message, means to the user.
_HINTS: dict[str, str] = {
    "28P01": "check user and password of the database",
    "28000": "check user and password, and the server's pg_hba.conf",
    "3D000": "make the database, or correct its name",
    "42501": "ask for the permission, or use another database user",
    "53100": "the disk is full",
    "53300": "the server has no free connection; try later or use fewer processes",
    "25006": "the database can only be read",
    "26000": _POOLED,
    "42P05": _POOLED,
    "54000": "the row is full: copy the records into a new database with 'pipestat-spec convert'",
}
_MESSAGE_HINTS: tuple[tuple[str, str], ...] = (
    ("password authentication failed", _HINTS["28P01"]),
    ("no password supplied", _HINTS["28P01"]),
    ("no pg_hba.conf entry", _HINTS["28000"]),
    ('role "', _HINTS["28P01"]),
    ("no such user", _HINTS["28P01"]),
    ("does not exist", _HINTS["3D000"]),
    ("no such database", _HINTS["3D000"]),
    ("bouncer config error", "look at the pooler's configuration: it may not know the database"),
    ("unsupported startup parameter", "take this option out of the URL"),
    ("could not translate host name", "correct the host's name"),
    ("resolve host", "correct the host's name"),
    ("Name or service not known", "correct the host's name"),
    ("Connection refused", "start the server, or correct host and port"),
    ("No such file or directory", "start the server, or correct host and port"),
    ("timeout expired", "check host, port and network"),
    ("readonly database", "make the file and its folder writable"),
    ("read-only", "make the file and its folder writable"),
    ("not a database", "choose another file: this one is no SQLite database"),
    ("malformed", "restore the file from a copy: it is damaged"),
    ("unable to open", "check that the folder is there and may be written"),
    ("disk is full", "make room on the disk"),
)


def is_locked(error: BaseException) -> bool:
    """Tell whether the wait for a lock of somebody else's has ended without it."""
    error = _driver_error(error)
    if isinstance(error, sqlite3.Error):
        return classify(error) is Fault.BUSY
    return sql_state(error) == "55P03"


def described(
    error: BaseException, where: str, secret: str | None = None, patience: float | None = None
) -> PipestatDatabaseError:
    """Return a driver's exception as one line of ours: where, what, and what to do.

    `patience` is how long locks are waited for.
    """
    error = _driver_error(error)
    if patience is not None and is_locked(error):
        return _impatient(error, where, patience)
    text = " ".join(str(error).split()) or type(error).__name__
    if secret and len(secret) > 3:
        text = text.replace(secret, "***")
    # Several addresses of one host fail one after the other; the last word is enough.
    text = re.sub(r".*Multiple connection attempts failed\. All failures were:", "", text).strip()
    text = re.sub(r"\s*\bLINE \d+:.*", "", text)
    text = re.sub(r"^(connection failed: )", "", text)
    state = sql_state(error)
    hint = _HINTS.get(state or "")
    if hint is None and (state is None or state.startswith("08")):
        # Of SQLite, or of a connection that could not be made, there is only the message.
        hint = next((h for m, h in _MESSAGE_HINTS if m in text), None)
    return PipestatDatabaseError(
        f"{where}: {shorten(text, 300)}", hint=hint, sqlstate=state, database=where
    )


def _impatient(error: BaseException, where: str, patience: float) -> PipestatDatabaseError:
    if isinstance(error, sqlite3.Error):
        what, holder = "the file, which is locked", "another program holds the file"
    else:
        # Which lock it is stands in the context of some, and nowhere of others.
        context = getattr(getattr(error, "diag", None), "context", None) or ""
        table = re.search(r'relation "(.+)"', context)
        what = f"a row of table {table[1]!r}" if table else "a table that is locked"
        holder = "another session holds it (pg_stat_activity and pg_locks tell which)"
    return PipestatDatabaseError(
        f"{where}: waited {patience:g} s for {what}",
        hint=f"{holder}: wait for it, end it, or allow more time, sql: {{patience: SECONDS}}",
        sqlstate=sql_state(error),
        database=where,
    )
