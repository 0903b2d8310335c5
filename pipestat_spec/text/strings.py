"""What a string may hold, and how a value is shown in a message (spec/core.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipestat_spec.errors import InvalidValueError

__all__ = ["check_text", "nearest", "no_formula", "printable", "shorten"]

# What a spreadsheet computes; a number with a sign, or a sign alone, is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d+(\.\d*)?([eE][+-]?\d+)?$).")


def check_text(text: str, name: str) -> str:
    """Return `text`; raises InvalidValueError when it holds NUL or a lone surrogate."""
    if "\0" in text:
        raise InvalidValueError(f"{name}: the string holds a NUL character", hint="remove it")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidValueError(
                f"{name}: the string holds a lone surrogate at position {error.start}",
                hint="decode the text properly before reporting it",
            ) from None
    return text


def printable(text: str) -> str:
    """Return the text with what would disturb a terminal, or break a line, escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def no_formula(text: str) -> str:
    """Return the text of a cell; an apostrophe before it keeps a spreadsheet from computing it."""
    return "'" + text if _FORMULA.match(text) else text


def shorten(value: object, width: int = 80) -> str:
    """Return `value` as text of at most `width` characters on one line, for messages."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # integers of more than 4,300 digits have no repr
        text = f"<{type(value).__name__}>"
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: width + 1])
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` probably means, or None."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), 1)), None)
