"""SQLite files: opening them, and the journal that suits the disk (spec/sql.md)."""

from __future__ import annotations

import os
import sqlite3
import time
from urllib.parse import quote

from pipestat_spec.backend import settled
from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.mounts import is_on_network
from pipestat_spec.text.paths import nearest_path

__all__ = ["check_folder", "exists", "open_file", "prepare_to_write", "version"]


def exists(path: str) -> bool:
    """Tell whether there is a file with something in it."""
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False


def version(path: str) -> object | None:
    """Return what the file and its log are; None while they are fresh, or in memory."""
    found = []
    for name in (path, path + "-wal"):
        try:
            state = os.stat(name)
        except OSError:
            continue
        if not settled(state.st_mtime_ns):
            return None
        found.append((state.st_ino, state.st_mtime_ns, state.st_size))
    return tuple(found) or None


def check_folder(path: str) -> None:
    """Raise PipestatDatabaseError unless the file's folder is there."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        near = nearest_path(folder)
        raise PipestatDatabaseError(
            f"{path}: there is no folder {folder}",
            hint="make it, or correct the path" + (f"; did you mean {near}?" if near else ""),
        )
    if os.path.isdir(path):
        raise PipestatDatabaseError(f"{path} is a folder", hint="give the path of a file")


def open_file(path: str, patience: float) -> sqlite3.Connection:
    """Return a connection in autocommit; a file that is missing is made."""
    check_folder(path)
    connection = _connected(path, "rwc", patience)
    try:
        _set_up(connection)
    except sqlite3.OperationalError:
        # A log that cannot be shared, in a folder where nothing may be written.
        connection.close()
        if _is_writable(os.path.dirname(path)) or os.path.exists(path + "-wal"):
            raise
        connection = _connected(path, "ro&immutable=1", patience)
        _set_up(connection)
    return connection


def _is_writable(folder: str) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _connected(path: str, mode: str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(path)}?mode={mode}",
        uri=True,
        timeout=max(patience, 0.01),
        isolation_level=None,
        check_same_thread=False,
    )


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def prepare_to_write(connection: sqlite3.Connection, path: str, patience: float) -> None:
    """Choose the journal: a write-ahead log on local disks, none on network file systems.

    Raises sqlite3.OperationalError when the file stays busy for longer than `patience`.
    """
    # Shared memory, which the write-ahead log needs, does not reach across hosts.
    wanted = "delete" if is_on_network(os.path.dirname(path) or ".") else "wal"
    end = time.monotonic() + patience
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != wanted:
                # Another mode comes back where this one is impossible; the file works in that.
                connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
            return
        # The switch does not wait for others by itself.
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > end:
                raise
        time.sleep(0.01)
