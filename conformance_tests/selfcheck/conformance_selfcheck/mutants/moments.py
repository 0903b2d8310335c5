"""Moments that a fault leaves open until another process has come by.

So it is met however busy the machine is, and nobody waits longer than it takes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from pipestat_conformance.targets.memory import SnapshotBackend

from pipestat_spec.models.record import Level, Record

__all__ = ["Watched", "another_writes", "replaced", "until"]

# For who writes at the same time: on a busy machine it takes its time, and perhaps there is none.
_SECONDS = 5.0


def until(happened: Callable[[], bool], seconds: float = _SECONDS) -> bool:
    """Wait until something has happened; tell whether it did in time."""
    deadline, pause = time.monotonic() + seconds, 0.001
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        # Who waits long must not keep the others from the processor.
        pause = min(1.2 * pause, 0.02)
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


def another_writes(path: str | Path) -> Callable[[], bool]:
    """Return what tells whether another writer has come to the same moment, or has written.

    They come in pairs: whoever is the second of one has met the first. A file beside `path` counts.
    """
    written = replaced(path)
    with open(f"{path}.met", "ab", buffering=0) as file:
        file.write(b".")
        number = file.tell()
    both = number + number % 2
    return lambda: written() or os.stat(f"{path}.met").st_size >= both


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
            # All processes of a machine share this clock.
            file.write(f"{time.monotonic()}\n".encode())
        return found

    @property
    def _looks(self) -> Path:
        return Path(f"{self.path}.looks")

    def hold(self) -> None:
        """Wait for the reader."""
        alone = Path(f"{self.path}.alone")
        for seen in range(len(self._times()), len(self._times()) + 3):
            if alone.exists():
                return
            if not until(partial(self._more_than, seen), self._patience()):
                alone.touch()

    def _patience(self) -> float:
        """Return how long the reader may take: many times what it took, on a busy machine too."""
        times = self._times()
        longest = max((after - before for before, after in pairwise(times)), default=0.25)
        return max(1.0, 20 * longest)

    def _more_than(self, seen: int) -> bool:
        return len(self._times()) > seen

    def _times(self) -> list[float]:
        """Return when the reader has looked."""
        return list(map(float, self._looks.read_text().split())) if self._looks.exists() else []
