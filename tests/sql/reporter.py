"""A process that reports: `reporter.py CONFIG SCHEMA JOB ...`; waits for a line before it begins.

Prints `ready`, then what was acknowledged, a line each. Jobs: `many NUMBER COUNT` reports
results of its own records, `first NUMBER` reports one result of the record that all share,
`add NUMBER` reports a new result of its own record, `overwrite NUMBER COUNT` overwrites one result
of one record.
"""

from __future__ import annotations

import json
import sys

from pipestat_spec import PipestatManager


def main(config: str, schema: str, job: str, *arguments: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    with PipestatManager(config_dict=json.loads(config), schema_path=schema or None) as psm:
        numbers = [int(argument) for argument in arguments]
        if job == "many":
            number, count = numbers
            for i in range(count):
                assert psm.report({"n": i}, f"r{number}-{i}")
                print(f"r{number}-{i}", flush=True)
        elif job == "add":
            [number] = numbers
            assert psm.report({"m": str(number)}, f"r{number}")
            print(psm.record_count > 1)
        elif job == "first":
            [number] = numbers
            assert psm.report({f"n{number}": number}, "shared")
            print(number)
        elif job == "overwrite":
            number, count = numbers
            for i in range(count):
                assert psm.report({"n": number * 1000 + i}, "shared")
                print(number * 1000 + i, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
