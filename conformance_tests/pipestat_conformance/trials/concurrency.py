"""Many writers at once, behind a barrier, while a reader looks on (PS-GUA-002, PS-GUA-003)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.trials.pool import Stage, Told, all_at_once, succeed

__all__ = ["NUMBERS", "SCENARIOS", "Scenario", "final_records", "trial", "write_together"]

NUMBERS = (2, 8, 32)
ROUNDS = 4
_TEXT = "x" * 300


@dataclass(frozen=True)
class Write:
    """One report: which record, which values."""

    record: str
    values: Mapping[str, Any]


# Says what writer number i reports in round r.
Scenario = Callable[[int, int], Write]

SCENARIOS: Mapping[str, Scenario] = {
    "different-records": lambda i, r: Write(f"s{i}.{r}", {"n": i, "text": _TEXT}),
    "different-results": lambda i, r: Write("shared", {f"n{i}.{r}": i, f"t{i}.{r}": _TEXT}),
    "same-result": lambda i, r: Write("shared", {"value": f"{i}.{r} {_TEXT}"}),
    "first-report": lambda i, r: Write(f"new{r}", {f"n{i}": r, f"t{i}": _TEXT}),
}


def trial(scenario: Scenario, number: int) -> Callable[[Stage], Told]:
    """Return a trial of `number` writers of the target."""

    def made(stage: Stage) -> Told:
        return write_together(stage, stage.pool.targets(number + 1), scenario)

    return made


def write_together(stage: Stage, drivers: Sequence[SubprocessDriver], scenario: Scenario) -> Told:
    """Let all drivers but the last write at once, the last one read; check what is stored."""
    *writers, reader = drivers
    stage.open_all(drivers)
    barrier = threading.Barrier(len(writers))
    stop = threading.Event()
    watcher = Watcher(reader, stop, scenario, len(writers))
    thread = threading.Thread(target=watcher.watch)
    thread.start()
    try:
        all_at_once([_writing(w, i, barrier, scenario) for i, w in enumerate(writers)])
    finally:
        stop.set()
        thread.join()
    if isinstance(watcher.problem, HarnessError):
        raise watcher.problem
    # What counts is what a process finds that has seen nothing of all this.
    reader.end()
    stage.open(reader)
    _check(stage, reader, scenario, len(writers))
    if watcher.problem is not None:
        raise watcher.problem
    total = len(writers) * ROUNDS
    return Told(
        f"{len(writers)} writers: acknowledged {total}, stored {total}", {"reads": watcher.reads}
    )


def _writing(
    driver: SubprocessDriver, number: int, barrier: threading.Barrier, scenario: Scenario
) -> Callable[[], None]:
    def run() -> None:
        try:
            for r in range(ROUNDS):
                barrier.wait(timeout=driver.timeout * 2)
                _report(driver, scenario(number, r), f"writer {number}, round {r}")
        except BaseException:
            barrier.abort()
            raise

    return run


def _report(driver: SubprocessDriver, write: Write, who: str) -> None:
    args = {"record": write.record, "values": write.values, "overwrite": True}
    succeed(driver.perform("report", args), f"{who}: report")


class Watcher:
    """A reader that asks for everything, again and again, until it is told to stop."""

    def __init__(
        self, driver: SubprocessDriver, stop: threading.Event, scenario: Scenario, writers: int
    ) -> None:
        self.reads = 0
        self.problem: VectorFailed | HarnessError | None = None
        self._driver = driver
        self._stop = stop
        self._written = _written_values(scenario, writers)

    def watch(self) -> None:
        """Read until the event is set; keep the first problem."""
        try:
            while not self._stop.is_set():
                for record in succeed(self._driver.perform("records", {}), "reader: records"):
                    self._look_at(record)
                self.reads += 1
        except (VectorFailed, HarnessError) as error:
            self.problem = error

    def _look_at(self, record: str) -> None:
        args = {"record": record}
        values = succeed(self._driver.perform("retrieve", args), f"reader: retrieve {record}")
        for name, value in values.items():
            if value not in self._written.get((record, name), ()):
                raise VectorFailed(
                    f"reader: {record}.{name} is {str(value)[:80]!r}, which nobody wrote"
                )


def _written_values(scenario: Scenario, writers: int) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for r in range(ROUNDS):
        for i in range(writers):
            write = scenario(i, r)
            for name, value in write.values.items():
                found.setdefault((write.record, name), []).append(value)
    return found


def final_records(scenario: Scenario, writers: int) -> dict[str, dict[str, list[Any]]]:
    """Return, per record and result, the values that may be stored at the end.

    The last value is one that some writer wrote last.
    """
    found: dict[str, dict[str, dict[int, Any]]] = {}
    for i in range(writers):
        for r in range(ROUNDS):
            write = scenario(i, r)
            for name, value in write.values.items():
                found.setdefault(write.record, {}).setdefault(name, {})[i] = value
    return {
        record: {name: list(last.values()) for name, last in results.items()}
        for record, results in found.items()
    }


def _check(stage: Stage, reader: SubprocessDriver, scenario: Scenario, writers: int) -> None:
    expected = final_records(scenario, writers)
    listed = succeed(reader.perform("records", {}), "records")
    stored = {
        record: succeed(reader.perform("retrieve", {"record": record}), f"retrieve {record}")
        for record in listed
    }
    wanted = sum(len(results) for results in expected.values())
    there = sum(len(results) for results in stored.values())
    if listed != sorted(expected) or there != wanted:
        raise VectorFailed(
            f"acknowledged {wanted} results in {len(expected)} records, "
            f"stored {there} in {len(listed)}"
        )
    for record, results in expected.items():
        for name, last in results.items():
            if stored[record].get(name) not in last:
                raise VectorFailed(f"{record}.{name} is none of the values written last")
    if "history" in stage.capabilities:
        _check_history(reader, scenario, writers)


def _check_history(reader: SubprocessDriver, scenario: Scenario, writers: int) -> None:
    """Every replaced value stands in the history: none was lost on the way."""
    for (record, name), values in _written_values(scenario, writers).items():
        if len(set(values)) > 1:
            args = {"record": record, "result": name}
            history = succeed(reader.perform("history", args), "history").get(name, {})
            if len(history) != len(values) - 1:
                raise VectorFailed(
                    f"{len(values)} values were acknowledged for {record}.{name}, "
                    f"and the history holds {len(history)}, not {len(values) - 1}"
                )
