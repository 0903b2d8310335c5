"""Functions that SQLite gets from us, where its own are not exact.

SQLite reads U+FFFE and U+FFFF as U+FFFD in GLOB, limits patterns to 50,000 bytes, cannot
quote every key in a JSON path, and promises 15 digits of a number in JSON text.
"""

from __future__ import annotations

import json
import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from pipestat_spec.domain.filters import NUMBER, like_regex, order_key
from pipestat_spec.json_values import JSONValue

if TYPE_CHECKING:
    import re

    from pipestat_sql.database.connections import Session

__all__ = ["register", "text_key"]

_MISSING = object()
_MARK = "pipestat_functions"
# Below every integer that JSON text of ours or of another program holds.
_HUGE = 10**5000


def register(session: Session) -> None:
    """Give the connection the functions, once."""
    if _MARK in session.info:
        return
    for name, arguments, function in (
        ("pipestat_has", 2, _has),
        ("pipestat_key", 3, _key),
        ("pipestat_at", 2, _at),
        ("pipestat_like", 2, _like),
        ("pipestat_double", 1, float),
    ):
        session.driver.create_function(name, arguments, function, deterministic=True)
    session.info[_MARK] = True


def text_key(value: JSONValue) -> str:
    """Return text that orders, by code point, as `order_key` orders values (PS-QRY-008)."""
    rank, content = order_key(value)
    if rank == NUMBER:
        return f"{rank}{_number_key(content)}"
    return f"{rank}{content if isinstance(content, str) else int(content or 0)}"


def _number_key(value: float) -> str:
    """Return the largest double that is not greater, and what is missing from it."""
    floor, rest = _floor(value)
    (bits,) = struct.unpack(">Q", struct.pack(">d", floor + 0.0))
    ordered = bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63)
    digits = f"{rest:x}" if rest else ""
    return f"{ordered:016x}{len(digits):08x}{digits}"


def _floor(value: float) -> tuple[float, int]:
    if isinstance(value, float):
        return value, 0
    try:
        near = float(value)
    except OverflowError:
        return (math.inf, value) if value > 0 else (-math.inf, value + _HUGE)
    floor = near if near <= value else math.nextafter(near, -math.inf)
    return (floor, value - int(floor)) if math.isfinite(floor) else (floor, value + _HUGE)


# The conditions of one statement read the same document one after the other.
@lru_cache(maxsize=8)
def _parsed(document: JSONValue) -> JSONValue:
    # Another program's JSON column may have made a number of the text.
    return json.loads(document) if isinstance(document, str) else document


@lru_cache(maxsize=256)
def _segments(path: str) -> tuple[str, ...]:
    return tuple(json.loads(path))


@lru_cache(maxsize=64)
def _regex(pattern: str) -> re.Pattern[str]:
    return like_regex(pattern)


def _find(document: JSONValue, path: tuple[str, ...]) -> JSONValue:
    if document is None:
        return _MISSING
    value = _parsed(document)
    for segment in path:
        if not isinstance(value, dict) or segment not in value:
            return _MISSING
        value = value[segment]
    return value


def _has(document: JSONValue, name: str) -> bool:
    """Tell whether a JSON text is an object with this key."""
    return _find(document, (name,)) is not _MISSING


def _key(document: JSONValue, path: str, rank: int | None) -> str | None:
    """Return the key of what stands at a path; None when missing or of another type."""
    value = _find(document, _segments(path))
    if value is _MISSING:
        return None
    key = text_key(value)
    return key if rank is None or key.startswith(str(rank)) else None


def _at(document: JSONValue, name: str) -> str | None:
    """Return the JSON text of a member of an object, None when it has none."""
    value = _find(document, (name,))
    return None if value is _MISSING else json.dumps(value, ensure_ascii=False)


def _like(text: str | None, pattern: str) -> bool | None:
    return None if text is None else _regex(pattern).fullmatch(text) is not None
