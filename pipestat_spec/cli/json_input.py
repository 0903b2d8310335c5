"""JSON that a user hands over: as text, from a file or from stdin."""

from __future__ import annotations

import os
import sys

from pipestat_spec.errors import InvalidValueError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.json_reader import read_json
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.unreadable import UnreadableText, decode

__all__ = ["json_argument", "json_value"]

_EXAMPLES = 'JSON is for example 12, "text", [1, 2] or {"path": "p.png", "title": "t"}'


def json_value(text: str, where: str) -> JSONValue:
    """Return the value of a JSON text; raises InvalidValueError."""
    try:
        return read_json(text)
    except UnreadableText as error:
        is_json = error.line is None
        raise InvalidValueError(
            f"{where}: {shorten(text)!r}{'' if is_json else ' is not JSON'}: {error}",
            hint=error.hint if is_json else _EXAMPLES,
        ) from None


def json_argument(argument: str, where: str) -> JSONValue:
    """Return the value of `TEXT`, `@FILE` or `-` (stdin); raises InvalidValueError, OSError."""
    if argument == "-":
        content, where = sys.stdin.buffer.read(), f"{where} from stdin"
    elif argument.startswith("@"):
        with open(argument[1:], "rb") as file:
            content, where = file.read(), argument[1:]
    elif argument.endswith(".json") or os.path.isfile(argument):
        raise InvalidValueError(
            f"{where}: {shorten(argument)!r} is not JSON, but the name of a file",
            hint=f"write @{shorten(argument)} for what is in the file",
        )
    else:
        return json_value(argument, where)
    try:
        text = decode(content)
    except UnreadableText as error:
        raise InvalidValueError(f"{where}: {error}", hint=error.hint) from None
    return json_value(text, where)
