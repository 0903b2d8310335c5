"""`diff`: two stores of 10,000 records with 40 results, as a process from start to end."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, milliseconds
from pipestat_spec import PipestatManager
from tests.environments import clean_environment

RECORDS, RESULTS = 10_000, 40
ROUNDS = 3
# Of the second store: one result in a hundred is another one.
CHANGED = 0.01
TARGET = 3_000


def figures(folder: Path) -> Iterator[Figure]:
    """Measure the CPU of the command, on YAML files and on SQLite."""
    before = _records()
    after = _changed(before)
    for ending in ("yaml", "db"):
        stores = [f"before.{ending}", f"after.{ending}"]
        for name, records in zip(stores, (before, after), strict=True):
            with PipestatManager(results_file_path=folder / name, pipeline_name="p") as psm:
                psm.report_many(records)
        runs = [_cpu(["diff", *stores], folder) for _ in range(ROUNDS)]
        kind = "YAML" if ending == "yaml" else "SQLite"
        yield Figure(
            f"diff of {RECORDS} records x {RESULTS}, {kind}",
            milliseconds(runs),
            "ms",
            target=f"under {TARGET} ms of CPU",
            met=milliseconds(runs) < TARGET,
            runs={"ours": runs},
        )


def _records() -> dict[str, dict[str, Any]]:
    chance = random.Random(1)

    def value(number: int, result: int) -> Any:
        kinds = (number, round(chance.random(), 6), f"text {number}", [number, result])
        return kinds[result % len(kinds)]

    return {
        f"sample{number:05}": {f"result{i:02}": value(number, i) for i in range(RESULTS)}
        for number in range(RECORDS)
    }


def _changed(records: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    chance = random.Random(2)

    def value(old: Any) -> Any:
        if chance.random() >= CHANGED:
            return old
        return [*old, 0] if isinstance(old, list) else old + ("x" if isinstance(old, str) else 1)

    return {
        name: {result: value(old) for result, old in results.items()}
        for name, results in records.items()
    }


def _cpu(arguments: list[str], folder: Path) -> float:
    """Return the seconds of CPU that a command takes, its start included."""
    before = os.times()
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipestat_spec", *arguments],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    # Where a system does not tell, the time is the bound.
    return spent or time.perf_counter() - begin
