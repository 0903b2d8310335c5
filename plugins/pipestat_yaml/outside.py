"""What a file holds for a record and the data model does not have (SPEC.md section 7.4).

It stays in the file, and whoever reads the record is told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipestat_spec.domain.values import MAX_DEPTH
from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.identifiers import RESERVED
from pipestat_spec.models.record import HistoryEntry, RecordKey
from pipestat_spec.models.text import shorten
from pipestat_spec.models.yaml_text import Verbatim

__all__ = ["check_history", "check_stored"]


def check_stored(key: RecordKey, stored: Mapping[str, Any], file: str) -> None:
    """Raise PipestatDataError when the results, or `meta`, cannot be read."""
    for name, value in stored.items():
        if name not in RESERVED:
            _check(value, f"result {shorten(name)!r}", key, file)
    meta = stored.get("meta")
    if meta is not None and not isinstance(meta, dict):
        raise PipestatDataError(
            f"{file}: 'meta' of record {shorten(key.identifier)!r} is no mapping",
            hint="correct the file by hand",
            file=file,
            record_identifier=key.identifier,
        )
    if meta and isinstance(meta.get("source"), dict):
        _check(meta["source"], "the source", key, file)


def check_history(key: RecordKey, entries: Iterable[HistoryEntry], file: str) -> None:
    """Raise PipestatDataError when an old value is outside the data model."""
    for entry in entries:
        _check(entry.value, f"an old value of result {shorten(entry.result)!r}", key, file)


def _check(value: Any, what: str, key: RecordKey, file: str) -> None:
    # Numbers and the like need no look: the readers give those of the data model only.
    problem = _problem(value, MAX_DEPTH) if isinstance(value, str | dict | list | tuple) else None
    if problem:
        raise PipestatDataError(
            f"{file}: {what} of record {shorten(key.identifier)!r} {problem}",
            hint="correct the file by hand",
            file=file,
            record_identifier=key.identifier,
        )


def _problem(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return "holds the character U+0000" if "\0" in value else None
    if isinstance(value, Verbatim):
        return f"holds {shorten(value.text)}, which is outside the data model"
    if not isinstance(value, dict | list):
        return None
    if depth == 0:
        return f"is nested more than {MAX_DEPTH} levels deep"
    children: Iterable[Any] = value
    if isinstance(value, dict):
        children = (*value, *value.values())
    for child in children:
        if problem := _problem(child, depth - 1):
            return problem
    return None
