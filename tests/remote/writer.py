"""A process that reports to a URL: `writer.py CONFIG_JSON RECORD FIRST COUNT`.

Prints `ready` when the store is open and waits for a line; then the number of each report
that was acknowledged, and at the end the seconds that all took.
"""

from __future__ import annotations

import json
import sys
import time

from pipestat_spec import PipestatManager


def main(config: str, record: str, first: str, count: str) -> None:
    psm = PipestatManager.from_config(json.loads(config))
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    for number in range(int(first), int(first) + int(count)):
        name = record.format(number=number)
        assert psm.report({f"n{number}": number}, name), name
        print(number, flush=True)
    print(f"took {time.monotonic() - start:.3f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
