"""JSON lines: an object for each record, without what was not reported."""

from __future__ import annotations

import json
from pathlib import Path

from pipestat_exports.options import Options
from pipestat_spec.tables import MISSING, Table

__all__ = ["write"]


def write(table: Table, path: Path, options: Options) -> None:  # noqa: ARG001
    """Write a line for each record."""
    names = [column.name for column in table.columns]
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in table.rows():
            found = {
                name: value for name, value in zip(names, row, strict=True) if value is not MISSING
            }
            file.write(json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n")
