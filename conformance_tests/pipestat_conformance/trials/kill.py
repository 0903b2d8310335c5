"""Writers that are killed: after an acknowledgement, and in the middle of a request."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.special_values import to_json
from pipestat_conformance.trials.pool import Stage, Told, succeed

__all__ = ["SECONDS", "TRIALS", "acknowledged", "in_flight", "next_writer"]

TRIALS = 20
# The next writer has so long.
SECONDS = 2.0
_LARGE = 200_000


def _value(number: int) -> str:
    return f"{number} " + "abcdefgh" * (_LARGE // 8)


def acknowledged(stage: Stage) -> Told:
    """Kill the writer as soon as it has acknowledged; all of it has to be there."""
    for number in range(TRIALS):
        victim = stage.open(stage.pool.fresh())
        args = {"record": f"s{number}", "values": {"n": number, "text": _value(number)}}
        succeed(victim.perform("report", args), f"trial {number}: report")
        _kill(victim)
        victim.abandon()
    (reader,) = stage.pool.targets(1)
    reader.end()
    stage.open(reader)
    for number in range(TRIALS):
        found = reader.perform("retrieve", {"record": f"s{number}"})
        if found.kind != "result" or found.result != {"n": number, "text": _value(number)}:
            raise VectorFailed(
                f"trial {number}: what was acknowledged is not there after SIGKILL", answer=found
            )
    return Told(f"{TRIALS} writers killed after an acknowledgement: {TRIALS} writes present")


def in_flight(stage: Stage) -> Told:
    """Kill the writer at a seeded moment of a request: old or new, and readable."""
    return _interrupted(stage, patience=None)


def next_writer(stage: Stage) -> Told:
    """Kill the writer at a seeded moment of a request: the next one is not held up."""
    return _interrupted(stage, patience=SECONDS)


def _interrupted(stage: Stage, patience: float | None) -> Told:
    (witness,) = stage.pool.targets(1)
    stage.open(witness)
    _report(witness, "s", {"text": _value(0), "n": 0})
    usual = _usual_time(witness)
    before, acknowledgements, news, slowest = 0, 0, 0, 0.0
    # A server may still store what a writer had sent before it was killed.
    late: tuple[int, ...] = ()
    for number in range(1, TRIALS + 1):
        done = _killed_while_writing(stage, number, usual)
        found = succeed(witness.perform("retrieve", {"record": "s"}), f"trial {number}: retrieve")
        possible = [{"text": _value(n), "n": n} for n in (before, *late, number)]
        new = possible[-1]
        if found not in possible:
            raise VectorFailed(
                f"trial {number}: the record is neither the old nor the new one: "
                f"n is {found.get('n')!r}, text has {len(str(found.get('text')))} characters"
            )
        if done and found != new:
            raise VectorFailed(f"trial {number}: an acknowledged write was lost")
        acknowledgements += done
        news += found == new
        before = found["n"]
        late = () if found == new else (number,)
        started = time.monotonic()
        _report(witness, f"after{number}", {"n": number})
        slowest = max(slowest, time.monotonic() - started)
        if patience is not None and slowest > patience:
            raise VectorFailed(
                f"trial {number}: the next writer took {slowest:.1f} s, not {patience:g} s"
            )
    _all_there(stage, witness)
    return Told(
        f"{TRIALS} writers killed in the middle of a request: each old or new",
        {"acknowledged": acknowledgements, "new": news, "slowest_next_writer": round(slowest, 3)},
    )


def _usual_time(driver: SubprocessDriver) -> float:
    started = time.monotonic()
    for number in range(3):
        _report(driver, "measured", {"text": _value(number)})
    return (time.monotonic() - started) / 3


def _report(driver: SubprocessDriver, record: str, values: Mapping[str, Any]) -> None:
    args = {"record": record, "values": dict(values), "overwrite": True}
    succeed(driver.perform("report", args), f"report of {record}")


def _killed_while_writing(stage: Stage, number: int, usual: float) -> bool:
    """Send a report, kill the writer at some moment; return whether it acknowledged."""
    victim = stage.open(stage.pool.fresh())
    # Half a request now and then; else from the last byte sent to a little after the answer.
    part = stage.random.random() if number % 5 == 0 else 1.0
    delay = stage.random.uniform(0, usual * 1.3)
    args = {"record": "s", "values": {"text": _value(number), "n": number}, "overwrite": True}
    message = {"cmd": "op", "op": "report", "args": args}
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
        raise VectorFailed(f"a report failed: {response}")
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
