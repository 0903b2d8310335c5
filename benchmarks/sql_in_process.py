"""Measure one package on PostgreSQL; run by `benchmarks`, in either environment.

    python sql_in_process.py PACKAGE CONFIG COUNT REPEATS

PACKAGE is `pipestat_spec` or `pipestat`. Fills a table with COUNT records and prints one line of
JSON: the seconds of each repetition. It imports nothing of ours but PACKAGE.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

VALUES = {"rate": 0.5, "name": "a name", "passed": True, "tags": [1, 2, 3]}


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def main() -> None:
    package, config, count, repeats = sys.argv[1:5]
    psm: Any = importlib.import_module(package).PipestatManager.from_db_backend(config)
    for number in range(int(count)):
        psm.report(record_identifier=f"s{number}", values={"reads": number, **VALUES})
    psm.retrieve_one("s0")
    found: dict[str, list[float]] = {"report": [], "update": [], "retrieve": [], "select": []}
    condition = [{"key": "reads", "operator": "ge", "value": int(count) // 2}]
    for number in range(int(repeats)):
        record = f"s{number % int(count)}"
        calls = {
            "report": partial(
                psm.report, record_identifier=f"new{number}", values={"reads": -1, **VALUES}
            ),
            "update": partial(
                psm.report,
                record_identifier=record,
                values={"rate": number + 0.25},
                force_overwrite=True,
            ),
            "retrieve": partial(psm.retrieve_one, record),
            "select": partial(psm.select_records, filter_conditions=condition, limit=50),
        }
        for kind, call in calls.items():
            found[kind].append(seconds(call))
    print(json.dumps(found))


main()
