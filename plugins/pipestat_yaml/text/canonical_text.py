"""The reader for canonical text, line by line (spec/trailer.md).

It serves text that a checksum vouches for. Anything but what `pipestat_spec.text.yaml_writer`
writes for values of the data model raises NotCanonical, and the caller turns to a YAML
parser.
"""

from __future__ import annotations

import re
from json import loads
from math import isinf
from typing import Any

from pipestat_spec.json_values import MAX_INTEGER, MIN_INTEGER
from pipestat_spec.text.yaml_writer import is_plain

__all__ = ["NotCanonical", "read_block", "read_key"]

_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:e[-+][0-9]+)?)?")
_KEY = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"|[A-Za-z_/][A-Za-z0-9_./ -]*):(?: |$)')


class NotCanonical(ValueError):
    """The text is not what we would write."""


def read_block(text: str, indent: int) -> dict[str, Any]:
    """Return the mapping whose entries stand at `indent`; raises NotCanonical."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        return {}
    try:
        value, end = _mapping(lines, 0, indent)
    except (IndexError, RecursionError, ValueError) as error:
        raise NotCanonical(str(error)) from None
    if end != len(lines):
        raise NotCanonical(f"unexpected indentation in line {end + 1}")
    return value


def read_key(text: str) -> str:
    """Return the string that a key was written for; raises NotCanonical."""
    if text.startswith('"'):
        return _string(text)
    if is_plain(text):
        return text
    raise NotCanonical(f"{text!r} is not a key")


def _mapping(lines: list[str], at: int, indent: int) -> tuple[dict[str, Any], int]:
    result: dict[str, Any] = {}
    pad = " " * indent
    while at < len(lines) and lines[at].startswith(pad):
        line = lines[at]
        if line.startswith("? ", indent):
            key = read_key(line[indent + 2 :])
            at += 1
            if not lines[at].startswith(f"{pad}:"):
                raise NotCanonical(f"no value for the key in line {at}")
            rest = lines[at][indent + 2 :]
        else:
            match = _KEY.match(line, indent)
            if match is None:
                raise NotCanonical(f"no key in {line!r}")
            key, rest = read_key(match[1]), line[match.end() :]
        if key in result:
            raise NotCanonical(f"{key!r} stands twice")
        at += 1
        if rest:
            result[key] = _read_scalar(rest)
        else:
            result[key], at = _children(lines, at, indent + 2)
    return result, at


def _children(lines: list[str], at: int, indent: int) -> tuple[Any, int]:
    line = lines[at]
    if not line.startswith(" " * indent):
        raise NotCanonical(f"nothing below line {at}")
    return (_sequence if line[indent] == "-" else _mapping)(lines, at, indent)


def _sequence(lines: list[str], at: int, indent: int) -> tuple[list[Any], int]:
    result: list[Any] = []
    mark = " " * indent + "- "
    while at < len(lines) and lines[at].startswith(mark):
        rest = lines[at][indent + 2 :]
        if rest.startswith(("- ", "? ")) or _KEY.match(rest):
            lines[at] = " " * (indent + 2) + rest
            child, at = _children(lines, at, indent + 2)
        else:
            child, at = _read_scalar(rest), at + 1
        result.append(child)
    return result, at


def _read_scalar(text: str) -> Any:
    first = text[0]
    if first == '"':
        return _string(text)
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if is_plain(text):
        return text
    if match := _NUMBER.fullmatch(text):
        return _number(text, is_float=bool(match[1]))
    if text == "{}":
        return {}
    if text == "[]":
        return []
    raise NotCanonical(f"{text!r} is not a canonical scalar")


def _number(text: str, *, is_float: bool) -> int | float:
    number = float(text) if is_float else int(text)
    if isinf(number) if is_float else not MIN_INTEGER <= number <= MAX_INTEGER:
        raise NotCanonical(f"{text!r} is outside the data model")
    return number


def _string(text: str) -> str:
    if "\\" in text:
        value = loads(text)
        if isinstance(value, str):
            value.encode()  # a lone surrogate raises a ValueError
            return value
    elif len(text) > 1 and text.endswith('"') and text.count('"') == 2:
        return text[1:-1]
    raise NotCanonical(f"{text!r} is not a canonical string")
