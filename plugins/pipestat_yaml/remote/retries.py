"""Requests that are retried: for how long, after which waits, and what is said meanwhile."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from pipestat_spec.errors import PipestatDataError, PipestatError, PipestatStartupError
from pipestat_spec.logs import logger
from pipestat_yaml.remote.object_store import (
    ConditionFailed,
    ObjectStore,
    StoredObject,
    Transient,
)

__all__ = ["DEFAULT_PATIENCE", "Progress", "Retries", "fetch_many"]

# Seconds for which an operation is retried.
DEFAULT_PATIENCE = 120.0
# Seconds without any connection after which there is none to hope for.
_UNREACHED_PATIENCE = 10.0
# Seconds after which a warning says what is waited for.
_WARN_AFTER = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0
# Seconds between two texts on a terminal.
_PACE = 1.0
# Objects in memory at once.
_FETCHED = 128

Answer = TypeVar("Answer")


class Progress:
    """A line on a terminal's stderr for what takes longer than a second; nothing elsewhere.

    It shows the last text once a second, beginning with the second second.
    """

    def __init__(self) -> None:
        self._next = time.monotonic() + _PACE
        self._shown = False

    def show(self, text: str) -> None:
        """Show a text, if it is time for one."""
        if time.monotonic() < self._next or sys.stderr is None or not sys.stderr.isatty():
            return
        self._next = time.monotonic() + _PACE
        self._shown = True
        _write(f"\r\x1b[K{text}")

    def done(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._shown = False
            _write("\r\x1b[K")


def _write(text: str) -> None:
    # What is only shown may not make anything fail.
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


class Retries:
    """The retries of one operation on one object, over all its requests.

    Waits are random between nothing and a limit that doubles (full jitter), so that writers
    who met once do not meet again. At the end of the `with` what was shown is wiped.
    """

    def __init__(self, shown: str, patience: float, *, writing: bool = False) -> None:
        self.shown = shown
        # Whether an attempt has been made whose outcome is unknown.
        self.outcome_unknown = False
        self._patience = patience
        self._writing = writing
        self._lost = False
        self._failures = 0
        self._start = time.monotonic()
        self._unreached: float | None = None
        self._warned = False
        self._progress = Progress()

    def __enter__(self) -> Retries:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.done()

    def reading(self, request: Callable[[], Answer]) -> Answer:
        """Return what a request gives that only reads, however often it takes."""
        while True:
            try:
                answer = request()
            except Transient as failure:
                self.wait(failure)
            else:
                self._unreached = None
                return answer

    def wait(self, failure: Transient | ConditionFailed) -> None:
        """Wait before the next request; raises when patience is at an end."""
        now = time.monotonic()
        self._failures += 1
        lost = isinstance(failure, ConditionFailed)
        self._lost |= lost
        if isinstance(failure, Transient) and not failure.reached:
            self._unreached = self._unreached or now
            if now - self._unreached >= min(_UNREACHED_PATIENCE, self._patience):
                raise self._unreachable(failure, now)
        else:
            self._unreached = None
        wait = random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self._failures, 12)))
        if now + wait - self._start >= self._patience:
            if isinstance(failure, Transient) and not failure.reached:
                raise self._unreachable(failure, now)
            raise self._given_up(failure, now)
        self._tell("others write it" if lost else str(failure), now)
        time.sleep(wait)

    def _tell(self, reason: str, now: float) -> None:
        waited = now - self._start
        self._progress.show(f"{self.shown}: try {self._failures + 1}, {reason}")
        if waited >= _WARN_AFTER and not self._warned:
            self._warned = True
            logger().warning("%s: still trying after %.0f s (%s)", self.shown, waited, reason)

    def _unreachable(self, failure: Transient, now: float) -> PipestatError:
        return PipestatStartupError(
            f"{self.shown}: {failure} (tried {self._failures} times in {now - self._start:.0f} s)",
            hint=self._outcome("check endpoint_url in storage_options and the network"),
            file=self.shown,
        )

    def _given_up(self, failure: Transient | ConditionFailed, now: float) -> PipestatError:
        tried = f"gave up after {now - self._start:.0f} s and {self._failures} tries"
        if isinstance(failure, ConditionFailed) or self._lost:
            reason = "others write this object all the time"
            advice = (
                "one object takes only so many updates a second: a {record_identifier} path, "
                "report documents ('pipestat-spec ingest') or a database (SQL) take more"
            )
        else:
            reason = str(failure)
            advice = "try again later"
        return PipestatDataError(
            f"{self.shown}: {tried}: {reason}",
            hint=self._outcome(advice),
            file=self.shown,
            seconds=now - self._start,
            tries=self._failures,
        )

    def _outcome(self, advice: str) -> str:
        if self.outcome_unknown:
            return f"the change may have been stored, read it before you repeat it; {advice}"
        return f"nothing was stored; {advice}" if self._writing else advice


def fetch_many(
    store: ObjectStore, keys: Sequence[str], patience: float
) -> Iterator[tuple[str, StoredObject | None]]:
    """Yield the objects in the order of the keys, read in parallel; None for one not there."""
    progress = Progress()
    try:
        for start in range(0, len(keys), _FETCHED):
            progress.show(f"reading: {start} of {len(keys)} objects")
            some = list(dict.fromkeys(keys[start : start + _FETCHED]))
            found = _fetched(store, some, patience)
            yield from ((key, found[key]) for key in some)
    finally:
        progress.done()


def _fetched(
    store: ObjectStore, keys: Sequence[str], patience: float
) -> dict[str, StoredObject | None]:
    found: dict[str, StoredObject | None] = {}
    pending = list(keys)
    with Retries(store.shown(keys[0]), patience) as retries:
        while True:
            failure: Transient | None = None
            for key, answer in zip(pending, store.get_many(pending), strict=True):
                if isinstance(answer, Transient):
                    failure = answer
                else:
                    found[key] = answer
            if failure is None:
                return found
            pending = [key for key in pending if key not in found]
            retries.wait(failure)
