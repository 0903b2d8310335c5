"""How many records of a store have which status."""

from __future__ import annotations

from collections import Counter

from pipestat_spec.backend import Capability
from pipestat_spec.models.query import Comparison, Query
from pipestat_spec.models.record import Level
from pipestat_spec.store import Store

__all__ = ["count_statuses"]


def count_statuses(store: Store, level: Level) -> tuple[int, dict[str, int]]:
    """Return how many records there are, and how many of each status; others have none."""
    if Capability.NATIVE_QUERY not in store.backend.capabilities:
        records = store.select(Query(level, ())).records
        counts = Counter(record.status for record in records if record.status is not None)
        return len(records), dict(counts)
    # A database counts without reading: a search for each status.
    names = [row[0] for row in store.distinct(level, ["status"]) if isinstance(row[0], str)]
    found = {name: _count(store, level, name) for name in names}
    return store.count(level), found


def _count(store: Store, level: Level, status: str) -> int:
    where = Comparison(("status",), "eq", status)
    return store.select(Query(level, (), where, limit=1)).total_size
