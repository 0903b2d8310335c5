"""The processes of trials: started once, used by one trial after the other."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import BrokenBarrierError
from typing import Any

from pipestat_conformance.drivers import Answer, HarnessError, Hello, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.options import RunOptions
from pipestat_conformance.vectors import Opening

__all__ = ["OPENING", "Pool", "Stage", "Told", "all_at_once", "succeed"]

OPENING = Opening(None, {"namespace": "ns"})


@dataclass(frozen=True)
class Told:
    """What a trial says when it passes: a note that is the same for the same seed, and what
    was measured."""

    note: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)


class Pool:
    """Drivers of the target, and of its peer, by number."""

    def __init__(self, options: RunOptions, hello: Hello) -> None:
        self._program = options.driver.program()
        self._peer = list(
            options.peer
            or [sys.executable, "-m", "pipestat_conformance.serve", "--backend", "yaml"]
        )
        self._timeout = getattr(options.driver, "timeout", 30.0)
        self._hello = hello
        self._targets: list[SubprocessDriver] = []
        self._peers: list[SubprocessDriver] = []
        self.name = hello.name
        self.profiles = hello.profiles

    def targets(self, number: int) -> list[SubprocessDriver]:
        """Return so many drivers of the target, each a process of its own."""
        return self._grown(self._targets, self._program, number, self._hello)

    def peers(self, number: int) -> list[SubprocessDriver]:
        """Return so many drivers of the other program of mixed trials."""
        return self._grown(self._peers, self._peer, number)

    def fresh(self) -> SubprocessDriver:
        """Return a driver of the target for a process that will be killed."""
        return SubprocessDriver(self._program, timeout=self._timeout, hello=self._hello)

    def _grown(
        self,
        drivers: list[SubprocessDriver],
        program: Sequence[str],
        number: int,
        hello: Hello | None = None,
    ) -> list[SubprocessDriver]:
        while len(drivers) < number:
            drivers.append(SubprocessDriver(program, timeout=self._timeout, hello=hello))
        return drivers[:number]

    def close(self) -> None:
        """End all processes in order; raises HarnessError."""
        problem: HarnessError | None = None
        for driver in (*self._targets, *self._peers):
            try:
                driver.end()
            except HarnessError as error:
                problem = error
        if problem is not None:
            raise problem

    def abandon(self) -> None:
        """End all processes at once; the next trial starts others."""
        for driver in (*self._targets, *self._peers):
            with suppress(Exception):
                driver.abandon()


@dataclass
class Stage:
    """What one trial works with."""

    pool: Pool
    store: Mapping[str, Any]
    capabilities: Sequence[str]
    random: random.Random

    def open(self, driver: SubprocessDriver, opening: Opening = OPENING) -> SubprocessDriver:
        """Open the store on a driver; raises VectorFailed when that is refused."""
        succeed(driver.open(self.store, opening), "open")
        return driver

    def open_all(self, drivers: Sequence[SubprocessDriver], opening: Opening = OPENING) -> None:
        """Open the store on all drivers at once."""
        all_at_once([partial(self.open, driver, opening) for driver in drivers])


def succeed(answer: Answer, what: str) -> Any:
    """Return the result of an answer; raises VectorFailed for an error."""
    if answer.kind != "result":
        raise VectorFailed(f"{what} failed: {answer.code} {answer.message}", answer=answer)
    return answer.result


def all_at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls in threads of their own; raise the first error when all have ended."""
    with ThreadPoolExecutor(len(calls)) as executor:
        futures = [executor.submit(call) for call in calls]
    errors = [error for future in futures if (error := future.exception()) is not None]
    # Threads that waited for the one that failed have nothing to say.
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    return [future.result() for future in futures]
