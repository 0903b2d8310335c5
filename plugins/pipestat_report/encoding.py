"""JSON that JavaScript reads without loss.

JavaScript reads every number as a double, so an integer that no double is sure to hold becomes
`{"$int": "9007199254740993"}`. A key that starts with `$` gets another `$` before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["encode_value", "to_json"]

_EXACT = 2**53


def encode_value(value: Any) -> Any:
    """Return a value with large integers and `$` keys marked; the same object without any."""
    kind = type(value)
    if kind is int:
        return value if -_EXACT <= value <= _EXACT else {"$int": str(value)}
    if kind is list:
        return [encode_value(item) for item in value]
    if isinstance(value, Mapping):
        return {
            f"${key}" if key.startswith("$") else key: encode_value(item)
            for key, item in value.items()
        }
    return value


def to_json(document: Any) -> bytes:
    """Return the JSON text of a document, UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
