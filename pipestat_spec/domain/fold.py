"""Folding what several report documents say of one record (SPEC.md section 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipestat_spec.models.record import JSONValue

__all__ = ["Contribution", "fold"]

# A document without a time comes before all that have one.
_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one document, or several folded ones, say of one record.

    `attempt` is 0 and `time` None where the document does not tell.
    """

    results: Mapping[str, JSONValue] = field(default_factory=dict)
    status: str | None = None
    status_message: str | None = None
    source: Mapping[str, JSONValue] | None = None
    attempt: int = 0
    time: datetime | None = None


def fold(contributions: Iterable[Contribution]) -> Contribution:
    """Return one contribution for those of one record, given in their order.

    For each result, for the status with its message, and for the source, the highest
    attempt wins, then the latest time, then the last in order. The attempt and the time
    of the outcome are those of the document that ranks highest.
    """
    results: dict[str, JSONValue] = {}
    status: tuple[str | None, str | None] = (None, None)
    source: Mapping[str, JSONValue] | None = None
    attempt, time = 0, None
    # The sort is stable: of equal rank the last one overwrites.
    for item in sorted(contributions, key=_rank):
        results.update(item.results)
        if item.status is not None:
            status = item.status, item.status_message
        if item.source is not None:
            source = item.source
        attempt, time = item.attempt, item.time
    return Contribution(results, *status, source, attempt, time)


def _rank(contribution: Contribution) -> tuple[int, datetime]:
    return contribution.attempt, contribution.time or _NO_TIME
