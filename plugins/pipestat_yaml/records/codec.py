"""Between a record and what a file holds for it (spec/yaml.md).

The results stand beside the reserved key `meta`, which holds status, times, source, message and
history. In the `levels` layout it also holds the times and the history in the form that
pipestat 0.13.1 reads: local time, whole seconds. Keys of `meta` that are not ours stay, and
so do reserved names among the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import NoneType
from typing import Any

from pipestat_spec.domain.times import (
    distinct_local,
    distinct_times,
    distinct_utc,
    format_local,
    format_utc,
    read_time,
)
from pipestat_spec.errors import PipestatDataError
from pipestat_spec.json_values import MAX_DEPTH, same_value
from pipestat_spec.models.change import Outcome
from pipestat_spec.models.identifiers import RESERVED
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Record, RecordKey
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.yaml_writer import Verbatim
from pipestat_yaml.text.record_block import HISTORY
from pipestat_yaml.text.stored_history import (
    StoredHistory,
    TakenTimes,
    of_result,
    with_entries,
    with_result,
)

__all__ = [
    "check_history",
    "check_stored",
    "decode_history",
    "decode_record",
    "encode_record",
    "meta_of",
    "status_of",
    "without_entries",
]

_META = "meta"
_CREATED = ("created", "pipestat_created_time")
_MODIFIED = ("modified", "pipestat_modified_time")
# What is in the data model whatever its value.
_PLAIN = (int, float, bool, NoneType)
# Zones differ by multiples of this, by at most that.
_ZONE_STEP = timedelta(minutes=15)
_ZONE_SPAN = timedelta(hours=14)


def decode_record(key: RecordKey, stored: Mapping[str, Any]) -> Record:
    """Return the record that the file holds as `stored`."""
    meta = meta_of(stored)
    source, message, status = meta.get("source"), meta.get("status_message"), status_of(stored)
    return Record(
        key,
        results={name: value for name, value in stored.items() if name not in RESERVED},
        status=status,
        status_message=message if isinstance(message, str) else None,
        source=source if isinstance(source, dict) else None,
        created=_decode_time(meta, _CREATED),
        modified=_decode_time(meta, _MODIFIED),
        status_time=None if status is None else read_time(meta.get("status_time"), local=True),
    )


def encode_record(
    record: Record,
    outcome: Outcome,
    stored: Mapping[str, Any] | None,
    known: Record | None,
    layout: Layout,
) -> dict[str, Any]:
    """Return what the file is to hold for a record that it held as `stored` until now.

    `known` is the record that `stored` says, None when the file holds none. A key of `meta` is
    touched only when it says something else than the record. The history grows by the outcome's.
    """
    stored = stored or {}
    meta = dict(meta_of(stored))
    known = known or Record(record.key)
    if (record.status, record.status_time) != (known.status, known.status_time):
        _put(meta, "status", record.status)
        _put(meta, "status_time", record.status_time and format_utc(record.status_time))
    if not same_value(record.source, known.source):
        _put(meta, "source", record.source and dict(record.source))
    if record.status_message != known.status_message:
        _put(meta, "status_message", record.status_message)
    for names, old, new in (
        (_CREATED, known.created, record.created),
        (_MODIFIED, known.modified, record.modified),
    ):
        if old != new:
            _put(meta, names[0], new and format_utc(new))
            if layout == "levels" or names[1] in meta:
                _put(meta, names[1], new and format_local(new))
    _add_history(meta, outcome.history, layout)
    if outcome.keep is not None:
        limit = HistoryLimit(keep=outcome.keep)
        for result in {entry.result for entry in outcome.history}:
            _remove_expired(meta, result, limit)
    if "history" in meta:
        # The bulk goes last, for those who read the file.
        for name in HISTORY:
            if name in meta:
                meta[name] = meta.pop(name)
    hidden = {name: value for name, value in stored.items() if name in RESERVED and name != _META}
    return {**hidden, **record.results, _META: meta}


def decode_history(stored: Mapping[str, Any]) -> list[HistoryEntry]:
    """Return a record's history, oldest first; entries without a readable time are left out.

    Those of one result that say the same time are told apart by a microsecond.
    """
    return [entry for entry, _ in _dated(stored)]


def without_entries(stored: Mapping[str, Any], limit: HistoryLimit) -> tuple[dict[str, Any], int]:
    """Return what the file is to hold for a record within a limit, and how many entries go."""
    meta = dict(meta_of(stored))
    for name in HISTORY:
        if isinstance(lines := meta.get(name), StoredHistory):
            meta[name] = lines.read()
    results = list(_mapping(meta, "history"))
    removed = sum(_remove_expired(meta, result, limit) for result in results)
    return {**stored, _META: meta}, removed


def _remove_expired(meta: dict[str, Any], result: str, limit: HistoryLimit) -> int:
    """Leave entries of a result out; return how many."""
    from pipestat_spec.domain.history import expired

    own = {name: of_result(meta.get(name), result) for name in HISTORY}
    dated = _dated({_META: {name: {result: times} for name, times in own.items()}})
    gone = expired([entry for entry, _ in dated], limit)
    texts = {dated[place][1] for place in gone}
    for name, times in own.items():
        if times and texts:
            kept = {text: value for text, value in times.items() if text not in texts}
            _put(meta, name, with_result(meta[name], result, kept))
    return len(gone)


def _dated(stored: Mapping[str, Any]) -> list[tuple[HistoryEntry, str]]:
    """Return the entries with what stands for their times, oldest first."""
    meta = meta_of(stored)
    precise = _mapping(meta, "history_times")
    entries: list[tuple[HistoryEntry, str]] = []
    for result, values in _mapping(meta, "history").items():
        known = _mapping(precise, result)
        read = [
            (time, text, value)
            for text, value in (values.items() if isinstance(values, dict) else ())
            if (time := read_time(known.get(text), local=True) or read_time(text, local=True))
        ]
        times = distinct_times(time for time, *_ in read)
        for time, (_, text, value) in zip(times, read, strict=True):
            entries.append((HistoryEntry(result, value, time), text))
    return sorted(entries, key=lambda dated: dated[0].time)


def status_of(stored: Mapping[str, Any]) -> str | None:
    """Return the status that the file holds for a record."""
    status = meta_of(stored).get("status")
    return status if isinstance(status, str) else None


def meta_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the file holds about a record beside its results."""
    meta = stored.get(_META)
    return meta if isinstance(meta, dict) else {}


def _mapping(container: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = container.get(name)
    if isinstance(value, StoredHistory):
        value = value.read()
    return value if isinstance(value, dict) else {}


def _put(meta: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        meta.pop(name, None)
    else:
        meta[name] = value


def _add_history(meta: dict[str, Any], entries: Iterable[HistoryEntry], layout: Layout) -> None:
    of_results: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        of_results.setdefault(entry.result, []).append(entry)
    for result, own in of_results.items():
        history = meta.get("history")
        times = [entry.time for entry in own]
        texts = _texts(times, TakenTimes(history, result), layout)
        values = (entry.value for entry in own)
        meta["history"] = with_entries(history, result, dict(zip(texts, values, strict=True)))
        if layout == "levels":
            precise = dict(zip(texts, map(format_utc, times), strict=True))
            known = meta.get("history_times")
            meta["history_times"] = with_entries(known, result, precise)


def _texts(times: list[datetime], taken: TakenTimes, layout: Layout) -> list[str]:
    """Return what is to stand for the times, none of which is taken."""
    if layout == "records":
        return distinct_utc(times, taken)
    if format_local(times[0]) in taken and (last := read_time(taken.last(), local=True)):
        # In a burst those before have moved on as well, and none is free up to the last one.
        times = [max(time, last) for time in times]
    return distinct_local(times, taken)


def _decode_time(meta: Mapping[str, Any], names: tuple[str, str]) -> datetime | None:
    ours, theirs = meta.get(names[0]), meta.get(names[1])
    precise = read_time(ours, local=True)
    if theirs is None:
        return precise
    local = read_time(theirs, local=True)
    if precise is None or local is None:
        return precise or local
    # pipestat renews only its own key. That of another time zone is no change.
    apart = abs(_face_value(theirs) - _face_value(ours))
    return precise if apart <= _ZONE_SPAN and not apart % _ZONE_STEP else local


def _face_value(text: Any) -> datetime:
    """Return what a clock on the wall of the writer's zone showed."""
    return datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0)


def check_stored(key: RecordKey, stored: Mapping[str, Any], file: str) -> None:
    """Raise PipestatDataError when the results, or `meta`, cannot be read."""
    for name, value in stored.items():
        if type(value) in _PLAIN or name in RESERVED:
            continue
        if problem := _problem(value):
            raise _unreadable(f"result {shorten(name)!r}", key, problem, file)
    meta = stored.get(_META)
    if meta is not None and not isinstance(meta, dict):
        raise PipestatDataError(
            f"{file}: 'meta' of record {shorten(key.identifier)!r} is no mapping",
            hint="correct the file by hand",
            file=file,
            record_identifier=key.identifier,
        )
    source = meta.get("source") if meta else None
    if isinstance(source, dict) and (problem := _problem(source)):
        raise _unreadable("the source", key, problem, file)


def check_history(key: RecordKey, entries: Iterable[HistoryEntry], file: str) -> None:
    """Raise PipestatDataError when an old value is outside the data model."""
    for entry in entries:
        if problem := _problem(entry.value):
            what = f"an old value of result {shorten(entry.result)!r}"
            raise _unreadable(what, key, problem, file)


def _unreadable(what: str, key: RecordKey, problem: str, file: str) -> PipestatDataError:
    return PipestatDataError(
        f"{file}: {what} of record {shorten(key.identifier)!r} {problem}",
        hint="correct the file by hand",
        file=file,
        record_identifier=key.identifier,
    )


def _problem(value: Any, depth: int = MAX_DEPTH) -> str | None:
    """Return why a value is outside the data model: the readers give numbers within it only."""
    if isinstance(value, str):
        return "holds the character U+0000" if "\0" in value else None
    if isinstance(value, Verbatim):
        return f"holds {shorten(value.text)}, which is outside the data model"
    if not isinstance(value, dict | list):
        return None
    if depth == 0:
        return f"has a depth of more than {MAX_DEPTH}"
    children: Iterable[Any] = value
    if isinstance(value, dict):
        children = (*value, *value.values())
    for child in children:
        if problem := _problem(child, depth - 1):
            return problem
    return None
