"""The former values of a record's results, as they are shown (spec/core.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.change import Outcome
from pipestat_spec.models.record import HistoryEntry, HistoryLimit

__all__ = ["appended", "expired", "history_dict", "of_results"]


def of_results(
    entries: Iterable[HistoryEntry], results: Collection[str] | None
) -> list[HistoryEntry]:
    """Return the entries of the named results, None for all."""
    return [entry for entry in entries if results is None or entry.result in results]


def expired(entries: Sequence[HistoryEntry], limit: HistoryLimit) -> set[int]:
    """Return the places of the entries that a limit leaves no room for; they stand oldest first."""
    later: Counter[str] = Counter()
    found = set()
    for place in reversed(range(len(entries))):
        entry = entries[place]
        too_many = limit.keep is not None and later[entry.result] >= limit.keep
        if too_many or (limit.since is not None and entry.time < limit.since):
            found.add(place)
        later[entry.result] += 1
    return found


def appended(stored: Sequence[HistoryEntry], outcome: Outcome) -> tuple[HistoryEntry, ...]:
    """Return a history with what an outcome adds to it, and without what it leaves no room for."""
    entries = (*stored, *outcome.history)
    if outcome.keep is None or not outcome.history:
        return entries
    gone = expired(entries, HistoryLimit(keep=outcome.keep))
    return tuple(entry for place, entry in enumerate(entries) if place not in gone)


def history_dict(entries: Iterable[HistoryEntry]) -> dict[str, dict[str, JSONValue]]:
    """Return `{result: {time of replacement (UTC): old value}}`, in the order of the entries."""
    history: dict[str, dict[str, JSONValue]] = {}
    for entry in entries:
        history.setdefault(entry.result, {})[format_utc(entry.time)] = entry.value
    return history
