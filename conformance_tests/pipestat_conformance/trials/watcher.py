"""A reader that looks on while others write: nothing torn, nothing missing, nothing too early."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.trials.pool import succeed
from pipestat_conformance.trials.writes import Ledger, Place, Write

__all__ = ["Watcher"]


class Watcher:
    """Asks for everything, again and again, until it is told to stop.

    A read sees what was acknowledged before it began (PS-GUA-006), so a value that is missing
    then is as wrong as one that nobody wrote; and so is a value that was replaced and stands
    in no history, or half of a batch.
    """

    def __init__(
        self,
        driver: SubprocessDriver,
        ledger: Ledger,
        writes: Sequence[Write],
        capabilities: Collection[str],
    ) -> None:
        self.reads = 0
        self.problem: VectorFailed | HarnessError | None = None
        self.stop = threading.Event()
        self._driver = driver
        self._ledger = ledger
        self._history = "history" in capabilities
        self._values: dict[Place, list[Any]] = {}
        for write in writes:
            for place, value in write.puts.items():
                self._values.setdefault(place, []).append(value)
        self._statuses = {place for write in writes for place in write.statuses}
        self._levels = sorted({place.level for place in (*self._values, *self._statuses)})
        self._batches = (
            [sorted({place.record for place in w.puts}) for w in writes if w.op == "report_many"]
            if "atomic-batch" in capabilities
            else []
        )
        # Values that were looked at, of results that are written more than once.
        self._seen: dict[Place, list[Any]] = {}

    def watch(self) -> None:
        """Read until the event is set; keep the first problem."""
        try:
            while not self.stop.is_set():
                for level in self._levels:
                    self._look(level)
                self.reads += 1
        except (VectorFailed, HarnessError) as error:
            self.problem = error

    def _look(self, level: str) -> None:
        put, emptied = self._ledger.put(), self._ledger.emptied()
        listed = self._ask("records", level)
        found: dict[Place, Any] = {}
        for record in listed:
            answer = self._driver.perform("retrieve", _where(level, record))
            if answer.code == "not-found" and self._ledger.may_be_empty(Place(level, record)):
                continue
            values = succeed(answer, f"reader: retrieve {record}")
            found.update({Place(level, record, name): v for name, v in values.items()})
        self._check_values(found, emptied)
        for place in put:
            missing = place.record not in listed if place.result is None else place not in found
            if place.level == level and missing and not self._ledger.may_be_empty(place):
                raise VectorFailed(f"reader: {_name(place)} is missing, and was acknowledged")
        self._check_batches(level, listed)
        for place in self._statuses:
            if place.level == level and place in put and self._status(place) is None:
                raise VectorFailed(f"reader: {_name(place)} has no status, and one was set")
        if self._history:
            self._check_histories(level, found, put)

    def _check_values(self, found: Mapping[Place, Any], emptied: set[Place]) -> None:
        for place, value in found.items():
            if value not in self._values.get(place, ()):
                raise VectorFailed(
                    f"reader: {_name(place)} is {str(value)[:80]!r}, which nobody wrote"
                )
            if emptied & {place, place._replace(result=None)}:
                raise VectorFailed(f"reader: {_name(place)} was removed, and is there")

    def _check_batches(self, level: str, listed: Collection[str]) -> None:
        """Ask for what is missing of a batch of which a part was listed."""
        for batch in self._batches if level == "sample" else ():
            missing = [
                record
                for record in batch
                if record not in listed and not self._ledger.may_be_empty(Place(level, record))
            ]
            # The record that all batches share says nothing.
            if missing and len(missing) < len(batch) - 1:
                self._ask("retrieve", level, record=missing[0])

    def _status(self, place: Place) -> Any:
        return self._ask("get_status", place.level, record=place.record)

    def _check_histories(
        self, level: str, found: Mapping[Place, Any], put: Mapping[Place, int]
    ) -> None:
        several = {
            place
            for place, values in self._values.items()
            if place.level == level and len(values) > 1 and place in found
        }
        for record in sorted({place.record for place in several}):
            histories = self._ask("history", level, record=record)
            for place in (place for place in several if place.record == record):
                kept = list(histories.get(place.result, {}).values())
                self._check_history(place, found[place], kept, put.get(place, 0))

    def _check_history(self, place: Place, value: Any, kept: list[Any], put: int) -> None:
        seen = self._seen.setdefault(place, [])
        if value not in seen:
            seen.append(value)
        if len(kept) < put - 1:
            raise VectorFailed(
                f"reader: {put} values were acknowledged for {_name(place)}, "
                f"and the history holds {len(kept)}"
            )
        lost = [old for old in seen if old != value and old not in kept]
        if lost:
            raise VectorFailed(
                f"reader: {_name(place)} was {str(lost[0])[:80]!r}, and the history lacks it"
            )

    def _ask(self, op: str, level: str, **args: Any) -> Any:
        where = {} if level == "sample" else {"level": level}
        said = f"reader: {op} {args.get('record', '')}".rstrip()
        return succeed(self._driver.perform(op, {**args, **where}), said)


def _where(level: str, record: str) -> dict[str, Any]:
    return {"record": record} if level == "sample" else {"record": record, "level": level}


def _name(place: Place) -> str:
    name = place.record if place.result is None else f"{place.record}.{place.result}"
    return name if place.level == "sample" else f"{name} of the {place.level}"
