"""Values as the text of cells.

A string is written as it is, and in quotes where it would be taken for something else; what
stands without quotes and reads as JSON is no string. So 0, false, null, the empty string and
what is missing are five different cells.
"""

from __future__ import annotations

import json
import re

from pipestat_spec.models.record import JSONValue
from pipestat_spec.tables import MISSING

__all__ = ["cell_text", "json_text", "row_text"]

_JSON = re.compile(r"true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?|[\[{].*", re.DOTALL)


def row_text(cells: list[JSONValue], separator: str, missing: str) -> str:
    """Return a line of a CSV or TSV file, with its line break."""
    return separator.join(_delimited(cell, separator, missing) for cell in cells) + "\n"


def _delimited(value: JSONValue, separator: str, missing: str) -> str:
    if value is MISSING:
        return missing
    text = cell_text(value)
    special = isinstance(value, str) and (
        text in ("", missing) or text != text.strip() or _JSON.fullmatch(text) is not None
    )
    if special or any(character in text for character in (separator, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


def cell_text(value: JSONValue) -> str:
    """Return a string as it is and any other value as JSON on one line."""
    return value if isinstance(value, str) else json_text(value)


def json_text(value: JSONValue) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
