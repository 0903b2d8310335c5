"""A reader for plain YAML, as most configurations and schemas are written.

Plain are blocks of keys and values on one line each: words, numbers, strings in quotes without
escapes, `{...}` and `[...]`, comments. It gives what `pipestat_spec.text.yaml_parser` gives, and
raises NotPlain for all that it is not sure of, errors among it. It exists because the imports of
PyYAML alone take longer than a report may (docs/adr/0003).
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["NotPlain", "read_plain"]

_KEY = re.compile(r"([A-Za-z_/](?:[A-Za-z0-9_./ -]{0,98}[A-Za-z0-9_./-])?):(?= |$)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
# How strings begin that YAML takes for nothing else, besides the words below.
_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/($")
_FIRST_TWO = ("./", "..", "~/")
_WORDS: dict[str, Any] = {
    form: value
    for word, value in (
        *dict.fromkeys(("true", "yes", "on"), True).items(),
        *dict.fromkeys(("false", "no", "off"), False).items(),
        ("null", None),
    )
    for form in (word, word.title(), word.upper())
}
# Inside brackets these mean something, or may.
_MEANT = frozenset("[]{},:?#&*!|>'\"%@`")
# Far below what a parser and Python's stack allow.
_MAX_DEPTH = 50


class NotPlain(ValueError):
    """The text may say anything: it is for a parser."""


def read_plain(text: str) -> Any:
    """Return the mapping that a text holds, None when it holds nothing; raises NotPlain."""
    lines: list[tuple[int, str]] = []
    for line in text.split("\n"):
        # Neither tabs nor other line breaks, nor characters that YAML refuses.
        if not line.isprintable():
            raise NotPlain
        content = line.strip(" ")
        if content and content[0] != "#":
            lines.append((len(line) - len(line.lstrip(" ")), content))
    if lines and lines[0] == (0, "---"):
        del lines[0]
    if not lines:
        return None
    value, end = _mapping(lines, 0, 0, 0)
    if end != len(lines):
        raise NotPlain
    return value


def _mapping(
    lines: list[tuple[int, str]], at: int, indent: int, depth: int
) -> tuple[dict[str, Any], int]:
    """Return the mapping whose keys stand at `indent`, and the line after it."""
    result: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent:
        line = lines[at][1]
        match = _KEY.match(line)
        if match is None or match[1] in result:
            raise NotPlain
        rest = _without_comment(line[match.end() :])
        at += 1
        if rest:
            value = _value(rest, depth)
            _check_end(lines, at, indent)
        else:
            value, at = _below(lines, at, indent, depth)
        result[match[1]] = value
    return result, at


def _below(lines: list[tuple[int, str]], at: int, indent: int, depth: int) -> tuple[Any, int]:
    """Return what stands below a key without a value, and the line after it."""
    if depth > _MAX_DEPTH:
        raise NotPlain
    if at == len(lines):
        return None, at
    inside, line = lines[at]
    if inside >= indent and line.startswith("- "):
        return _sequence(lines, at, inside, depth + 1)
    if inside <= indent:
        return None, at
    return _mapping(lines, at, inside, depth + 1)


def _sequence(
    lines: list[tuple[int, str]], at: int, indent: int, depth: int
) -> tuple[list[Any], int]:
    """Return the list whose dashes stand at `indent`, and the line after it."""
    result: list[Any] = []
    while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
        line = lines[at][1]
        item = line[2:].lstrip(" ")
        value: Any
        if _KEY.match(item):
            inside = indent + len(line) - len(item)
            lines[at] = (inside, item)
            value, at = _mapping(lines, at, inside, depth + 1)
        else:
            at += 1
            value = _value(_without_comment(" " + item), depth)
        _check_end(lines, at, indent)
        result.append(value)
    return result, at


def _check_end(lines: list[tuple[int, str]], at: int, indent: int) -> None:
    """Refuse a line that goes on with the value before it."""
    if at < len(lines) and lines[at][0] > indent:
        raise NotPlain


def _without_comment(rest: str) -> str:
    """Return what stands before a comment; `rest` begins with the blank before the value."""
    value = rest.partition(" #")[0].strip(" ")
    if value[:1] in ("'", '"') and rest.lstrip(" ").count(value[0]) != 2:
        raise NotPlain  # a `#` in quotes, perhaps
    return value


def _value(text: str, depth: int) -> Any:
    """Return the value that a line ends with."""
    if text[:1] in ("{", "["):
        value, end = _flow(text, 0, depth + 1)
        if end != len(text):
            raise NotPlain
        return value
    if text[:1] in ("'", '"'):
        return _quoted(text)
    if ": " in text or text.endswith(":"):
        raise NotPlain
    return _word(text)


def _quoted(text: str) -> str:
    if len(text) < 2 or text[-1] != text[0] or text.count(text[0]) != 2 or "\\" in text:
        raise NotPlain
    return text[1:-1]


def _word(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] in _FIRST or text[:2] in _FIRST_TWO:
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise NotPlain
    return float(text) if match[1] else int(text)


def _flow(text: str, at: int, depth: int) -> tuple[Any, int]:
    """Return the value in brackets that begins at `at`, and where it ends."""
    if depth > _MAX_DEPTH:
        raise NotPlain
    if text[at] == "{":
        mapping: dict[str, Any] = {}
        at = _after_blanks(text, at + 1)
        while text[at : at + 1] != "}":
            match = _KEY.match(text, at)
            if match is None or match[1] in mapping:
                raise NotPlain
            mapping[match[1]], at = _flow_item(text, match.end(), "}", depth)
        return mapping, at + 1
    items: list[Any] = []
    at = _after_blanks(text, at + 1)
    while text[at : at + 1] != "]":
        item, at = _flow_item(text, at, "]", depth)
        items.append(item)
    return items, at + 1


def _flow_item(text: str, at: int, closing: str, depth: int) -> tuple[Any, int]:
    """Return one value in brackets, and where the next one, or the closing bracket, stands."""
    value: Any
    at = _after_blanks(text, at)
    first = text[at : at + 1]
    if first in ("{", "["):
        value, at = _flow(text, at, depth + 1)
    elif first in ("'", '"'):
        end = text.find(first, at + 1) + 1
        value, at = _quoted(text[at:end]), end
    else:
        end = at
        while end < len(text) and text[end] not in _MEANT:
            end += 1
        value, at = _word(text[at:end].rstrip(" ")), end
    at = _after_blanks(text, at)
    if text[at : at + 1] == closing:
        return value, at
    if text[at : at + 1] != ",":
        raise NotPlain
    at = _after_blanks(text, at + 1)
    if text[at : at + 1] == closing:  # a comma at the end
        raise NotPlain
    return value, at


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] == " ":
        at += 1
    return at
