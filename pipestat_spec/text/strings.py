"""What a string may hold, and how a value is shown in a message (spec/core.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipestat_spec.errors import InvalidValueError

__all__ = [
    "check_text",
    "nearest",
    "printable",
    "shorten",
    "shown_address",
    "spreadsheet_text",
]

# Compiled at first use, since this module is on the path of every report.
# What a spreadsheet computes; a number with a sign, or a sign alone, is none.
_FORMULA = r"[=@\t\r]|[+-](?!\d+(\.\d*)?([eE][+-]?\d+)?$)."
# What drives a terminal, or turns the direction of the text around it.
_HIDDEN = "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
# What two names share at least, of 1, when one may be meant for the other; of three letters two may
# be in the wrong order.
_LIKE_ENOUGH = 0.66
# Schemes whose names may hold a question mark; elsewhere a query follows, with keys in it.
_WITHOUT_QUERY = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "file", "local")


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


def spreadsheet_text(text: str) -> str:
    """Return a string for a cell of CSV and TSV, as a spreadsheet and a terminal may show it.

    An apostrophe before it keeps a spreadsheet from computing it. Control characters but tabs and
    ends of lines, and those that change the direction of text, are escaped.
    """
    if not text.isprintable():
        text = re.sub(_HIDDEN, lambda match: match[0].encode("unicode_escape").decode(), text)
    return "'" + text if re.match(_FORMULA, text) else text


def shorten(value: object, width: int = 80) -> str:
    """Return `value` as text of at most `width` characters on one line, for messages."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # integers of more than 4,300 digits have no repr
        text = f"<{type(value).__name__}>"
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: width + 1])
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def shown_address(text: str) -> str:
    """Return a path or an address for messages: without user, password, keys and query.

    Parts of a chained address (`zip::https://...`) are treated each for itself.
    """
    if "://" not in text:
        return text
    return "::".join(map(_shown_part, text.split("::")))


def _shown_part(part: str) -> str:
    scheme, separator, rest = part.partition("://")
    if not separator:
        return part
    if scheme.lower() not in _WITHOUT_QUERY:
        rest = re.split("[?#]", rest, maxsplit=1)[0]
    place = rest.partition("/")[0]
    name, colon, port = place.rpartition(":")
    # A key may hold a slash; then what looks like a port is its beginning.
    is_cut = "@" not in place and colon and not (port.isdigit() or place.endswith("]") or not port)
    if "@" in place or (is_cut and name):
        rest = rest.rpartition("@")[2] if is_cut else place.rpartition("@")[2] + rest[len(place) :]
    return f"{scheme}://{rest}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` probably means, or None."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), 1, _LIKE_ENOUGH)), None)
