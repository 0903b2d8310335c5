"""A record as it was at an earlier time, as far as its history tells (docs/diff.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import HistoryEntry, Record

__all__ = ["NOT_KNOWN", "record_at"]

# The status of a record that has got another one since; no status is called so.
NOT_KNOWN = "?"


def record_at(record: Record, entries: Iterable[HistoryEntry], moment: datetime) -> Record | None:
    """Return what a record was at a moment (UTC), None when it was not there.

    `entries` are its history, oldest first. The history tells until when a result had a value,
    not since when it was there: one that was reported first since the moment counts as there,
    with the first value that it had. Where a status began after the moment, the one before it
    is NOT_KNOWN. A record without a time is taken to be old.
    """
    if record.created is not None and record.created > moment:
        return None
    was = record
    if record.status_time is not None and record.status_time > moment:
        was = replace(was, status=NOT_KNOWN, status_message=None, status_time=None)
    if record.modified is not None and record.modified <= moment:
        return was
    then: dict[str, JSONValue] = {}
    for entry in entries:
        if entry.time > moment:
            then.setdefault(entry.result, entry.value)
    return replace(was, results={**record.results, **then})
