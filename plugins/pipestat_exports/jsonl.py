"""JSON lines: an object for each record, without what was not reported."""

from __future__ import annotations

import json
from typing import BinaryIO

from pipestat_exports.export import as_text
from pipestat_exports.options import Options
from pipestat_spec.tables import MISSING, Table

__all__ = ["write"]


def write(table: Table, file: BinaryIO, options: Options) -> None:  # noqa: ARG001
    """Write a line for each record."""
    names = [column.name for column in table.columns]
    with as_text(file) as text:
        for row in table.rows():
            found = {
                name: value for name, value in zip(names, row, strict=True) if value is not MISSING
            }
            text.write(json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n")
