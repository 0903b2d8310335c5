"""CSV files."""

from __future__ import annotations

from pathlib import Path

from pipestat_exports.cells import mixed_columns, row_text
from pipestat_exports.options import Options
from pipestat_spec.tables import Table

__all__ = ["write", "write_delimited"]


def write(table: Table, path: Path, options: Options) -> None:
    """Write the table with commas."""
    write_delimited(table, path, ",", options)


def write_delimited(table: Table, path: Path, separator: str, options: Options) -> None:
    """Write a line with the columns' names, and one for each record, all equally wide."""
    missing = options.missing
    mixed = mixed_columns(table.columns)
    with path.open("w", encoding="utf-8", newline="") as file:
        if options.header:
            file.write(row_text([column.name for column in table.columns], separator, missing))
        for row in table.rows():
            file.write(row_text(row, separator, missing, mixed))
