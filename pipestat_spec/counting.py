"""How many records a store has, and how many of each status and verdict."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict

from pipestat_spec.backend import Capability
from pipestat_spec.models.query import Comparison, Query
from pipestat_spec.models.record import Level
from pipestat_spec.models.verdict import Verdict
from pipestat_spec.store import Store

__all__ = ["Counts", "count_records"]


class Counts(TypedDict):
    """The records of one level; those without a status are in `count` alone.

    `verdicts` has all that there are, and is None where the level has no QC rules.
    """

    count: int
    statuses: dict[str, int]
    verdicts: dict[str, int] | None


def count_records(store: Store, level: Level) -> Counts:
    """Count the records of a level; a database counts without reading them."""
    judge = store.judge(level)
    if Capability.NATIVE_QUERY not in store.backend.capabilities:
        total, found, judged = 0, Counter[str](), Counter[str]()
        # Without verdicts no results are read.
        records = store.scan(level) if judge else store.select(Query(level, ())).records
        for record in records:
            total += 1
            if record.status is not None:
                found[record.status] += 1
            if record.judgement is not None:
                judged[record.judgement.verdict] += 1
        of_each = {str(v): judged[v] for v in Verdict} if judge else None
        return Counts(count=total, statuses=dict(found), verdicts=of_each)
    names = [row[0] for row in store.distinct(level, ["status"]) if isinstance(row[0], str)]
    verdicts = None
    if judge is not None:
        verdicts = {str(v): _matching(store, level, judge.field, v) for v in Verdict}
    statuses = {name: _matching(store, level, "status", name) for name in names}
    return Counts(count=store.count(level), statuses=statuses, verdicts=verdicts)


def _matching(store: Store, level: Level, field: str, value: str) -> int:
    where = Comparison((field,), "eq", value)
    return store.select(Query(level, (), where, limit=1)).total_size
