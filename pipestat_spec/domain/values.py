"""Canonical values: what the data model admits and how host values become part of it.

spec/core.md. The domain canonicalises before anything is stored.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import date, time
from enum import Enum
from typing import Any

from pipestat_spec.errors import IncompatibleClassError, InvalidValueError
from pipestat_spec.json_values import MAX_DEPTH, MAX_INTEGER, MIN_INTEGER, JSONValue, same_value
from pipestat_spec.models.record import Record
from pipestat_spec.text.strings import check_text, shorten

__all__ = [
    "CanonicalResults",
    "canonical",
    "canonical_result",
    "results_mapping",
    "same_record",
]

# Classes of pandas whose one value stands for a missing one.
_MISSING = frozenset({"NAType", "NaTType"})
_ODD: Any = object()


def canonical(value: object, name: str = "value") -> JSONValue:
    """Return `value` in the data model: null, boolean, integer, number, string, array, object.

    A host value is converted when one JSON value stands for it without loss: tuples become
    arrays; numpy scalars the number they hold; a Decimal an integer or the number that
    equals it; a path its text; dates and times ISO 8601 text; an enumeration member its
    value; the missing values of pandas and numpy null. `name` is what errors call the value.
    Raises IncompatibleClassError for anything else, and InvalidValueError for NaN and the
    infinities, integers outside the signed 64-bit range, NUL, lone surrogates, keys that are
    not strings, and a depth of more than MAX_DEPTH.
    """
    return _canonical(value, name, MAX_DEPTH)


def canonical_result(value: object, identifier: str) -> JSONValue:
    """Return the value of a result as `canonical` does, sooner where it is plain JSON."""
    found = _plain(value, MAX_DEPTH)
    return canonical(value, f"result {identifier!r}") if found is _ODD else found


def _plain(value: Any, depth: int) -> JSONValue:
    """Return a copy of a value that needs no second look, _ODD for any other."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() and "\0" not in value else _ODD
    if kind is float:
        return value if math.isfinite(value) else _ODD
    if kind is int:
        return value if MIN_INTEGER <= value <= MAX_INTEGER else _ODD
    if kind is bool or value is None:
        return value
    if depth <= 0:
        return _ODD
    if kind is list:
        items = [_plain(item, depth - 1) for item in value]
        return _ODD if _ODD in items else items
    if kind is dict:
        named = {}
        for key, item in value.items():
            found = _plain(item, depth - 1)
            if found is _ODD or type(key) is not str or _plain(key, 0) is _ODD:
                return _ODD
            named[key] = found
        return named
    return _ODD


class CanonicalResults(dict[str, JSONValue]):
    """Results whose names and values were checked by whoever made them; nobody changes them."""

    __slots__ = ()


def results_mapping(values: Any) -> dict[str, Any]:
    """Return results by name, given as a mapping or as what has keys, such as a row of pandas.

    Raises IncompatibleClassError.
    """
    if hasattr(values, "keys"):
        return dict(values)
    raise IncompatibleClassError(
        f"results are given by name, not as a value of class {type(values).__name__}",
        hint="report {'name': value}",
        value=shorten(values),
    )


def _canonical(value: object, name: str, depth: int) -> JSONValue:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, str):
        return check_text(str(value) if kind is str else str.__str__(value), name)
    if isinstance(value, int):
        return _integer(int(value), name)
    if isinstance(value, float):
        return _number(float(value), name)
    if isinstance(value, Mapping):
        _check_depth(depth, name)
        return {
            _key(key, name): _canonical(item, f"{name}.{key}", depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        _check_depth(depth, name)
        return [_canonical(item, f"{name}[{i}]", depth - 1) for i, item in enumerate(value)]
    return _converted(value, name, depth)


def _converted(value: Any, name: str, depth: int) -> JSONValue:
    if type(value).__name__ in _MISSING:
        return None
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        if isinstance(path, str):
            return check_text(path, name)
    elif isinstance(value, date | time):
        return value.isoformat()
    elif isinstance(value, Enum):
        return _canonical(value.value, name, depth)
    elif hasattr(value, "as_tuple") and hasattr(value, "to_integral_value"):
        return _decimal(value, name)
    elif hasattr(value, "dtype") and getattr(value, "shape", None) == ():
        item = value.item()
        if not hasattr(item, "dtype"):
            return _canonical(item, name, depth)
    hint = "report null, a boolean, number, string, list or dict"
    if hasattr(value, "dtype"):
        methods = [f"value.{way}()" for way in ("tolist", "to_dict") if hasattr(value, way)]
        hint = "report " + " or ".join(methods)
    raise IncompatibleClassError(
        f"{name}: a value of class {type(value).__name__} has no counterpart in the data model",
        hint=hint,
        value=shorten(value),
    )


def _decimal(value: Any, name: str) -> JSONValue:
    if not value.is_finite():
        return _number(float(value), name)
    if value.as_tuple().exponent >= 0:
        return _integer(int(value), name)
    number = float(value)
    if value != type(value)(number):
        raise InvalidValueError(
            f"{name}: the decimal {value} is no double exactly",
            hint="report float(value) or str(value)",
        )
    return _number(number, name)


def _integer(value: int, name: str) -> int:
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise InvalidValueError(
            f"{name}: the integer {shorten(value)} is outside the signed 64-bit range",
            hint="report it as a string",
        )
    return value


def _number(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise InvalidValueError(
            f"{name}: {value} is not a JSON number",
            hint='report null (None), which a schema with type: [number, "null"] admits',
        )
    return value


def _key(key: object, name: str) -> str:
    if not isinstance(key, str):
        raise InvalidValueError(
            f"{name}: the key {shorten(key)} is not a string", hint="keys of objects are strings"
        )
    return check_text(str.__str__(key), name)


def _check_depth(depth: int, name: str) -> None:
    if depth <= 0:
        raise InvalidValueError(
            f"{shorten(name, 60)}: the depth is more than {MAX_DEPTH}", hint="flatten the value"
        )


def same_record(left: Record | None, right: Record | None) -> bool:
    """Tell whether two records hold the same; `==` would take true for 1."""
    if left is None or right is None:
        return left is right
    return (
        left == right
        and same_value(left.results, right.results)
        and same_value(left.source, right.source)
    )
