"""CSV files."""

from __future__ import annotations

from typing import BinaryIO

from pipestat_exports.cells import mixed_columns, row_text
from pipestat_exports.export import as_text
from pipestat_exports.options import Options
from pipestat_spec.tables import Table

__all__ = ["write", "write_delimited"]


def write(table: Table, file: BinaryIO, options: Options) -> None:
    """Write the table with commas."""
    write_delimited(table, file, ",", options)


def write_delimited(table: Table, file: BinaryIO, separator: str, options: Options) -> None:
    """Write a line with the columns' names, and one for each record, all equally wide."""
    missing = options.missing
    mixed = mixed_columns(table.columns)
    with as_text(file) as text:
        if options.header:
            text.write(row_text([column.name for column in table.columns], separator, missing))
        for row in table.rows():
            text.write(row_text(row, separator, missing, mixed))
