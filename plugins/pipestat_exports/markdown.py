"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import BinaryIO

from pipestat_exports.cells import cell_text
from pipestat_exports.export import as_text
from pipestat_exports.options import Options
from pipestat_spec.json_values import JSONValue
from pipestat_spec.tables import MISSING, Table
from pipestat_spec.text.strings import printable

__all__ = ["write"]

_MARKED = re.compile(r"[\\`*_\[\]|~#]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def write(table: Table, file: BinaryIO, options: Options) -> None:
    """Write the table; whatever a value holds, it is shown as text in its cell."""
    with as_text(file) as text:
        text.write(_line(_cell(column.name) for column in table.columns))
        numbers = ("integer", "number")
        text.write(_line("--:" if c.kind in numbers else "---" for c in table.columns))
        for row in table.rows():
            text.write(_line(options.missing if v is MISSING else _cell(v) for v in row))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _cell(value: JSONValue) -> str:
    text = cell_text(value)
    for character, entity in _ENTITIES.items():
        text = text.replace(character, entity)
    return printable(_MARKED.sub(r"\\\g<0>", text))
