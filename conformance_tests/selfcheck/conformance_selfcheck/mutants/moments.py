"""Moments that a fault leaves open until another process has come by.

So it is met however busy the machine is, and nobody waits longer than it takes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pipestat_conformance.targets.memory import SnapshotBackend

from pipestat_spec.models.record import Level, Record

__all__ = ["Watched", "replaced", "until"]


def until(happened: Callable[[], bool], seconds: float = 0.5) -> bool:
    """Wait until something has happened; tell whether it did in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def replaced(path: str | Path) -> Callable[[], bool]:
    """Return what tells whether a file has come, or become another one, from now on."""

    def state() -> tuple[int, int] | None:
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    before = state()
    return lambda: state() != before


class Watched(SnapshotBackend):
    """Waits at a moment of its choice for a reader to have looked at all that is stored.

    A reader begins with the list. So the second list from now on is of this moment, and with the
    third all that follows the second was seen. When it does not come any more, it has found
    something, or there is none: then nobody waits again.
    """

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        found = super().scan(level, after=after, limit=limit)
        with open(self._looks, "ab") as file:
            file.write(b".")
        return found

    @property
    def _looks(self) -> Path:
        return Path(f"{self.path}.looks")

    def hold(self) -> None:
        """Wait for the reader."""
        alone = Path(f"{self.path}.alone")
        for seen in range(self._number(), self._number() + 3):
            if alone.exists():
                return
            if not until(partial(self._more_than, seen), seconds=2):
                alone.touch()

    def _more_than(self, seen: int) -> bool:
        return self._number() > seen

    def _number(self) -> int:
        return self._looks.stat().st_size if self._looks.exists() else 0
