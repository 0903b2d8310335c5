"""Canonical block text of JSON values, written and read line by line (SPEC.md section 10).

Two spaces per level, one scalar per line, strings plain only in a form that YAML 1.1 and
1.2 parsers read alike, else double-quoted with escapes that JSON knows as well. The reader
serves text that a checksum vouches for; anything else raises NotCanonical, and the caller
turns to a YAML parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import dumps, loads
from math import isfinite
from typing import Any

__all__ = ["NotCanonical", "entry_lines", "header_lines", "quote", "read_block", "read_key"]

# YAML caps implicit keys at 1024 characters; some parsers count UTF-16 units.
_LONGEST_IMPLICIT_KEY = 1000

_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_NOT_STRINGS = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf")
)
# What JSON leaves as it is and YAML 1.1 takes for a line break or refuses.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:e[-+][0-9]+)?)?")
_SPECIAL = {".nan": float("nan"), ".inf": float("inf"), "-.inf": float("-inf")}
_KEY = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"|[A-Za-z_/][A-Za-z0-9_./ -]*):(?: |$)')


class NotCanonical(ValueError):
    """The text is not what `entry_lines` writes."""


def quote(text: str) -> str:
    """Return the scalar that every YAML parser reads as the string `text`."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_STRINGS:
        return text
    quoted = dumps(text, ensure_ascii=False)
    if text.isascii() and "\x7f" not in text:
        return quoted
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def header_lines(key: str, indent: str) -> str:
    """Return the line or lines that open the entry `key`; the value follows its last colon."""
    quoted = quote(key)
    if len(quoted) * 2 > _LONGEST_IMPLICIT_KEY and (
        len(quoted.encode("utf-16-le")) > 2 * _LONGEST_IMPLICIT_KEY
    ):
        return f"{indent}? {quoted}\n{indent}:"
    return f"{indent}{quoted}:"


def entry_lines(key: str, value: Any, indent: str) -> Iterable[str]:
    """Return the lines of one entry of a mapping that stands at `indent`."""
    lines: list[str] = []
    _add_entry(lines, key, value, indent)
    return lines


def _add_entry(lines: list[str], key: str, value: Any, indent: str) -> None:
    header = header_lines(key, indent)
    if value and isinstance(value, dict | list):
        lines += header.split("\n")
        _add_children(lines, value, indent + "  ")
    else:
        lines += f"{header} {_scalar(value)}".split("\n")


def _add_children(lines: list[str], value: dict[str, Any] | list[Any], indent: str) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            _add_entry(lines, key, child, indent)
        return
    for child in value:
        if child and isinstance(child, dict | list):
            first = len(lines)
            _add_children(lines, child, indent + "  ")
            lines[first] = f"{indent}- {lines[first][len(indent) + 2 :]}"
        else:
            lines.append(f"{indent}- {_scalar(child)}")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if value is None:
        return "null"
    return "{}" if isinstance(value, dict) else "[]"


def _float(value: float) -> str:
    if not isfinite(value):
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    mantissa, exponent, power = repr(value).partition("e")
    if not exponent:
        return mantissa
    # YAML 1.1 wants the dot, and the sign that repr writes anyway.
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{power}"


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
    """Return the string that `quote` wrote as `text`; raises NotCanonical."""
    value = _string(text) if text.startswith('"') else _read_scalar(text)
    if not isinstance(value, str):
        raise NotCanonical(f"{text!r} is not a key")
    return value


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
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_STRINGS:
        return text
    if match := _NUMBER.fullmatch(text):
        return float(text) if match[1] else int(text)
    if text == "{}":
        return {}
    if text == "[]":
        return []
    if text in _SPECIAL:
        return _SPECIAL[text]
    raise NotCanonical(f"{text!r} is not a canonical scalar")


def _string(text: str) -> str:
    if "\\" in text:
        value = loads(text)
        if isinstance(value, str):
            return value
    elif len(text) > 1 and text.endswith('"') and text.count('"') == 2:
        return text[1:-1]
    raise NotCanonical(f"{text!r} is not a canonical string")
