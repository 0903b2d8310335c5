"""Values of the data model, which is that of JSON: what is in it, and when two are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["MAX_DEPTH", "MAX_INTEGER", "MIN_INTEGER", "JSONValue", "same_value"]

# null, boolean, integer, number, string, array, object: mypy cannot express it usefully.
JSONValue: TypeAlias = Any
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
# The depth beyond which a value is refused.
MAX_DEPTH = 100

_SCALARS = frozenset((bool, int, float, str, type(None)))


def same_value(left: JSONValue, right: JSONValue) -> bool:
    """Tell whether two canonical values are the same: types count, the order of keys does not.

    Results and sources, which may be any mapping, are compared like objects.
    """
    kind = type(left)
    if kind not in _SCALARS and isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            same_value(item, right[key]) for key, item in left.items()
        )
    if kind is not type(right):
        return False
    if kind is list:
        return len(left) == len(right) and all(map(same_value, left, right))
    return bool(left == right)
