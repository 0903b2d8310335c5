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
# Digits that are an integer of 64 bits, however large.
_SAFE_DIGITS = 18
# Records have the same keys at the same places. So this is kept of lines that were taken apart:
# what stands before the value, or the line that has none, with the indentation and the key.
_known_keys: dict[str, tuple[int, str]] = {}
_known_parents: dict[str, tuple[int, str]] = {}
_MOST_KNOWN = 10_000


class NotCanonical(ValueError):
    """The text is not what we would write."""


def read_block(text: str, indent: int) -> dict[str, Any]:
    """Return the mapping whose entries stand at `indent`; raises NotCanonical."""
    lines = text.removesuffix("\n").split("\n") if text else []
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
    end = len(lines)
    while at < end:
        before, colon, rest = lines[at].partition(": ")
        known = (_known_keys if colon else _known_parents).get(before)
        if known is None:
            if not lines[at].startswith(" " * indent):
                break
            at, known, rest = _entry(lines, at, indent)
        place, key = known
        if place != indent:
            break
        if key in result:
            raise NotCanonical(f"{key!r} stands twice")
        at += 1
        if not rest:
            result[key], at = _children(lines, at, indent + 2)
        elif rest[0] == '"' and "\\" not in rest and rest[-1] == '"' and rest.count('"') == 2:
            result[key] = rest[1:-1]
        else:
            result[key] = _read_scalar(rest)
    return result, at


def _entry(lines: list[str], at: int, indent: int) -> tuple[int, tuple[int, str], str]:
    """Return the line on which an entry's value begins, its place and key, and the value there."""
    line = lines[at]
    if line.startswith("? ", indent):
        key = read_key(line[indent + 2 :])
        value = lines[at + 1].removeprefix(" " * indent)
        if value != ":" and not value.startswith(": "):
            raise NotCanonical(f"no value for the key in line {at + 1}")
        return at + 1, (indent, key), value[2:]
    match = _KEY.match(line, indent)
    if match is None:
        raise NotCanonical(f"no key in {line!r}")
    known, rest = (indent, read_key(match[1])), line[match.end() :]
    before = line[: match.end(1)]
    if len(_known_keys) + len(_known_parents) < _MOST_KNOWN:
        if line == f"{before}:":
            _known_parents[line] = known
        elif ": " not in before:
            _known_keys[before] = known
    return at, known, rest


def _children(lines: list[str], at: int, indent: int) -> tuple[Any, int]:
    line = lines[at]
    if not line.startswith(" " * indent):
        raise NotCanonical(f"nothing below line {at}")
    return (_sequence if line[indent] == "-" else _mapping)(lines, at, indent)


def _sequence(lines: list[str], at: int, indent: int) -> tuple[list[Any], int]:
    result: list[Any] = []
    mark = " " * indent + "- "
    end = len(lines)
    while at < end and lines[at].startswith(mark):
        rest = lines[at][indent + 2 :]
        if rest.startswith(("- ", "? ")) or (":" in rest and _KEY.match(rest)):
            lines[at] = " " * (indent + 2) + rest
            child, at = _children(lines, at, indent + 2)
        else:
            child, at = _read_scalar(rest), at + 1
        result.append(child)
    return result, at


def _read_scalar(text: str) -> Any:
    if text.isdecimal() and len(text) <= _SAFE_DIGITS and text.isascii():
        if text[0] != "0" or text == "0":
            return int(text)
    elif text in _CONSTANTS:
        return _CONSTANTS[text]
    elif text[0] == '"':
        return _string(text)
    elif is_plain(text):
        return text
    elif match := _NUMBER.fullmatch(text):
        return _number(text, is_float=bool(match[1]))
    elif text == "{}":
        return {}
    elif text == "[]":
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
