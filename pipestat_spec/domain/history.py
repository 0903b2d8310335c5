"""The former values of a record's results, as they are shown (spec/core.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import HistoryEntry

__all__ = ["history_dict", "of_results"]


def of_results(
    entries: Iterable[HistoryEntry], results: Collection[str] | None
) -> list[HistoryEntry]:
    """Return the entries of the named results, None for all."""
    return [entry for entry in entries if results is None or entry.result in results]


def history_dict(entries: Iterable[HistoryEntry]) -> dict[str, dict[str, JSONValue]]:
    """Return `{result: {time of replacement (UTC): old value}}`, in the order of the entries."""
    history: dict[str, dict[str, JSONValue]] = {}
    for entry in entries:
        history.setdefault(entry.result, {})[format_utc(entry.time)] = entry.value
    return history
