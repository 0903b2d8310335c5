"""Writers that are killed: after an acknowledgement, and in the middle of a request."""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.special_values import to_json
from pipestat_conformance.trials.pool import Stage, Told, succeed
from pipestat_conformance.trials.writes import STATUSES

__all__ = [
    *("SECONDS", "TIMES", "TRIALS", "acknowledged", "batch", "in_flight", "next_writer"),
    *("removal", "status"),
]

TRIALS = 20
# The next writer has so long, or so many times what a report usually takes: a busy machine holds
# up everybody.
SECONDS, TIMES = 2.0, 10
# Characters of the text of a trial. One in eight is larger than what a pipe holds; were all of
# them, the histories would soon be most of what is written, and of what a reader asks for.
_LARGE, _SMALL = 200_000, 10_000


def _large(number: int) -> bool:
    # None of those of which half a request is sent (_killed_while_writing).
    return number % 8 == 1


def _text(number: int) -> str:
    return f"{number} " + "abcdefgh" * ((_LARGE if _large(number) else _SMALL) // 8)


_Request = tuple[str, Mapping[str, Any]]
# What a store says, by part; each part is old or new as a whole.
_State = Mapping[str, Any]


class _Kind(ABC):
    """One kind of write: what is asked for, what a reader then finds, and what it should find."""

    # What is written before.
    first: tuple[_Request, ...] = ()

    def __init__(self, stage: Stage) -> None:
        self.history = "history" in stage.capabilities
        # Whether the parts change together.
        self.together = True

    @abstractmethod
    def request(self, number: int) -> _Request:
        """Return the write of a trial."""

    @abstractmethod
    def read(self, driver: SubprocessDriver) -> _State:
        """Return what is stored."""

    @abstractmethod
    def after(self, state: _State, number: int) -> _State:
        """Return what has to be stored when the write of a trial was made."""


class _Report(_Kind):
    """A report that overwrites two results, one of them large; each has its history."""

    first = (("report", {"record": "reported", "values": {"text": _text(0), "n": 0}}),)

    def request(self, number: int) -> _Request:
        values = {"text": _text(number), "n": number}
        return "report", {"record": "reported", "values": values, "overwrite": True}

    def read(self, driver: SubprocessDriver) -> _State:
        values = _ask(driver, "retrieve", record="reported")
        return {"reported": (values, _entries(driver, "reported", "n") if self.history else [])}

    def after(self, state: _State, number: int) -> _State:
        values, entries = state["reported"]
        kept = [*entries, values["n"]] if self.history else []
        return {"reported": ({"text": _text(number), "n": number}, kept)}


class _Batch(_Kind):
    """A batch of three records that are overwritten; all of them or none, if that is claimed."""

    records = ("a", "b", "c")
    first = (
        ("report_many", {"records": {r: {"n": 0, "text": _text(0)} for r in ("a", "b", "c")}}),
    )

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.together = "atomic-batch" in stage.capabilities

    def request(self, number: int) -> _Request:
        values = {"n": number, "text": _text(number)}
        return "report_many", {"records": dict.fromkeys(self.records, values), "overwrite": True}

    def read(self, driver: SubprocessDriver) -> _State:
        return {
            record: (
                _ask(driver, "retrieve", record=record),
                _entries(driver, record, "n") if self.history else [],
            )
            for record in self.records
        }

    def after(self, state: _State, number: int) -> _State:
        return {
            record: (
                {"n": number, "text": _text(number)},
                [*entries, values["n"]] if self.history else [],
            )
            for record, (values, entries) in state.items()
        }


class _Status(_Kind):
    """A status and its message, of a record with large results."""

    first = (
        ("report", {"record": "stated", "values": {"text": _text(0)}}),
        ("set_status", {"record": "stated", "status": STATUSES[0], "message": "0"}),
    )

    def request(self, number: int) -> _Request:
        status = STATUSES[number % len(STATUSES)]
        return "set_status", {"record": "stated", "status": status, "message": f"{number}"}

    def read(self, driver: SubprocessDriver) -> _State:
        told = _ask(driver, "describe", record="stated")
        return {
            "status": told["status"],
            "message": told["status_message"],
            "results": _ask(driver, "retrieve", record="stated"),
        }

    def after(self, state: _State, number: int) -> _State:
        return {**state, "status": STATUSES[number % len(STATUSES)], "message": f"{number}"}


class _Removal(_Kind):
    """The removal of a large result; what is removed stands in the history."""

    @property
    def first(self) -> tuple[_Request, ...]:  # type: ignore[override]
        values = {f"r{number}": _text(number) for number in range(TRIALS + 1)}
        return (("report", {"record": "emptied", "values": values}),)

    def request(self, number: int) -> _Request:
        return "remove", {"record": "emptied", "result": f"r{number}"}

    def read(self, driver: SubprocessDriver) -> _State:
        values = _ask(driver, "retrieve", record="emptied")
        history = _ask(driver, "history", record="emptied") if self.history else {}
        kept = {name: list(entries.values()) for name, entries in history.items() if entries}
        return {"emptied": (values, kept)}

    def after(self, state: _State, number: int) -> _State:
        values, kept = state["emptied"]
        name = f"r{number}"
        left = {key: value for key, value in values.items() if key != name}
        return {"emptied": (left, {**kept, name: [_text(number)]} if self.history else {})}


def _ask(driver: SubprocessDriver, op: str, **args: Any) -> Any:
    return succeed(driver.perform(op, args), f"{op} of {args['record']}")


def _entries(driver: SubprocessDriver, record: str, result: str) -> list[Any]:
    entries = _ask(driver, "history", record=record, result=result).get(result, {})
    return [entries[time] for time in sorted(entries)]


def _kinds(stage: Stage) -> list[_Kind]:
    kinds: list[type[_Kind]] = [_Report, _Batch, _Removal]
    if {"status", "source"} <= set(stage.capabilities):
        kinds.append(_Status)
    return [kind(stage) for kind in kinds]


def acknowledged(stage: Stage) -> Told:
    """Kill the writer as soon as it has acknowledged; all of it has to be there.

    Reports, batches, removals and statuses take turns.
    """
    (witness,) = stage.pool.targets(1)
    stage.open(witness)
    kinds = _kinds(stage)
    states = [_prepared(witness, kind) for kind in kinds]
    for number in range(1, TRIALS + 1):
        turn = number % len(kinds)
        victim = stage.open(stage.pool.fresh())
        op, args = kinds[turn].request(number)
        succeed(victim.perform(op, args), f"trial {number}: {op}")
        _kill(victim)
        victim.abandon()
        states[turn] = kinds[turn].after(states[turn], number)
        _compare(witness, kinds[turn], states[turn], f"trial {number}: {op}")
    # What counts is what a process finds that has seen nothing of all this.
    witness.end()
    stage.open(witness)
    for kind, state in zip(kinds, states, strict=True):
        _compare(witness, kind, state, "in the end")
    return Told(f"{TRIALS} writers killed after an acknowledgement: {TRIALS} writes present")


def _prepared(driver: SubprocessDriver, kind: _Kind) -> _State:
    for op, args in kind.first:
        succeed(driver.perform(op, args), f"before: {op}")
    return kind.read(driver)


def _compare(driver: SubprocessDriver, kind: _Kind, state: _State, when: str) -> None:
    found = kind.read(driver)
    if found != state:
        raise VectorFailed(
            f"{when}: what was acknowledged is not there after SIGKILL: {_differ(found, state)}"
        )


def _differ(found: _State, *possible: _State) -> str:
    """Say in which part a state is none of those that are possible."""
    odd = [part for part in found if all(found[part] != state.get(part) for state in possible)]
    return ", ".join(f"{part} is {str(found[part])[:80]}" for part in odd) or "parts do not fit"


def in_flight(stage: Stage) -> Told:
    """Kill a report at a seeded moment: old or new, with its history, and readable."""
    return _interrupted(stage, _Report)


def batch(stage: Stage) -> Told:
    """Kill a batch at a seeded moment."""
    return _interrupted(stage, _Batch)


def status(stage: Stage) -> Told:
    """Kill the change of a status at a seeded moment."""
    return _interrupted(stage, _Status)


def removal(stage: Stage) -> Told:
    """Kill a removal at a seeded moment."""
    return _interrupted(stage, _Removal)


def next_writer(stage: Stage) -> Told:
    """Kill the writer at a seeded moment of a request: the next one is not held up."""
    return _interrupted(stage, _Report, patience=SECONDS)


def _interrupted(stage: Stage, made: type[_Kind], patience: float | None = None) -> Told:
    (witness,) = stage.pool.targets(1)
    stage.open(witness)
    kind = made(stage)
    state = _prepared(witness, kind)
    limit = None
    if patience is not None:
        limit = max(patience, *(TIMES * _usual_time(witness, number) for number in (0, 1)))
    acknowledgements, news, slowest = 0, 0, 0.0
    # A server may still store what a writer had sent before it was killed.
    late: int | None = None
    for number in range(1, TRIALS + 1):
        done = _killed_while_writing(stage, number, kind.request(number))
        found = kind.read(witness)
        olds = [state] if late is None else [state, kind.after(state, late)]
        possible = [*olds, *(kind.after(old, number) for old in olds)]
        if not _is_one_of(found, possible, kind.together):
            raise VectorFailed(
                f"trial {number}: the record is neither the old nor the new one: "
                f"{_differ(found, *possible)}"
            )
        new = _is_one_of(found, possible[len(olds) :], kind.together) and found not in olds
        if done and not new:
            raise VectorFailed(f"trial {number}: an acknowledged write was lost")
        acknowledgements += done
        news += new
        state, late = found, None if new else number
        started = time.monotonic()
        _report(witness, f"after{number}", {"n": number})
        slowest = max(slowest, time.monotonic() - started)
        if limit is not None and slowest > limit:
            raise VectorFailed(
                f"trial {number}: the next writer took {slowest:.1f} s, not {limit:.1f} s"
            )
    _all_there(stage, witness)
    return Told(
        f"{TRIALS} writers killed in the middle of a request: each old or new",
        {"acknowledged": acknowledgements, "new": news, "slowest_next_writer": round(slowest, 3)},
    )


def _is_one_of(found: _State, possible: Sequence[_State], together: bool) -> bool:
    if together:
        return found in possible
    return all(any(found[part] == state[part] for state in possible) for part in found)


def _usual_time(driver: SubprocessDriver, number: int) -> float:
    """Return the seconds that a process takes for a report whose text is as long as a trial's.

    The first write of a process takes longer than others, so the second one counts.
    """
    for before in (True, False):
        started = time.monotonic()
        _report(driver, "measured", {"text": f"{before} {_text(number)}"}, history=False)
    return time.monotonic() - started


def _report(
    driver: SubprocessDriver, record: str, values: Mapping[str, Any], *, history: bool = True
) -> None:
    args = {"record": record, "values": dict(values), "overwrite": True}
    if not history:
        args["history"] = False
    succeed(driver.perform("report", args), f"report of {record}")


def _killed_while_writing(stage: Stage, number: int, request: _Request) -> bool:
    """Send a write, kill the writer at some moment; return whether it acknowledged."""
    victim = stage.open(stage.pool.fresh())
    # The victim's own time: it is a new process, on a machine that may be busier by now.
    usual = _usual_time(victim, number)
    # Half a request now and then; else from the last byte sent to a little after the answer.
    part = stage.random.random() if number % 5 == 0 else 1.0
    delay = stage.random.uniform(0, usual * 1.3)
    message = {"cmd": "op", "op": request[0], "args": request[1]}
    try:
        _send_part(victim, message, part)
        time.sleep(delay)
        _kill(victim)
        return part == 1.0 and _answered(victim)
    finally:
        victim.abandon()


def _send_part(driver: SubprocessDriver, message: Mapping[str, Any], part: float) -> None:
    if part == 1.0:
        driver.send(message)
    else:
        assert driver.process is not None
        line = to_json(message).encode("ascii")
        driver.process.write(line[: int(len(line) * part)], driver.timeout, end=b"")


def _answered(driver: SubprocessDriver) -> bool:
    try:
        response = driver.receive()
    except HarnessError:
        return False
    if "ok" not in response:
        raise VectorFailed(f"a write failed: {response}")
    return True


def _kill(driver: SubprocessDriver) -> None:
    assert driver.process is not None
    os.killpg(driver.process.pid, signal.SIGKILL)


def _all_there(stage: Stage, witness: SubprocessDriver) -> None:
    witness.end()
    stage.open(witness)
    for number in range(1, TRIALS + 1):
        found = witness.perform("retrieve", {"record": f"after{number}"})
        if found.kind != "result" or found.result != {"n": number}:
            raise VectorFailed(f"the write after trial {number} is lost", answer=found)
