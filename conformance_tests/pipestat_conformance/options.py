"""What to run, and on what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipestat_conformance.drivers import Driver
from pipestat_conformance.executor import Reader
from pipestat_conformance.known_failures import KnownFailures
from pipestat_conformance.stores import StoreFactory
from pipestat_conformance.vectors import Vector
from pipestat_conformance.verdicts import Result

__all__ = ["RunOptions"]


@dataclass
class RunOptions:
    """What to run, and on what.

    `profiles` None judges all that are claimed; those that they need come with them. `select` are
    ids of vectors and trials, or patterns of them. `quick` leaves trials out, of which else `jobs`
    are made at once. `peer` is the
    program that shares a store with the target in the trials of mixed writers.
    """

    driver: Driver
    stores: StoreFactory
    store: Any = None
    profiles: Sequence[str] | None = None
    select: Sequence[str] = ()
    known: KnownFailures = field(default_factory=KnownFailures)
    known_file: str | None = None
    seed: int = 0
    quick: bool = False
    jobs: int = 1
    reader: Reader | None = None
    peer: Sequence[str] | None = None
    vectors: Sequence[Vector] | None = None
    progress: Callable[[int, int, Result], None] | None = None
