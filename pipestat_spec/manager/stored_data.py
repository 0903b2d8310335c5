"""All records of a store as one mapping, and as `psm.data` shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipestat_spec.domain.times import distinct_local, format_local, format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import HistoryEntry, Record
from pipestat_spec.store import Store

__all__ = ["StoredData", "stored_data"]


class StoredData(dict[str, Any]):
    """`stored_data` with the keys of `meta` that pipestat has too; its text is YAML."""

    def __init__(self, store: Store) -> None:
        super().__init__({store.namespace: {}})
        for level in store.levels:
            histories = dict(store.histories(level))
            records = self[store.namespace][level] = {}
            for record in store.scan(level):
                found = records[record.key.identifier] = _with_meta(record)
                found["meta"] |= _pipestats_meta(record, histories.get(record.key, ()))

    def __str__(self) -> str:
        from pipestat_spec.text.yaml_writer import yaml_text

        return yaml_text(dict(self))


def stored_data(store: Store) -> dict[str, dict[str, dict[str, JSONValue]]]:
    """Return all records: namespace, level, record, results with their `meta`."""
    levels = store.rules.levels
    return {
        store.namespace: {
            level: {r.key.identifier: _with_meta(r) for r in store.scan(level)} for level in levels
        }
    }


def _with_meta(record: Record) -> dict[str, JSONValue]:
    meta: dict[str, JSONValue] = {}
    if record.created:
        meta["created"] = format_utc(record.created)
    if record.modified:
        meta["modified"] = format_utc(record.modified)
    if record.status is not None:
        meta["status"] = record.status
    if record.status_time is not None:
        meta["status_time"] = format_utc(record.status_time)
    if record.status_message is not None:
        meta["status_message"] = record.status_message
    if record.source is not None:
        meta["source"] = dict(record.source)
    return {**record.results, "meta": meta}


def _pipestats_meta(record: Record, entries: Iterable[HistoryEntry]) -> dict[str, JSONValue]:
    """Return times and history as pipestat keeps them: local, in whole seconds."""
    meta: dict[str, JSONValue] = {}
    if record.created:
        meta["pipestat_created_time"] = format_local(record.created)
    if record.modified:
        meta["pipestat_modified_time"] = format_local(record.modified)
    values: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        values.setdefault(entry.result, []).append(entry)
    history: dict[str, JSONValue] = {
        result: dict(
            zip(distinct_local((e.time for e in own), ()), (e.value for e in own), strict=True)
        )
        for result, own in values.items()
    }
    return {**meta, "history": history} if history else meta
