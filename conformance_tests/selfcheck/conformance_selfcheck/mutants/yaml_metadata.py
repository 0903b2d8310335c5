"""Mutants of spec/yaml.md: `meta`, its times and its history."""

from __future__ import annotations

import re
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, operation
from conformance_selfcheck.mutants.yaml_documents import load
from conformance_selfcheck.mutants.yaml_store import each_record, reading, text_of, written
from pipestat_spec.errors import PipestatError

_KNOWN = {
    *("created", "modified", "source", "status_message", "history", "history_times"),
    *("pipestat_created_time", "pipestat_modified_time"),
}
_Record = dict[str, Any]


def _meta(record: _Record, change: Any) -> _Record:
    if not isinstance(record.get("meta"), dict):
        return record
    return {**record, "meta": change(record["meta"])}


@written("PS-YAML-009")
def times_with_offset(text: str) -> str:
    """Times in `meta` end in `+00:00`."""
    return re.sub(r'(\d\d\.\d{6})Z"', r'\1+00:00"', text)


@written("PS-YAML-009")
def message_beside_the_results(text: str) -> str:
    """The status message stands beside the results, and not in `meta`."""

    def change(record: _Record) -> _Record:
        message = record.get("meta", {}).pop("status_message", None)
        return {**record, "status_message": message} if message is not None else record

    return each_record(text, change)


@written("PS-YAML-010")
def foreign_metadata_dropped(text: str) -> str:
    """Keys of `meta` that are not known are dropped."""
    return each_record(
        text,
        lambda record: _meta(record, lambda m: {k: v for k, v in m.items() if k in _KNOWN}),
    )


@written("PS-YAML-011")
def local_times_in_utc(text: str) -> str:
    """Times in the local form are written in UTC."""

    def change(meta: _Record) -> _Record:
        for local, precise in (
            ("pipestat_created_time", "created"),
            ("pipestat_modified_time", "modified"),
        ):
            if isinstance(meta.get(precise), str) and local in meta:
                meta[local] = meta[precise][:19].replace("T", " ")
        return meta

    return each_record(text, lambda record: _meta(record, change))


@written("PS-YAML-011")
def history_of_one_second_overwritten(text: str) -> str:
    """Of two entries in one second of the local form, the later one stays."""

    def change(meta: _Record) -> _Record:
        times = meta.get("history_times", {})
        for result, entries in meta.get("history", {}).items():
            precise = times.get(result, {})
            seconds = {precise[key][:19]: key for key in sorted(entries) if key in precise}
            kept = set(seconds.values()) | (entries.keys() - precise.keys())
            meta["history"][result] = {k: v for k, v in entries.items() if k in kept}
        return meta

    return each_record(text, lambda record: _meta(record, change))


@reading("PS-YAML-012")
def precise_times_of_history_ignored(text: str) -> str:
    """The time of a history entry is taken from its key, in whole seconds."""

    def change(meta: _Record) -> _Record:
        return {k: v for k, v in meta.items() if k != "history_times"}

    return each_record(text, lambda r: _meta(r, change)) if "history_times" in text else text


@reading("PS-YAML-013")
def modified_is_always_right(text: str) -> str:
    """`modified` is the modified time, also where the reference has written since."""

    def change(meta: _Record) -> _Record:
        for local, precise in (
            ("pipestat_created_time", "created"),
            ("pipestat_modified_time", "modified"),
        ):
            if precise in meta:
                meta.pop(local, None)
        return meta

    return each_record(text, lambda r: _meta(r, change)) if "pipestat_modified" in text else text


@reading("PS-YAML-014")
def records_without_metadata_refused(text: str) -> str:
    """A record without `meta` cannot be read."""

    def change(record: _Record) -> _Record:
        if record and "meta" not in record:
            raise PipestatError("a record has no metadata")
        return record

    each_record(text, change)
    return text


@operation("PS-YAML-014", backend="yaml", on="describe")
def unknown_times_made_up(call: Call) -> Any:
    """A created time that is not known is the modified one."""
    found = call.go()
    return {
        **found,
        "created": found["created"] or found["modified"] or "1970-01-01T00:00:00.000000Z",
    }


@operation("PS-YAML-015", backend="yaml", on="retrieve")
def removal_note_is_a_result(call: Call) -> Any:
    """What the reference leaves when it removes a result is taken for a result."""
    found = call.go()
    document = load(text_of(call.path)) if call.path.is_file() else None
    levels = document.get(call.store.namespace) if isinstance(document, dict) else None
    record = ((levels or {}).get(call.level) or {}).get(call.key.identifier)
    if isinstance(record, dict) and "history" in record and "results" not in call.args:
        return {**found, "history": record["history"]}
    return found
