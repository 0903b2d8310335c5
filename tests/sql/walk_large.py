"""Walks all pages of a large table in a fresh process and prints how much memory it took."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from pipestat_sql.database.options import SqlOptions
from pipestat_sql.plugin import SqlFactory

from pipestat_spec.backend import StoreSettings
from pipestat_spec.models.query import And, Comparison, Like, Query
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA


def peak_memory() -> int:
    """Return the most memory that this process has had so far, in bytes."""
    # Not getrusage: that begins with what the parent had.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def main(options: str) -> None:
    settings = StoreSettings(
        namespace="demo",
        statuses=DEFAULT_STATUS_SCHEMA,
        options=SqlOptions.model_validate(json.loads(options)),
    )
    backend = SqlFactory().open(settings)
    where = And((Comparison(("n",), "ge", 10), Like(("s",), "%x_")))
    # Everything is imported, and the statement known, before the memory is measured.
    backend.select(Query(where=where, limit=1))
    before = peak_memory()
    first = backend.select(Query(where=where, limit=100))
    seen, cursor = len(first.records), first.next_cursor
    while cursor is not None:
        page = backend.select(Query(where=where, limit=2_000, cursor=cursor))
        seen += len(page.records)
        cursor = page.next_cursor
    backend.close()
    print(json.dumps({"grown": peak_memory() - before, "total": first.total_size, "seen": seen}))


if __name__ == "__main__":
    main(sys.argv[1])
