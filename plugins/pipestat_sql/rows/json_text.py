"""JSON text in columns: exact in both directions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.json_reader import unique_keys
from pipestat_spec.text.strings import shorten

__all__ = ["dump", "load", "load_object", "survives_rewriting"]

# From here on Python writes whole doubles with an exponent and not all of their digits.
_EXPONENT_FROM = 1e16
_DIGITS_BELOW = 2.0**64
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_decoder = json.JSONDecoder(object_pairs_hook=unique_keys)
_decode = _decoder.decode
# What `decode` calls once it has looked for white space, which is half of the work.
_Scan: TypeAlias = Callable[[str, int], tuple[Any, int]]
_scan: _Scan = _decoder.scan_once  # type: ignore[attr-defined]
# For columns that only programs of this specification write.
_scan_own: _Scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def dump(value: JSONValue) -> str:
    """Return JSON text; whole doubles below 2^64 with all digits, so that text compares right."""
    text = _encode(value)
    # The shortest sign of such a double; mostly it stands in a string.
    if "e+1" in text and any(_EXPONENT_FROM <= abs(f) < _DIGITS_BELOW for f in _floats(value)):
        return "".join(_parts(value))
    return text


def _parts(value: JSONValue) -> Iterator[str]:
    if isinstance(value, dict):
        separator = "{"
        for key, item in value.items():
            yield f"{separator}{_encode(key)}:"
            yield from _parts(item)
            separator = ","
        yield "}" if value else "{}"
    elif isinstance(value, list):
        separator = "["
        for item in value:
            yield separator
            yield from _parts(item)
            separator = ","
        yield "]" if value else "[]"
    elif isinstance(value, float) and _EXPONENT_FROM <= abs(value) < _DIGITS_BELOW:
        yield f"{int(value)}.0"
    else:
        yield _encode(value)


def load(text: Any) -> JSONValue:
    """Return the value of JSON text; what is no text came out of a column as it stood.

    Raises PipestatDataError for text that another program left broken.
    """
    if not isinstance(text, str):
        return text
    try:
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError):
        pass
    try:
        # White space before or after, or something wrong.
        return _decode(text)
    except ValueError as error:
        raise PipestatDataError(
            f"a JSON column of the database holds {shorten(text, 60)!r}: {error}",
            hint="correct the row",
        ) from None


def load_object(text: Any) -> dict[str, Any]:
    """Return the object in a column of the specification's own, empty where there is none."""
    if text is None:
        return {}
    value: Any = None
    if isinstance(text, str):
        try:
            value, end = _scan_own(text, 0)
            value = value if end == len(text) else load(text)
        except (StopIteration, ValueError):
            value = load(text)
    return value if isinstance(value, dict) else {}


def _floats(value: JSONValue) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _floats(item)
    elif isinstance(value, list):
        for item in value:
            yield from _floats(item)


def survives_rewriting(value: JSONValue) -> bool:
    """Tell whether a type that rewrites numbers, such as JSONB, gives back the same value."""
    return all(
        abs(f) < _DIGITS_BELOW and not (f == 0 and math.copysign(1, f) < 0) for f in _floats(value)
    )
