"""How often and how long something is tried again, and what is said meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pipestat_spec.errors import PipestatDataError, PipestatError, PipestatStartupError
from pipestat_yaml.remote.objects import ConditionFailed, Transient
from pipestat_yaml.remote.progress import Progress

__all__ = ["DEFAULT_SECONDS", "Tries"]

DEFAULT_SECONDS = 120.0
# Seconds without any connection after which there is none to hope for.
UNREACHED_SECONDS = 10.0
# Seconds after which a warning says what is waited for.
PATIENCE = 5.0
_FIRST, _LONGEST = 0.05, 2.0

Answer = TypeVar("Answer")


class Tries:
    """The tries of one operation on one object, over all its requests.

    Waits are random between nothing and a limit that doubles (full jitter), so that writers
    who met once do not meet again.
    """

    def __init__(self, shown: str, seconds: float, *, writing: bool = False) -> None:
        self.shown = shown
        self.seconds = seconds
        # Whether a put has been made whose outcome is open.
        self.may_be_stored = False
        self._writing = writing
        self._lost = False
        self._failures = 0
        self._start = time.monotonic()
        self._unreached: float | None = None
        self._warned = False
        self._progress = Progress()

    def reading(self, request: Callable[[], Answer]) -> Answer:
        """Return what a request gives that only reads, however often it takes."""
        while True:
            try:
                answer = request()
            except Transient as failure:
                self.failed(failure)
            else:
                self._unreached = None
                return answer

    def failed(self, failure: Transient | ConditionFailed) -> None:
        """Wait before the next try; raises when there is to be none."""
        now = time.monotonic()
        self._failures += 1
        lost = isinstance(failure, ConditionFailed)
        self._lost |= lost
        if isinstance(failure, Transient) and not failure.reached:
            self._unreached = self._unreached or now
            if now - self._unreached >= min(UNREACHED_SECONDS, self.seconds):
                raise self._unreachable(failure, now)
        else:
            self._unreached = None
        wait = random.uniform(0, min(_LONGEST, _FIRST * 2 ** min(self._failures, 12)))
        if now + wait - self._start >= self.seconds:
            if isinstance(failure, Transient) and not failure.reached:
                raise self._unreachable(failure, now)
            raise self._given_up(failure, now)
        reason = "others write it" if lost else str(failure)
        self._tell(reason, now)
        time.sleep(wait)

    def done(self) -> None:
        """Wipe what was shown meanwhile."""
        self._progress.done()

    def _tell(self, reason: str, now: float) -> None:
        waited = now - self._start
        self._progress.show(f"{self.shown}: try {self._failures + 1}, {reason}")
        if waited >= PATIENCE and not self._warned:
            self._warned = True
            import logging

            logging.getLogger("pipestat_spec").warning(
                "%s: still trying after %.0f s (%s)", self.shown, waited, reason
            )

    def _unreachable(self, failure: Transient, now: float) -> PipestatError:
        self.done()
        return PipestatStartupError(
            f"{self.shown}: {failure} (tried {self._failures} times in {now - self._start:.0f} s)",
            hint=self._outcome("check endpoint_url in storage_options and the network"),
            file=self.shown,
        )

    def _given_up(self, failure: Transient | ConditionFailed, now: float) -> PipestatError:
        self.done()
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
        if self.may_be_stored:
            return f"the change may have been stored, read it before you repeat it; {advice}"
        return f"nothing was stored; {advice}" if self._writing else advice
