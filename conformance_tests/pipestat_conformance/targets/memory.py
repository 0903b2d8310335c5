"""The in-memory backend as a target: with a snapshot file, so that it outlives a process.

Every change is made on what the snapshot holds, under a lock, and is stored in it before
it is acknowledged. So a vector may reopen the store, and several processes may share it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.target import PluginTarget
from pipestat_conformance.vectors import Opening
from pipestat_spec.backend import Backend, Change, Transition
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.store import Store

__all__ = ["MemoryTarget", "SnapshotBackend"]


class SnapshotBackend(MemoryBackend):
    """Records in a dictionary that is read from, and written to, a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._seen: tuple[int, int] | None = None

    def read(self, key: RecordKey) -> Record | None:
        self.load()
        return super().read(key)

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        with self.locked():
            self.load()
            before = self._records, self._history
            try:
                records = super().update_many(changes)
                self.save()
            except BaseException:
                self._records, self._history = before
                raise
            return records

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        self.load()
        return super().scan(level, after=after, limit=limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        self.load()
        return super().history(key)

    def count(self, level: Level) -> int:
        self.load()
        return super().count(level)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the snapshot, as one of any number of processes."""
        descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def load(self) -> None:
        """Take over the snapshot, if it is another one than the last time."""
        try:
            with open(self.path, "rb") as file:
                found = os.fstat(file.fileno())
                if (found.st_ino, found.st_mtime_ns) != self._seen:
                    self._records, self._history = pickle.load(file)
                    self._seen = found.st_ino, found.st_mtime_ns
        except FileNotFoundError:
            pass

    def save(self) -> None:
        """Replace the snapshot."""
        temporary = f"{self.path}.tmp"
        with open(temporary, "wb") as file:
            pickle.dump((self._records, self._history), file)
            found = os.fstat(file.fileno())
        os.replace(temporary, self.path)
        self._seen = found.st_ino, found.st_mtime_ns


@dataclass
class MemoryTarget(PluginTarget):
    """The memory backend, with a snapshot."""

    name: str = "memory"

    def backend(self, snapshot: Path) -> Backend:
        """Return the backend of a store, whose records are in the file `snapshot`."""
        return SnapshotBackend(snapshot)

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(sorted(map(str, self.backend(folder / "probe").capabilities)))

    def open_store(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Store:
        opened = super().open_store({}, opening, folder)
        snapshot = store.get("snapshot") or f"{store['path']}.snapshot"
        # A backend keeps one namespace; another one on the same store has a snapshot of its own.
        namespace = hashlib.sha256(opened.namespace.encode()).hexdigest()[:16]
        return Store(
            self.backend(Path(f"{snapshot}.{namespace}")),
            opened.settings,
            validate=opened.rules.validate,
            additional_properties=opened.rules.additional_properties,
            history_limit=opened.rules.history_limit,
        )

    def _configuration(self, store: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"backend": "memory"}
