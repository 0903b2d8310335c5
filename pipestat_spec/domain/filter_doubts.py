"""What in a filter can match nothing: names that no record has, and values of another type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pipestat_spec.domain.filter_text import format_path
from pipestat_spec.domain.filters import (
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    SPECIAL_FIELDS,
    STRING,
    field_value,
    leaves,
    order_key,
)
from pipestat_spec.models.query import Comparison, FieldPath, Filter, In, Like
from pipestat_spec.models.record import Record
from pipestat_spec.text.strings import nearest

__all__ = ["conditions", "doubts"]

_MISSING = object()
_NAMES = {
    BOOLEAN: "booleans",
    NUMBER: "numbers",
    STRING: "text",
    ARRAY: "arrays",
    OBJECT: "objects",
}
_MENDS = {
    NUMBER: "write numbers without quotes",
    STRING: "write text in single quotes",
    BOOLEAN: "write true or false",
}


def conditions(filter: Filter) -> dict[FieldPath, frozenset[int]]:
    """Return which kinds of values a filter compares each field with."""
    wanted: dict[FieldPath, set[int]] = {}
    for path, kinds in _conditions(filter):
        wanted.setdefault(path, set()).update(kinds)
    return {path: frozenset(kinds) for path, kinds in wanted.items()}


def doubts(
    wanted: Mapping[FieldPath, frozenset[int]],
    records: Iterable[Record],
    declared: Iterable[str] = (),
) -> list[str]:
    """Return a line for each condition that no record can fulfil: a name is unknown, or a type.

    `declared` are names that are right also where no record has them. Reads no more records
    than it needs.
    """
    found: dict[FieldPath, set[int]] = {path: set() for path in wanted}
    names: dict[str, None] = {}
    waiting = set(wanted)
    empty = True
    for record in records:
        empty = False
        names.update(dict.fromkeys(record.results))
        for path in list(waiting):
            value = field_value(record, path, _MISSING)
            if value is not _MISSING:
                found[path].add(order_key(value)[0])
            if found[path] and wanted[path] <= found[path]:
                waiting.remove(path)
        if not waiting:
            break
    if empty:
        return []
    known = {*names, *SPECIAL_FIELDS, *declared}
    return [
        _line(path, wanted[path], found[path] - {NULL}, known)
        for path in wanted
        if path in waiting and _doubtful(path, found[path], known)
    ]


def _doubtful(path: FieldPath, found: set[int], known: Collection[str]) -> bool:
    # A name that is right may be without values so far.
    return found != {NULL} and (bool(found) or len(path) > 1 or path[0] not in known)


def _conditions(filter: Filter) -> Iterator[tuple[FieldPath, set[int]]]:
    for leaf in leaves(filter):
        match leaf:
            case Comparison(path, _, value):
                yield path, {order_key(value)[0]} - {NULL}
            case In(path, values):
                yield path, {order_key(value)[0] for value in values} - {NULL}
            case Like(path, _):
                yield path, {STRING}
            case _:
                yield leaf.field, set()


def _line(path: FieldPath, wanted: frozenset[int], found: set[int], known: Collection[str]) -> str:
    name = format_path(path)
    if not found:
        near = nearest(path[0], known) if path[0] not in known else None
        return f"no record has {name}" + (f"; did you mean {near!r}?" if near else "")
    kinds = " and ".join(_NAMES[kind] for kind in sorted(found))
    missing = min(wanted - found)
    mend = next((_MENDS[kind] for kind in sorted(found) if kind in _MENDS), None)
    return f"{name} has no {_NAMES[missing]}, only {kinds}" + (f"; {mend}" if mend else "")
