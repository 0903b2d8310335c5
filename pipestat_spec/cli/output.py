"""Printing data: JSON, YAML, text, tables, CSV and TSV.

JSON and YAML keep every value and its type; keys of objects are sorted, since their order
carries nothing. The others are for eyes and spreadsheets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from pipestat_spec.models.record import JSONValue
from pipestat_spec.text.strings import printable

__all__ = ["MISSING", "TABULAR", "data_text", "print_data", "print_rows", "value_text"]

# The formats of rows and columns.
TABULAR = ("table", "csv", "tsv")
# A cell without a value; a reported null is the value None.
MISSING = object()
Row = Sequence[object]


def data_text(data: JSONValue, style: str) -> str:
    """Return data as `json` or `yaml`, without the last line break."""
    if style == "yaml":
        from pipestat_spec.text.yaml_writer import yaml_text

        return yaml_text(data, sort_keys=True)
    return json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)


def value_text(value: JSONValue) -> str:
    """Return a string as it is and any other value as JSON on one line."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def print_data(data: JSONValue, style: str) -> None:
    """Print data as `json`, `yaml` or `text`; text is a value, or a line for each entry."""
    if style != "text":
        print(data_text(data, style))
    elif isinstance(data, dict):
        for name, value in data.items():
            print(f"{name}: {value_text(value)}")
    else:
        print(value_text(data))


def print_rows(columns: Sequence[str], rows: Iterable[Row], style: str) -> None:
    """Print rows as `table`, `csv` or `tsv`, under a line with the columns' names."""
    lines = {"table": _table, "csv": _csv, "tsv": _tsv}[style](columns, rows)
    for line in lines:
        print(line)


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for row in (columns, *rows):
        yield ",".join(_csv_cell(cell) for cell in row)


def _csv_cell(value: object) -> str:
    text = _cell(value)
    # Quotes tell an empty string from a missing value.
    if (value is not MISSING and not text) or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _tsv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for row in (columns, *rows):
        yield "\t".join(_one_line(_cell(cell)) for cell in row)


def _table(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    lines = [[printable(_cell(cell)) for cell in row] for row in (columns, *rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        padded = (cell + " " * (w - _width(cell)) for cell, w in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    return "" if value is MISSING else value_text(value)


def _one_line(text: str) -> str:
    for character, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escape)
    return text


def _width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in ("W", "F") else 1 for c in text)
