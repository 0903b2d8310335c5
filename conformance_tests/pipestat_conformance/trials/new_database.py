"""Programs that open a new database at once: one makes the tables, nobody fails (PS-SQL-009)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipestat_conformance.drivers import VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.trials.pool import Stage, Told, all_at_once, succeed
from pipestat_conformance.vectors import Opening

__all__ = ["NUMBER", "trial"]

NUMBER = 8
ROUNDS = 4


def trial(stage: Stage) -> Told:
    """Open a namespace that has no tables, and make its first reports, with all at once.

    Several times over where the store holds several namespaces.
    """
    rounds = ROUNDS if "multi-namespace" in stage.capabilities else 1
    drivers = stage.pool.targets(NUMBER)
    all_at_once([driver.hello for driver in drivers])
    for number in range(rounds):
        barrier = threading.Barrier(NUMBER)
        opening = _opening(f"ns{number}")
        all_at_once([_first(stage, d, i, opening, barrier) for i, d in enumerate(drivers)])
        _check(stage, drivers[0], opening)
    return Told(f"{NUMBER} programs at once on {rounds} new tables")


def _opening(namespace: str) -> Opening:
    results = {"n": {"type": "integer"}, "text": {"type": "string"}, "info": {"type": "object"}}
    return Opening({"pipeline_name": namespace, "samples": results})


def _first(
    stage: Stage, driver: SubprocessDriver, i: int, opening: Opening, barrier: threading.Barrier
) -> Callable[[], None]:
    def run() -> None:
        try:
            barrier.wait(timeout=driver.timeout * 2)
            stage.open(driver, opening)
            args = {"record": f"s{i}", "values": {"n": i, "info": {"undeclared": False}}}
            succeed(driver.perform("report", args), f"program {i}: report")
        except BaseException:
            barrier.abort()
            raise

    return run


def _check(stage: Stage, driver: SubprocessDriver, opening: Opening) -> None:
    driver.end()
    stage.open(driver, opening)
    stored = {
        record: succeed(driver.perform("value", {"record": record, "result": "n"}), "value")
        for record in succeed(driver.perform("records", {}), "records")
    }
    if stored != {f"s{i}": i for i in range(NUMBER)}:
        raise VectorFailed(f"{NUMBER} programs reported a record each, stored are {stored}")
