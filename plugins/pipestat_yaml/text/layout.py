"""The two layouts of a namespace in a file, `records` and `levels` (spec/yaml.md)."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias, TypeGuard

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import LEVELS, Level
from pipestat_spec.text.strings import shorten

__all__ = [
    "LEVEL_KEYS",
    "Namespace",
    "adopt_record",
    "empty_namespace",
    "is_removal_note",
    "read_namespace",
]

Mapping: TypeAlias = dict[str, Any]

# Writers of `levels` write both keys, in this order.
LEVEL_KEYS: tuple[Level, ...] = ("project", "sample")
_TIMES = ("pipestat_created_time", "pipestat_modified_time")
_TIME_SHAPE = "dddd-dd-dd dd:dd:dd"


class Namespace(NamedTuple):
    """The records of one namespace by section: one (None), or one for each level."""

    layout: Layout
    sections: dict[Level | None, dict[str, Mapping]]

    @property
    def is_empty(self) -> bool:
        return self.layout == "records" and not self.sections[None]


def empty_namespace(layout: Layout) -> Namespace:
    return Namespace(layout, {key: {} for key in (LEVEL_KEYS if layout == "levels" else (None,))})


def read_namespace(name: str, value: Any, file: str) -> Namespace:
    """Return the records below one top-level key; raises PipestatDataError for other content."""
    if value is None or value == {}:
        return empty_namespace("records")
    if not isinstance(value, dict):
        raise PipestatDataError(
            f"{file}: namespace {name!r} holds no records, but {shorten(repr(value))}",
            hint="correct the file or choose another one",
            file=file,
        )
    if _is_levels(value):
        return Namespace(
            "levels",
            {
                level: {
                    record: adopt_record(mapping, "levels")
                    for record, mapping in (value.get(level) or {}).items()
                }
                for level in LEVEL_KEYS
            },
        )
    for record, mapping in value.items():
        if mapping is not None and not isinstance(mapping, dict):
            raise PipestatDataError(
                f"{file}: record {record!r} of namespace {name!r} holds no results, but "
                f"{shorten(repr(mapping))}",
                hint="correct the file or choose another one",
                file=file,
            )
    records = {record: adopt_record(mapping or {}, "records") for record, mapping in value.items()}
    return Namespace("records", {None: records})


def _is_levels(value: Mapping) -> bool:
    return value.keys() <= set(LEVELS) and all(
        records is None
        or (isinstance(records, dict) and all(isinstance(r, dict) for r in records.values()))
        for records in value.values()
    )


def adopt_record(record: Mapping, layout: Layout) -> Mapping:
    """Return a record of pipestat's with what lies beside its results moved into `meta`.

    Version 0.6 keeps the two times there. 0.13.1, which writes `levels`, notes a removed
    result as `history: {result: {time: ""}}`, where it would pass for a result.
    """
    meta = record.get("meta", {})
    moved = {name for name in _TIMES if name in record and _is_pipestat_time(record[name])}
    misplaced = record.get("history")
    if layout == "levels" and "meta" in record and is_removal_note(misplaced):
        moved.add("history")
    if not moved or not isinstance(meta, dict):
        return record
    meta = {**{name: record[name] for name in _TIMES if name in moved}, **meta}
    if "history" in moved:
        meta["history"] = _merged(meta.get("history"), record["history"])
    kept = {name: value for name, value in record.items() if name not in {*moved, "meta"}}
    return {**kept, "meta": meta}


def _merged(history: Any, notes: Mapping) -> Mapping:
    merged = dict(history) if isinstance(history, dict) else {}
    for result, entries in notes.items():
        known = merged.get(result)
        merged[result] = {**entries, **known} if isinstance(known, dict) else entries
    return merged


def is_removal_note(value: Any) -> TypeGuard[Mapping]:
    """Tell whether a result called `history` is what pipestat 0.13.1 leaves of a removed one."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(entries, dict)
            and bool(entries)
            and all(old == "" and _is_pipestat_time(time) for time, old in entries.items())
            for entries in value.values()
        )
    )


def _is_pipestat_time(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    shape = "".join("d" if character in "0123456789" else character for character in text)
    return shape == _TIME_SHAPE
