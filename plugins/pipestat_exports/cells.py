"""Values as the text of cells.

In a column of strings a string is written as it is, and in quotes where it would be taken for
something else: for null, or for what is missing. All other columns hold JSON. So 0, false, null,
the empty string and what is missing are five different cells. A string that a spreadsheet would
compute begins with an apostrophe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence

from pipestat_spec.json_values import JSONValue
from pipestat_spec.tables import MISSING, Column
from pipestat_spec.text.strings import spreadsheet_text

__all__ = ["cell_text", "json_text", "mixed_columns", "row_text"]

_JSON = re.compile(r"true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?|[\[{].*", re.DOTALL)


def row_text(
    cells: Sequence[JSONValue], separator: str, missing: str, mixed: Container[int] = ()
) -> str:
    """Return a line of a CSV or TSV file, with its line break.

    `mixed` are the places of columns with values of several types: strings are JSON there.
    """
    return (
        separator.join(
            _delimited(cell, separator, missing, number in mixed)
            for number, cell in enumerate(cells)
        )
        + "\n"
    )


def _delimited(value: JSONValue, separator: str, missing: str, mixed: bool) -> str:
    if value is MISSING:
        return missing
    text = json_text(value) if mixed else cell_text(value)
    if isinstance(value, str):
        text = spreadsheet_text(text)
    special = isinstance(value, str) and (
        text in ("", missing) or text != text.strip() or _JSON.fullmatch(text) is not None
    )
    if special or any(character in text for character in (separator, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


def mixed_columns(columns: Sequence[Column]) -> set[int]:
    """Return the places of the columns with values of several types."""
    return {number for number, column in enumerate(columns) if column.kind == "any"}


def cell_text(value: JSONValue) -> str:
    """Return a string as it is and any other value as JSON on one line."""
    return value if isinstance(value, str) else json_text(value)


def json_text(value: JSONValue) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
