"""How many records of a store have which status and which verdict."""

from __future__ import annotations

from collections import Counter

from pipestat_spec.backend import Capability
from pipestat_spec.documents.answers import LevelCounts
from pipestat_spec.models.query import Comparison, Query
from pipestat_spec.models.record import Level
from pipestat_spec.models.verdict import Verdict
from pipestat_spec.store import Store

__all__ = ["count_level"]


def count_level(store: Store, level: Level) -> LevelCounts:
    """Return the counts; a database makes them itself, by a search for each."""
    judge = store.judge(level)
    verdicts: dict[str, int] | None = None
    if Capability.NATIVE_QUERY in store.backend.capabilities:
        count = store.count(level)
        names = [row[0] for row in store.distinct(level, ["status"]) if isinstance(row[0], str)]
        statuses = {name: _count(store, level, "status", name) for name in names}
        if judge is not None:
            verdicts = {one.value: _count(store, level, judge.field, one.value) for one in Verdict}
    else:
        columns = () if judge is None else (judge.field,)
        records = store.select(Query(level, columns)).records
        count = len(records)
        statuses = dict(Counter(one.status for one in records if one.status is not None))
        if judge is not None:
            found = Counter(one.judgement.verdict for one in records if one.judgement is not None)
            verdicts = {one.value: found[one] for one in Verdict}
    return LevelCounts.model_validate({"count": count, "statuses": statuses, "verdicts": verdicts})


def _count(store: Store, level: Level, field: str, value: str) -> int:
    where = Comparison((field,), "eq", value)
    return store.select(Query(level, (), where, limit=1)).total_size
