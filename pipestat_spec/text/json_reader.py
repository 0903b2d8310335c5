"""JSON that users wrote."""

from __future__ import annotations

from typing import Any

from pipestat_spec.text.strings import shorten

__all__ = ["unique_keys"]


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object from its pairs, for `json.loads`; raises ValueError for a key twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shorten(twice)!r} stands twice in one object")
    return found
