"""Printing data: JSON, YAML, text, tables, CSV and TSV.

JSON and YAML keep every value and its type; keys of objects are sorted, since their order
carries nothing. The others are for eyes and spreadsheets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from itertools import chain, islice

from pipestat_spec.json_values import JSONValue
from pipestat_spec.text.strings import printable, spreadsheet_text

__all__ = [
    "MISSING",
    "TABULAR",
    "data_text",
    "print_data",
    "print_rows",
    "printing_to",
    "value_text",
]

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
        # A value with a line feed makes no line that looks like another result.
        for name, value in data.items():
            print(f"{printable(name)}: {printable(value_text(value))}")
    elif sys.stdout.isatty():
        print(printable(value_text(data)))
    else:
        # A script gets the string itself.
        print(value_text(data))


def print_rows(
    columns: Sequence[str],
    rows: Iterable[Row],
    style: str,
    *,
    header: bool = True,
    wide: bool = False,
    colours: Mapping[str, str] | None = None,
    right: Collection[int] = (),
) -> None:
    """Print rows as `table`, `csv` or `tsv`, under a line with the columns' names.

    On a terminal a table is fitted to it unless `wide`; `colours` are those of the statuses, and
    `right` the places of columns that stand on the right beside those of numbers.
    """
    if style == "table" and not wide and sys.stdout.isatty():
        from pipestat_spec.cli.terminal import print_table

        known = list(rows)
        numbers = {n for n in range(len(columns)) if _all_numbers(row[n] for row in known)}
        numbers.update(right)
        texts = [[printable(_cell(cell)) for cell in row] for row in known]
        print_table([printable(c) for c in columns], texts, numbers, colours or {}, header)
        return
    if style == "table":
        lines = _table(columns, rows, right)
    else:
        lines = (_csv if style == "csv" else _tsv)(columns, rows)
    skipped = 0 if header else 2 if style == "table" else 1
    for line in islice(lines, skipped, None):
        print(line)


def _all_numbers(cells: Iterable[object]) -> bool:
    kinds = {type(cell) for cell in cells if cell is not MISSING and cell is not None}
    return bool(kinds) and kinds <= {int, float}


@contextmanager
def printing_to(file: str | None) -> Iterator[None]:
    """Print into a file instead, which takes its place when all is done; None prints as ever."""
    if file is None:
        yield
        return
    from io import TextIOWrapper

    from pipestat_spec.whole_files import replacing

    with replacing(file) as content:
        text = TextIOWrapper(content, encoding="utf-8", newline="")
        try:
            with redirect_stdout(text):
                yield
        finally:
            text.detach()


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for row in chain([columns], rows):
        yield ",".join(_csv_cell(cell) for cell in row)


def _csv_cell(value: object) -> str:
    text = _spreadsheet_cell(value)
    # Quotes tell an empty string from a missing value.
    if (value is not MISSING and not text) or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _tsv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for row in chain([columns], rows):
        yield "\t".join(_one_line(_spreadsheet_cell(cell)) for cell in row)


def _table(
    columns: Sequence[str], rows: Iterable[Row], right: Collection[int] = ()
) -> Iterator[str]:
    lines = [[printable(_cell(cell)) for cell in row] for row in (columns, *rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        blanks = (" " * (w - _width(cell)) for cell, w in zip(line, widths, strict=True))
        padded = (
            blank + cell if number in right else cell + blank
            for number, (cell, blank) in enumerate(zip(line, blanks, strict=True))
        )
        yield "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    return "" if value is MISSING else value_text(value)


def _spreadsheet_cell(value: object) -> str:
    return spreadsheet_text(value) if isinstance(value, str) else _cell(value)


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
