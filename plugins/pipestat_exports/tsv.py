"""TSV files: like CSV, with tabs."""

from __future__ import annotations

from typing import BinaryIO

from pipestat_exports.csv import write_delimited
from pipestat_exports.options import Options
from pipestat_spec.tables import Table

__all__ = ["write"]


def write(table: Table, file: BinaryIO, options: Options) -> None:
    """Write the table with tabs."""
    write_delimited(table, file, "\t", options)
