"""What looper says now, merged with what it said last time and what a person edited since.

A value that still has the digest of what was generated is looper's and is brought up to date;
any other one is a person's and stays (docs/adr/0016).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

from pipestat_spec.models.config import STORE_KEYS
from pipestat_spec.text.strings import shorten

__all__ = ["Generated", "Leaves", "Merge", "digest", "digests", "flatten", "merge", "nested"]

# A value by the keys that lead to it.
Leaves: TypeAlias = dict[tuple[str, ...], Any]
_ABSENT = object()


class Generated(NamedTuple):
    """What the last line of a file says: digests of its text, and of each generated value."""

    text: str
    values: Mapping[str, str]


class Merge(NamedTuple):
    """The settings that the file shall have, the keys that changed, and what it keeps."""

    leaves: Leaves
    refreshed: list[str]
    kept: list[str]


def merge(wanted: Leaves, present: Leaves, base: Generated | None, overwrite: bool) -> Merge:
    """Merge what looper says now with what stands in the file, by what it said last time."""
    if overwrite:
        old, new = digests(present), digests(wanted)
        return Merge(wanted, sorted(n for n in {**old, **new} if old.get(n) != new.get(n)), [])
    found = Merge({}, [], [])
    for key in sorted({**present, **wanted}):
        new, old = wanted.get(key, _ABSENT), present.get(key, _ABSENT)
        if _keeps(key, new, old, base):
            kept = old
            if _deserves_note(key, new, old, base):
                found.kept.append(_kept_note(key, new, old))
        else:
            kept = new
            if digest(new) != digest(old):
                found.refreshed.append(_name(key))
        if kept is not _ABSENT:
            found.leaves[key] = kept
    return found


def _keeps(key: tuple[str, ...], new: Any, old: Any, base: Generated | None) -> bool:
    """Tell whether the file's value stays: a person put it there, or took it away."""
    generated = base.values.get(_name(key)) if base is not None else None
    if old is _ABSENT:
        return generated is not None
    if base is None:
        # A second store would win over the one that looper's configuration names.
        return new is _ABSENT and key[0] not in STORE_KEYS
    return generated is None or generated != digest(old)


def _deserves_note(key: tuple[str, ...], new: Any, old: Any, base: Generated | None) -> bool:
    """Tell whether looper's configuration says, or once said, something else."""
    if new is _ABSENT:
        return old is not _ABSENT and base is not None and _name(key) in base.values
    return digest(new) != digest(old)


def _kept_note(key: tuple[str, ...], new: Any, old: Any) -> str:
    name = _name(key)
    what = f"{name} stays away" if old is _ABSENT else f"{name} stays as it is"
    # What lies deeper may be a password.
    shown = f"; looper's configuration says {shorten(new)}" if len(key) == 1 else ""
    if new is _ABSENT:
        shown = "; looper's configuration does not have it"
    return f"{what}, edited by hand{shown} (-o takes that)"


def flatten(settings: Mapping[str, Any], above: tuple[str, ...] = ()) -> Leaves:
    """Return the values by the keys that lead to them; lists and empty mappings are values."""
    leaves: Leaves = {}
    for key, value in settings.items():
        path = (*above, str(key))
        if isinstance(value, Mapping) and value:
            leaves |= flatten(value, path)
        else:
            leaves[path] = dict(value) if isinstance(value, Mapping) else value
    return leaves


def nested(leaves: Leaves) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for path, value in sorted(leaves.items(), key=lambda item: item[0]):
        holder = settings
        for key in path[:-1]:
            if not isinstance(holder.get(key), dict):
                holder[key] = {}
            holder = holder[key]
        holder[path[-1]] = value
    return settings


def _name(key: tuple[str, ...]) -> str:
    return ".".join(key)


def digests(leaves: Leaves) -> dict[str, str]:
    return {_name(key): digest(value) for key, value in sorted(leaves.items())}


def digest(value: object) -> str:
    content = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return sha256(f"{type(value).__name__}:{content}".encode()).hexdigest()[:16]
