"""Values that JSON lacks, or that JSON tools spoil, as objects with one key (protocol/README.md).

    {"$nan": true}              not a number
    {"$inf": 1}, {"$inf": -1}   the infinities
    {"$integer": "9007199254740993"}
    {"$surrogate": "d800"}      a string of one lone surrogate
    {"$repeat": ["ab", 3]}      "ababab"
    {"$deep": 3}                [[[]]]
    {"$object": [["a", 1]]}     {"a": 1}, for keys that are special values themselves
    {"$array": [3, X]}          three times X, in which {"$index": true} is 0, 1, 2
    {"$map": ["s", 3, X]}       {"s0000": X, "s0001": X, "s0002": X}, the same
    {"$index": "s"}             in X: "s0000", "s0001", "s0002"
    {"$literal": X}             X, whatever it looks like

Vectors may use all of them; only the first two and `$surrogate` are sent to a program.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["decode", "encode", "parse_json", "to_json"]


def decode(value: Any) -> Any:
    """Return the value that special forms stand for, at any depth."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((key, content),) = value.items()
        if key in _FORMS:
            return _FORMS[key](content)
    return {key: decode(item) for key, item in value.items()}


def _deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def _repeat(content: list[Any]) -> str:
    text, times = content
    return str(decode(text)) * int(times)


def _array(content: list[Any]) -> list[Any]:
    number, item = content
    return [decode(_numbered(item, index)) for index in range(number)]


def _map(content: list[Any]) -> dict[str, Any]:
    prefix, number, item = content
    return {f"{prefix}{index:04}": decode(_numbered(item, index)) for index in range(int(number))}


def _numbered(value: Any, index: int) -> Any:
    if isinstance(value, list):
        return [_numbered(item, index) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"$index"}:
        prefix = value["$index"]
        return index if prefix is True else f"{prefix}{index:04}"
    return {key: _numbered(item, index) for key, item in value.items()}


_FORMS: dict[str, Callable[[Any], Any]] = {
    "$nan": lambda _: math.nan,
    "$inf": lambda sign: math.copysign(math.inf, sign),
    "$integer": int,
    "$surrogate": lambda digits: chr(int(digits, 16)),
    "$repeat": _repeat,
    "$deep": _deep,
    "$object": lambda entries: {decode(key): decode(item) for key, item in entries},
    "$array": _array,
    "$map": _map,
    "$literal": lambda content: content,
}


def encode(value: Any) -> Any:
    """Return a value as the protocol sends it: plain JSON but for what JSON cannot carry."""
    if isinstance(value, float):
        if math.isnan(value):
            return {"$nan": True}
        if math.isinf(value):
            return {"$inf": 1 if value > 0 else -1}
    elif isinstance(value, str):
        if len(value) == 1 and 0xD800 <= ord(value) <= 0xDFFF:
            return {"$surrogate": f"{ord(value):04x}"}
    elif isinstance(value, list | tuple):
        return [encode(item) for item in value]
    elif isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return value


def to_json(value: Any) -> str:
    """Return one line of ASCII JSON; U+2028 and the like cannot end a line in it."""
    return json.dumps(encode(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def parse_json(text: str | bytes, integer: Callable[[str], int | float] | None = None) -> Any:
    """Read JSON strictly: no NaN, no key twice. Raises ValueError.

    `integer` reads the digits of an integer; without it `-0` stays negative.
    """
    return json.loads(
        text, parse_int=integer or _integer, parse_constant=_refuse, object_pairs_hook=_object
    )


def _integer(digits: str) -> int | float:
    return -0.0 if digits == "-0" else int(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice")
    return result
