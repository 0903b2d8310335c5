"""Many writers at once, behind a barrier, while a reader looks on (PS-GUA-002, PS-GUA-003)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.trials.pool import Stage, Told, all_at_once, succeed
from pipestat_conformance.trials.watcher import Watcher
from pipestat_conformance.trials.writes import (
    BOTH_LEVELS,
    STATUSES,
    Ledger,
    Place,
    Scenario,
    Write,
    removal,
    report,
    report_many,
    set_status,
)

__all__ = ["SCENARIOS", "trial", "write_together"]

NUMBERS = (2, 8, 32)
ROUNDS = 4
_TEXT = "x" * 300


def _batch(i: int, r: int) -> Write:
    return report_many(
        {
            f"a{i}.{r}": {"n": i, "text": _TEXT},
            "shared": {f"b{i}.{r}": i, "value": f"{i}.{r}"},
            f"z{i}.{r}": {"n": i, "text": _TEXT},
        }
    )


def _status(i: int, r: int) -> Write:
    return set_status("shared", STATUSES[(i + r) % len(STATUSES)], f"{i}.{r}")


def _to_remove(writers: int) -> Sequence[Write]:
    numbers = [f"{i}.{r}" for i in range(writers) for r in range(ROUNDS)]
    return [
        report("shared", {f"gone{number}": _TEXT for number in numbers}),
        report_many({f"whole{number}": {"n": 1} for number in numbers}),
    ]


def _removal(i: int, r: int) -> Write:
    return removal(f"whole{i}.{r}") if r % 2 else removal("shared", f"gone{i}.{r}")


def _either(i: int, r: int, one: Write) -> Write:
    """Let every other writer report to the record that the others write to."""
    return report("shared", {f"n{i}.{r}": i, "value": f"{i}.{r}"}) if i % 2 else one


def _of_a_level(i: int, r: int) -> Write:
    level = "sample" if i % 4 == 3 else "project"
    return report("shared", {f"n{i}.{r}": i, "value": f"{i}.{r} {_TEXT}"}, level)


def _mixed(i: int, r: int) -> Write:
    kinds = (_of_a_level, _batch, _status, _removal)
    return kinds[(i + r) % len(kinds)](i, r)


SCENARIOS: Mapping[str, Scenario] = {
    "different-records": Scenario(
        lambda i, r: report(f"s{i}.{r}", {"n": i, "text": _TEXT}), numbers=NUMBERS
    ),
    "different-results": Scenario(
        lambda i, r: report("shared", {f"n{i}.{r}": i, f"t{i}.{r}": _TEXT}), numbers=NUMBERS
    ),
    "same-result": Scenario(
        lambda i, r: report("shared", {"value": f"{i}.{r} {_TEXT}"}), numbers=NUMBERS
    ),
    "first-report": Scenario(
        lambda i, r: report(f"new{r}", {f"n{i}": r, f"t{i}": _TEXT}), numbers=NUMBERS
    ),
    "batches": Scenario(_batch),
    "statuses": Scenario(lambda i, r: _either(i, r, _status(i, r)), needs=("status", "source")),
    "removals": Scenario(lambda i, r: _either(i, r, _removal(i, r)), first=_to_remove),
    "project-level": Scenario(_of_a_level, needs=("project-level",), opening=BOTH_LEVELS),
    "mixed": Scenario(
        _mixed,
        first=_to_remove,
        needs=("status", "source", "project-level"),
        opening=BOTH_LEVELS,
        numbers=NUMBERS,
    ),
}


def trial(scenario: Scenario, number: int) -> Callable[[Stage], Told]:
    """Return a trial of `number` writers of the target."""

    def made(stage: Stage) -> Told:
        return write_together(stage, stage.pool.targets(number + 1), scenario)

    return made


def write_together(stage: Stage, drivers: Sequence[SubprocessDriver], scenario: Scenario) -> Told:
    """Let all drivers but the last write at once, the last one read; check what is stored."""
    *writers, reader = drivers
    stage.open_all(drivers, scenario.opening)
    planned = [[scenario.write(i, r) for r in range(ROUNDS)] for i in range(len(writers))]
    first = scenario.first(len(writers))
    writes = [*first, *(write for own in planned for write in own)]
    ledger = Ledger()
    for write in first:
        _perform(reader, write, ledger, "before")
    watcher = Watcher(reader, ledger, writes, stage.capabilities)
    barrier = threading.Barrier(len(writers))
    thread = threading.Thread(target=watcher.watch)
    thread.start()
    try:
        all_at_once(
            [
                _writing(driver, own, barrier, ledger, f"writer {i}")
                for i, (driver, own) in enumerate(zip(writers, planned, strict=True))
            ]
        )
    finally:
        watcher.stop.set()
        thread.join()
    if isinstance(watcher.problem, HarnessError):
        raise watcher.problem
    # What counts is what a process finds that has seen nothing of all this.
    reader.end()
    stage.open(reader, scenario.opening)
    _Stored(reader, stage.capabilities).check(first, planned)
    if watcher.problem is not None:
        raise watcher.problem
    total = len(writers) * ROUNDS
    return Told(
        f"{len(writers)} writers: acknowledged {total}, stored {total}", {"reads": watcher.reads}
    )


def _writing(
    driver: SubprocessDriver,
    writes: Sequence[Write],
    barrier: threading.Barrier,
    ledger: Ledger,
    who: str,
) -> Callable[[], None]:
    def run() -> None:
        try:
            for r, write in enumerate(writes):
                barrier.wait(timeout=driver.timeout * 2)
                _perform(driver, write, ledger, f"{who}, round {r}")
        except BaseException:
            barrier.abort()
            raise

    return run


def _perform(driver: SubprocessDriver, write: Write, ledger: Ledger, who: str) -> None:
    ledger.sent(write)
    succeed(driver.perform(write.op, write.args), f"{who}: {write.op}")
    ledger.acknowledged(write)


class _Stored:
    """What is stored in the end, compared with all that was acknowledged."""

    def __init__(self, reader: SubprocessDriver, capabilities: Sequence[str]) -> None:
        self._reader = reader
        self._capabilities = capabilities

    def check(self, first: Sequence[Write], planned: Sequence[Sequence[Write]]) -> None:
        """Raise VectorFailed for what is lost, left over, or was not written last."""
        writes = [*first, *(write for own in planned for write in own)]
        emptied = {place for write in writes for place in write.empties}
        # What one writer wrote before its last write to a place cannot stand there.
        last: dict[Place, list[Any]] = {}
        for own in (*planned, first):
            latest = {
                place: value for w in own for place, value in {**w.puts, **w.statuses}.items()
            }
            for place, value in latest.items():
                last.setdefault(place, []).append(value)
        for level in sorted({place.level for place in last}):
            wanted = {
                place: values
                for place, values in last.items()
                if place.level == level and not emptied & {place, place._replace(result=None)}
            }
            self._check_level(level, wanted, emptied)
        if "history" in self._capabilities:
            self._check_histories(writes, emptied)

    def _check_level(
        self, level: str, last: Mapping[Place, Sequence[Any]], emptied: set[Place]
    ) -> None:
        listed = self._ask("records", level)
        stored: dict[Place, Any] = {
            Place(level, record, name): value
            for record in listed
            for name, value in self._ask("retrieve", level, record=record).items()
        }
        results = {place for place in last if place.result is not None}
        records = {place.record for place in last}
        records |= {p.record for p in emptied if p.level == level and p.result is not None}
        if listed != sorted(records) or stored.keys() != results:
            raise VectorFailed(
                f"acknowledged {len(results)} results in {len(records)} records, "
                f"stored {len(stored)} in {len(listed)}"
            )
        for place, values in last.items():
            if place.result is None:
                told = self._ask("describe", level, record=place.record)
                found: Any = (told["status"], told["status_message"])
            else:
                found = stored[place]
            if found not in values:
                raise VectorFailed(
                    f"{place.record}.{place.result or 'status'} is none of the values written last"
                )

    def _check_histories(self, writes: Sequence[Write], emptied: set[Place]) -> None:
        """Every value that was replaced or removed stands in the history, once, and no other."""
        put: dict[Place, list[Any]] = {}
        for write in writes:
            for place, value in write.puts.items():
                put.setdefault(place, []).append(value)
        gone = {place._replace(result=None) for place in emptied if place.result is None}
        of_records: dict[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {}
        for place, values in put.items():
            if place._replace(result=None) in gone or (len(values) == 1 and place not in emptied):
                continue
            record = place.level, place.record
            if record not in of_records:
                of_records[record] = self._ask("history", place.level, record=place.record)
            kept = list(of_records[record].get(str(place.result), {}).values())
            wanted = len(values) - (place not in emptied)
            if len(kept) != wanted or Counter(map(str, kept)) - Counter(map(str, values)):
                raise VectorFailed(
                    f"{len(values)} values were acknowledged for {place.record}.{place.result}, "
                    f"and the history holds {len(kept)}, not {wanted}"
                )

    def _ask(self, op: str, level: str, **args: Any) -> Any:
        where = {} if level == "sample" else {"level": level}
        return succeed(self._reader.perform(op, {**args, **where}), op)
