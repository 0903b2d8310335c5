"""Tables for people: fitted to the terminal, with colours where it has some."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pipestat_spec.models.verdict import OTHER_VERDICT, VERDICT

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_table"]

# Columns of a terminal that the cells of a column take at most, and what they can be cut to.
_WIDEST, _NARROWEST = 48, 16
_GAP = 2
_VERDICTS = {"fail": "red", "warn": "yellow", "pass": "green"}


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: set[int],
    styles: Mapping[str, str],
    header: bool,
) -> None:
    """Print rows as a table, or, where they do not fit, as one block for each record.

    Cells that are too long are cut, and end in an ellipsis. `numbers` are the places of columns
    that stand on the right, `styles` how a cell of this text in the column `status` looks.
    """
    from rich.cells import cell_len
    from rich.console import Console

    console = Console(highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    heads = [cell_len(column) if header else 0 for column in columns]
    longest = [
        max(cell_len(row[number]) for row in rows) if rows else 0 for number in range(len(columns))
    ]
    # Under a header the columns have a blank between them besides.
    room = console.width - _GAP * len(columns) - (len(columns) - 1 if header else 0)
    for widest in range(_WIDEST, _NARROWEST - 1, -1):
        widths = [max(h, min(n, widest)) for h, n in zip(heads, longest, strict=True)]
        if sum(widths) <= room:
            _print_rows(console, columns, rows, widths, numbers, styles, header)
            return
    _print_blocks(console, columns, rows, styles)


def _print_rows(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    numbers: set[int],
    styles: Mapping[str, str],
    header: bool,
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD if header else None,
        show_header=header,
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP, 0, 0),
        collapse_padding=True,
    )
    for number, column in enumerate(columns):
        justify: Literal["right", "left"] = "right" if number in numbers else "left"
        table.add_column(
            Text(column),
            justify=justify,
            no_wrap=True,
            overflow="ellipsis",
            width=widths[number],
        )
    for row in rows:
        table.add_row(*(Text(text, _style(columns[n], text, styles)) for n, text in enumerate(row)))
    console.print(table)


def _print_blocks(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Mapping[str, str],
) -> None:
    """Print the first cell of each row as a title, and below it what the others hold."""
    from rich.cells import cell_len
    from rich.text import Text

    width = max(map(cell_len, columns[1:]), default=0)
    for row in rows:
        if row[0]:  # else the row goes on with the record above
            console.print(Text(row[0], "bold"), overflow="ellipsis", no_wrap=True)
        for column, text in zip(columns[1:], row[1:], strict=True):
            if text:
                line = Text("  ")
                line.append(column + " " * (width - cell_len(column) + _GAP), "dim")
                line.append(text, _style(column, text, styles))
                console.print(line, overflow="ellipsis", no_wrap=True)


def _style(column: str, text: str, styles: Mapping[str, str]) -> str:
    if column in (VERDICT, OTHER_VERDICT):
        return _VERDICTS.get(text, "")
    return styles.get(text, "") if column == "status" else ""
