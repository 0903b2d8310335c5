"""JSON that a user hands over: as text, from a file or from stdin."""

from __future__ import annotations

import json
import sys

from pipestat_spec.errors import InvalidValueError
from pipestat_spec.models.record import JSONValue
from pipestat_spec.text.json_reader import unique_keys
from pipestat_spec.text.strings import shorten

__all__ = ["parse_json", "read_json"]


def parse_json(text: str, where: str) -> JSONValue:
    """Return the value of a JSON text; raises InvalidValueError, for a repeated key too."""
    try:
        return json.loads(text, object_pairs_hook=unique_keys)
    except RecursionError:
        raise InvalidValueError(f"{where}: nested too deep", hint="flatten the value") from None
    except ValueError as error:
        raise InvalidValueError(
            f"{where}: {shorten(text)!r} is not JSON: {error}",
            hint='JSON is for example 12, "text", [1, 2] or {"path": "p.png", "title": "t"}',
        ) from None


def read_json(argument: str, where: str) -> JSONValue:
    """Return the value of `TEXT`, `@FILE` or `-` (stdin); raises InvalidValueError, OSError."""
    if argument == "-":
        content, where = sys.stdin.buffer.read(), f"{where} from stdin"
    elif argument.startswith("@"):
        with open(argument[1:], "rb") as file:
            content, where = file.read(), argument[1:]
    else:
        return parse_json(argument, where)
    try:
        return parse_json(content.decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"{where}: byte {error.start} is not UTF-8") from None
