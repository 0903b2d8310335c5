"""A process that reports: `writer.py FILE RECORD FIRST COUNT [layout]` and says what is stored.

Reports the results `n{FIRST}`, ... one by one and prints the name of each that was
acknowledged; a status follows every fourth one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.yaml.stores import open_stored


def main(path: str, record: str, first: str, count: str, layout: str = "records") -> None:
    store = open_stored(Path(path), layout=layout)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(first), int(first) + int(count)):
        store.report(record, {f"n{number}": number})
        print(f"n{number}", flush=True)
        if number % 4 == 3:
            store.set_status(record, "running" if number % 8 == 3 else "failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
