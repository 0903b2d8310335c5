"""The tokens of the text form of filters, and errors that point at one."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipestat_spec.errors import FilterSyntaxError, InvalidValueError
from pipestat_spec.models.query import FieldPath
from pipestat_spec.models.text import check_text, shorten

__all__ = ["Token", "format_path", "read_path", "read_token", "syntax_error"]

_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "true", "false"})
_BARE = r"[A-Za-z_][A-Za-z0-9_-]*"
_SEGMENT = rf'(?:{_BARE}|"(?:[^"]|"")*+")'
_TOKEN = re.compile(
    rf"""(?P<field>{_SEGMENT}(?:\.{_SEGMENT})*+)
    |(?P<string>'(?:[^']|'')*+')
    |(?P<number>[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))
    |(?P<operator>(?:!=|<=|>=|=|<|>)(?![=<>!]))
    |(?P<mark>[(),])""",
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\r\n]*+")

# What people write instead, by how the text goes on where no token fits.
_MENDS = {
    "'": "close the string; '' stands for a quote inside one",
    '"': 'close the name; "" stands for a quote inside one',
    "==": "write =",
    "<>": "write !=",
    "=<": "write <=",
    "=>": "write >=",
    "!": "write != or not",
    "&": "write and",
    "|": "write or",
    "[": "a list stands in parentheses",
    "{": "a list stands in parentheses",
}
_OTHERWISE = "numbers are written as 12, -0.5 or 1e6; names with other characters in double quotes"


class Token(NamedTuple):
    kind: str  # field, keyword, string, number, operator, mark, end
    text: str
    position: int


def read_token(text: str, position: int) -> Token:
    """Return the token that starts at `position` or after blanks; raises FilterSyntaxError."""
    blank = _BLANK.match(text, position)
    position = blank.end() if blank else position
    if position >= len(text):
        return Token("end", "", len(text))
    match = _TOKEN.match(text, position)
    if match is None or match.lastgroup is None:
        rest = text[position : position + 2]
        hint = _MENDS.get(rest) or _MENDS.get(rest[0]) or _OTHERWISE
        wrong = Token("", rest[0], position)
        raise syntax_error(text, wrong, "a name, a value or an operator", hint=hint)
    token = Token(match.lastgroup, match.group(), position)
    if token.kind in ("field", "string"):
        try:
            check_text(token.text, "text")
        except InvalidValueError:
            raise syntax_error(text, token, "text without NUL and lone surrogates") from None
    if token.kind == "field" and token.text.lower() in _KEYWORDS:
        return Token("keyword", token.text.lower(), position)
    return token


def syntax_error(
    text: str, token: Token, expected: str, *, hint: str | None = None, found: str | None = None
) -> FilterSyntaxError:
    """Return the error that something else was expected where `token` is, on one line."""
    found = found or (f"found {shorten(token.text, 40)}" if token.text else "the filter ends")
    around = shorten(text[max(token.position - 20, 0) :], 60)
    column = token.position + 1
    return FilterSyntaxError(
        f"filter, column {column}: expected {expected}, {found}" + (around and f" near: {around}"),
        hint=hint and shorten(hint, 120),
        column=column,
    )


def read_path(text: str) -> FieldPath:
    """Return the segments of a field token."""
    return tuple(
        segment[1:-1].replace('""', '"') if segment[0] == '"' else segment
        for segment in re.findall(_SEGMENT, text)
    )


def format_path(path: FieldPath) -> str:
    """Return the text of a field, quoted where it must be."""
    return ".".join(map(_format_segment, path))


def _format_segment(segment: str) -> str:
    if re.fullmatch(_BARE, segment) and segment.lower() not in _KEYWORDS:
        return segment
    return '"' + segment.replace('"', '""') + '"'
