"""YAML that YAML 1.1 and YAML 1.2 parsers read alike (spec/writers.md and trailer.md).

Block style, two spaces per level, one scalar per line, strings plain only in a form that no
parser takes for something else, otherwise in double quotes as JSON writes them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from json import dumps
from typing import NamedTuple

from pipestat_spec.json_values import JSONValue

__all__ = ["Verbatim", "entry_lines", "header_lines", "is_plain", "quote", "yaml_text"]

# YAML caps implicit keys at 1024 characters; some parsers count UTF-16 units.
_LONGEST_IMPLICIT_KEY = 1000

_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_NOT_STRINGS = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf")
)
# Some parsers take `E5` for a number.
_EXPONENT = "[eE]-?[0-9]+"
# What JSON leaves as it is and YAML 1.1 takes for a line break or refuses. Rare, and `re` keeps it
# compiled.
_ESCAPED = "[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"


class Verbatim(NamedTuple):
    """A plain scalar outside the data model, such as `.nan`, kept as it was written."""

    text: str


def yaml_text(data: JSONValue, *, sort_keys: bool = False) -> str:
    """Return `data` as block YAML, in its own order or sorted, without the last line break."""
    if sort_keys:
        data = _sorted(data)
    if not data or not isinstance(data, dict | list):
        return _scalar(data)
    lines: list[str] = []
    _add_children(lines, data, "")
    return "\n".join(lines)


def _sorted(data: JSONValue) -> JSONValue:
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data


def is_plain(text: str) -> bool:
    """Tell whether a string stands without quotes."""
    return (
        _PLAIN.fullmatch(text) is not None
        and text.lower() not in _NOT_STRINGS
        and (text[0] not in "eE" or re.fullmatch(_EXPONENT, text) is None)
    )


def quote(text: str) -> str:
    """Return the scalar that every YAML parser reads as the string `text`."""
    if is_plain(text):
        return text
    quoted = dumps(text, ensure_ascii=False)
    if text.isascii() and "\x7f" not in text:
        return quoted
    return re.sub(_ESCAPED, lambda match: f"\\u{ord(match[0]):04x}", quoted)


# The same few keys open the entries of every record.
@lru_cache(maxsize=1024)
def header_lines(key: str, indent: str) -> str:
    """Return the line or lines that open the entry `key`; the value follows its last colon."""
    quoted = quote(key)
    if len(quoted) * 2 > _LONGEST_IMPLICIT_KEY and (
        len(quoted.encode("utf-16-le")) > 2 * _LONGEST_IMPLICIT_KEY
    ):
        return f"{indent}? {quoted}\n{indent}:"
    return f"{indent}{quoted}:"


def entry_lines(key: str, value: JSONValue, indent: str = "") -> list[str]:
    """Return the lines of one entry of a mapping that stands at `indent`."""
    lines: list[str] = []
    _add_entry(lines, key, value, indent)
    return lines


def _add_entry(lines: list[str], key: str, value: JSONValue, indent: str) -> None:
    header = header_lines(key, indent)
    if value and isinstance(value, dict | list):
        lines += header.split("\n")
        _add_children(lines, value, indent + "  ")
    else:
        lines += f"{header} {_scalar(value)}".split("\n")


def _add_children(lines: list[str], value: JSONValue, indent: str) -> None:
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


def _scalar(value: JSONValue) -> str:
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
    if isinstance(value, Verbatim):
        return value.text
    return "{}" if isinstance(value, dict) else "[]"


def _float(value: float) -> str:
    mantissa, exponent, power = repr(value).partition("e")
    if not exponent:
        return mantissa
    # YAML 1.1 wants the dot, and the sign that repr writes anyway.
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{power}"
