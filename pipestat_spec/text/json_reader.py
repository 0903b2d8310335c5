"""JSON that users wrote: what it cannot say without loss is refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn

from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.unreadable import UnreadableText

__all__ = ["read_json", "unique_keys"]


def read_json(text: str) -> JSONValue:
    """Return the value of a JSON text.

    Raises UnreadableText: with line and column for what is not JSON; without them for a key
    that stands twice, NaN and the infinities, an integer too long to read, and a depth
    that is too great.
    """
    try:
        return json.loads(text, object_pairs_hook=unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        raise UnreadableText(problem, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise UnreadableText("the depth is too great", "flatten the value") from None
    except UnreadableText:
        raise
    except ValueError:  # integers of more than 4,300 digits
        raise UnreadableText("an integer is outside the signed 64-bit range") from None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object from its pairs, for `json.loads`; raises UnreadableText."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise UnreadableText(f"the key {shorten(twice)!r} stands twice in one object", "keep one")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableText(f"{name} is not a JSON number", "write null")
