"""LMDB environments: one for each folder and process, since LMDB allows no second one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import lmdb

from pipestat_spec.errors import PipestatDatabaseError, UnsafeStoreError

T = TypeVar("T")
_READERS = 1024
# LMDB locks through shared memory, which no network file system offers.
_NETWORK = "afs beegfs ceph cifs fuse.sshfs gpfs lustre nfs nfs4 smb3 smbfs".split()


class Environment:
    """The environment of one folder, shared by all that use it in this process."""

    def __init__(self, folder: str, map_size: int) -> None:
        self.folder, self._size = folder, map_size
        self.renew()

    def renew(self) -> None:
        """Let go of what is open, such as a parent's; the next transaction opens it anew."""
        self._lmdb: Any = None
        self._gate, self._running = threading.Condition(), 0

    def run(self, work: Callable[[Any], T], *, write: bool = False) -> T:
        """Return what `work` makes of a transaction; called again when the map had to grow."""
        try:
            while True:
                try:
                    with self._transaction(write) as transaction:
                        return work(transaction)
                except lmdb.MapFullError:
                    self._resize(2 * self._lmdb.info()["map_size"])
                except lmdb.MapResizedError:
                    self._resize(0)  # another process made it grow: take its size
        except lmdb.Error as error:
            raise PipestatDatabaseError(f"{self.folder}: {error}") from error

    @contextmanager
    def _transaction(self, write: bool) -> Iterator[Any]:
        with self._gate:
            if self._lmdb is None:
                # LMDB's own sync of a commit lets it be written milliseconds before it shows: a
                # writer killed in between would be found undone, and done after the next write.
                self._lmdb = lmdb.open(
                    self.folder, map_size=self._size, max_readers=_READERS, metasync=False
                )
                self._lmdb.reader_check()  # forget readers that were killed
            self._running += 1
        try:
            with self._lmdb.begin(write=write) as transaction:
                yield transaction
            if write:
                self._lmdb.sync(True)
        finally:
            with self._gate:
                self._running -= 1
                self._gate.notify_all()

    def _resize(self, size: int) -> None:
        with self._gate:  # the map may move, so no thread may be reading it
            self._gate.wait_for(lambda: not self._running)
            # Nothing is open when the map grew during the opening; the next one finds its size.
            if self._lmdb is not None:
                self._lmdb.set_mapsize(size)


_open: WeakValueDictionary[tuple[int, int], Environment] = WeakValueDictionary()
_opening = threading.Lock()


def open_environment(folder: str, map_size: int) -> Environment:
    """Return the environment of a folder, which is made; it closes with its last user."""
    try:
        os.makedirs(folder, exist_ok=True)
        found = os.stat(folder)
    except OSError as error:
        raise PipestatDatabaseError(f"{folder}: {error.strerror}") from error
    with _opening:
        identity = found.st_dev, found.st_ino
        environment = _open.get(identity) or Environment(folder, map_size)
        _open[identity] = environment
    environment.run(lambda transaction: transaction.id())  # what is wrong shows now
    return environment


def _forked() -> None:
    global _opening
    _opening = threading.Lock()
    for environment in _open.values():
        environment.renew()


os.register_at_fork(after_in_child=_forked)


def check_mount(folder: str, table: str = "/proc/self/mounts") -> None:
    """Raise UnsafeStoreError for a folder on a network file system, where that can be told."""
    path, found = os.path.realpath(folder) + "/", ("", "")
    if os.path.exists(table):
        with open(table, encoding="utf-8") as mounts:
            for _, point, kind, *_ in map(str.split, mounts):
                point = point.replace("\\040", " ").rstrip("/") + "/"
                if path.startswith(point) and len(point) >= len(found[0]):
                    found = point, kind
    if found[1] in _NETWORK:
        hint = "choose a local folder, or another backend; 'unsafe_writes: true' goes on"
        raise UnsafeStoreError(f"{folder}: {found[1]} has no shared memory", hint=hint)
