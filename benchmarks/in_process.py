"""Measure one package in a warm process; run by `benchmarks`, in either environment.

    python in_process.py PACKAGE FILE SCHEMA COUNT REPEATS [floor]

PACKAGE is `pipestat_spec` or `pipestat`; FILE holds COUNT records. Prints one line of JSON:
seconds of each repetition, and the process's peak memory in MB. It imports nothing of ours
but PACKAGE, so that it runs where only that is installed.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def floor(path: Path) -> None:
    """Do what any safe writer of a whole file has to: lock, read, write, sync, replace."""
    folder = path.parent
    with open(folder / f".{path.name}.floor.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        data = path.read_bytes()
        temporary = folder / f".{path.name}.floor.tmp"
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path.with_suffix(".floor"))
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def peak_megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def retrieve(psm: Any, record: str, found: dict[str, Any]) -> None:
    # pipestat 0.13.1 does not find records beyond the first 1,000.
    try:
        psm.retrieve_one(record)
    except LookupError:
        found["missed"] += 1


def main() -> None:
    package, file, schema, count, repeats = sys.argv[1:6]
    psm: Any = importlib.import_module(package).PipestatManager.from_file_backend(
        results_file_path=file, schema_path=schema
    )
    middle = int(count) // 2
    values = {"rate": 0.5, "name": "a name", "passed": True, "tags": [1, 2, 3]}
    found: dict[str, Any] = {"floor": [], "new": [], "update": [], "retrieve": [], "missed": 0}
    psm.report(record_identifier="warm", values={"reads": 0, **values})
    # In turns, so that a busy moment of the machine meets all of them.
    for number in range(int(repeats)):
        if "floor" in sys.argv[6:]:
            found["floor"].append(seconds(lambda: floor(Path(file))))
        reports = {
            "new": partial(psm.report, {"reads": number, **values}, f"new{number}"),
            "update": partial(psm.report, {"reads": -1 - number}, f"s{middle + number}", True),
        }
        for kind, report in reports.items():
            found[kind].append(seconds(report))
        found["retrieve"].append(seconds(partial(retrieve, psm, f"s{middle + number}", found)))
    found["peak_mb"] = peak_megabytes()
    print(json.dumps(found))


main()
