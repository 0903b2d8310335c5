"""Writes of trials: one operation each, and what it does to results and statuses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipestat_conformance.trials.pool import OPENING
from pipestat_conformance.vectors import Opening

__all__ = [
    "BOTH_LEVELS",
    "STATUSES",
    "Ledger",
    "Place",
    "Scenario",
    "Write",
    "removal",
    "report",
    "report_many",
    "set_status",
]

STATUSES = ("running", "completed", "failed", "waiting", "partial")
# With a project section a new file gets a layout that holds both levels.
BOTH_LEVELS = Opening(
    {
        "pipeline_name": "ns",
        "samples": {"n": {"type": "integer"}},
        "project": {"total": {"type": "integer"}},
    }
)


class Place(NamedTuple):
    """Where a write leaves something; without `result` it is the record, or its status."""

    level: str
    record: str
    result: str | None = None


@dataclass(frozen=True)
class Write:
    """One operation: values that it puts, places that it empties, statuses that it gives."""

    op: str
    args: Mapping[str, Any]
    puts: Mapping[Place, Any] = field(default_factory=dict)
    empties: Sequence[Place] = ()
    statuses: Mapping[Place, tuple[str, str]] = field(default_factory=dict)


def report(record: str, values: Mapping[str, Any], level: str = "sample") -> Write:
    args = {**_where(record, level), "values": dict(values), "overwrite": True}
    return Write("report", args, {Place(level, record, n): v for n, v in values.items()})


def report_many(records: Mapping[str, Mapping[str, Any]]) -> Write:
    puts = {Place("sample", r, n): v for r, values in records.items() for n, v in values.items()}
    return Write("report_many", {"records": dict(records), "overwrite": True}, puts)


def set_status(record: str, status: str, message: str) -> Write:
    args = {"record": record, "status": status, "message": message}
    return Write("set_status", args, statuses={Place("sample", record): (status, message)})


def removal(record: str, result: str | None = None, level: str = "sample") -> Write:
    args = _where(record, level) if result is None else {**_where(record, level), "result": result}
    return Write("remove", args, empties=[Place(level, record, result)])


def _where(record: str, level: str) -> dict[str, Any]:
    return {"record": record} if level == "sample" else {"record": record, "level": level}


def _nothing(_: int) -> Sequence[Write]:
    return ()


@dataclass(frozen=True)
class Scenario:
    """What each of several writers does: `write` says what number i writes in round r.

    `first` is written before, and depends on their number. `needs` are capabilities.
    """

    write: Callable[[int, int], Write]
    first: Callable[[int], Sequence[Write]] = _nothing
    needs: tuple[str, ...] = ()
    opening: Opening = OPENING
    numbers: tuple[int, ...] = (8,)


class Ledger:
    """What was sent and what was acknowledged so far; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._put: dict[Place, int] = {}
        self._emptying: set[Place] = set()
        self._emptied: set[Place] = set()

    def sent(self, write: Write) -> None:
        """Enter what may happen from now on."""
        with self._lock:
            self._emptying.update(write.empties)

    def acknowledged(self, write: Write) -> None:
        """Enter what has happened."""
        with self._lock:
            for place in write.puts:
                self._put[place] = self._put.get(place, 0) + 1
            for place in write.statuses:
                self._put.setdefault(place, 1)
            self._emptied.update(write.empties)

    def put(self) -> Mapping[Place, int]:
        """Return how often each place was given a value that is acknowledged."""
        with self._lock:
            return dict(self._put)

    def emptied(self) -> set[Place]:
        """Return the places whose removal is acknowledged."""
        with self._lock:
            return set(self._emptied)

    def may_be_empty(self, place: Place) -> bool:
        """Tell whether the removal of a place, or of its record, has been asked for."""
        with self._lock:
            return bool(self._emptying & {place, place._replace(result=None)})
