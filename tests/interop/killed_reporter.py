"""Reports until it is killed, or up to a number: `killed_reporter.py FILE LAYOUT FIRST [LAST]`.

Prints a number when the report of that number was acknowledged, and the number with a minus when
the status that follows it was.
"""

from __future__ import annotations

import sys

from pipestat_spec import PipestatManager

RECORDS = 3
STATUSES = ("running", "partial", "completed", "failed")


def status_of(number: int) -> str:
    """Return the status that follows a report."""
    return STATUSES[number // RECORDS % len(STATUSES)]


def main(file: str, layout: str, first: str, last: str = "0") -> None:
    psm = PipestatManager(results_file_path=file, layout=layout, pipeline_name="p")
    number = int(first)
    while True:
        record = f"s{number % RECORDS}"
        psm.report({f"n{number}": number, "last": number}, record)
        print(number, flush=True)
        psm.set_status(status_of(number), record)
        print(-number, flush=True)
        if number == int(last):
            return
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
