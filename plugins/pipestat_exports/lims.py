"""A wide CSV file for a LIMS: a row for each record, and no cell that is an object.

Objects have a column for each key; files and images are their paths. A list has columns of its
own, numbered from 1, where the schema says how long it can be; any other one is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from pipestat_exports.cells import row_text
from pipestat_exports.export import as_text, table_of, write_file, write_types
from pipestat_exports.options import Options, read_options
from pipestat_exports.places import Places, file_kind
from pipestat_spec.json_values import JSONValue
from pipestat_spec.tables import MISSING, Column, Table

if TYPE_CHECKING:
    from pathlib import Path

    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["export_lims"]

_MOST_NUMBERED = 100


def export_lims(source: Source, output: Path, given: Mapping[str, Any]) -> list[Path]:
    """Write one level of a source and return the files; raises PipestatSummarizeError."""
    options = replace(read_options(given, Options), flatten=True)
    output = options.file(output, source.namespace, ".lims.csv")
    schema = source.schema.levels[options.level] if source.schema else None
    with table_of(source, options) as table:
        wide = _Wide(table, Places(schema))
        write_file(output, lambda file: _write(file, wide, options))
        if not options.types:
            return [output]
        return [output, write_types(output, wide.columns, options)]


def _write(file: BinaryIO, wide: _Wide, options: Options) -> None:
    mixed = {n for n, column in enumerate(wide.columns) if column.kind == "any"}
    with as_text(file) as text:
        if options.header:
            text.write(row_text([c.name for c in wide.columns], ",", options.missing))
        for row in wide.rows():
            text.write(row_text(row, ",", options.missing, mixed))


class _Cell(NamedTuple):
    """Where a cell is in a row of the table; `item` is its place in a list."""

    number: int
    item: int | None = None


class _Wide:
    """The table with paths in the place of files, and lists in columns."""

    def __init__(self, table: Table, places: Places) -> None:
        self._table = table
        self.columns: list[Column] = []
        self._cells: list[_Cell] = []
        longest = _longest_lists(table)
        for number, column in enumerate(table.columns):
            whole = _file_around(column, places)
            if whole is None:
                self._add(column, number, places, longest[number])
            elif column.path == (*whole, "path"):
                name = column.name.removesuffix(".path")
                self._append(Column(name, column.path, "string"), _Cell(number))

    def _add(self, column: Column, number: int, places: Places, longest: int) -> None:
        schema = places.schema(column.path) or {}
        most = schema.get("maxItems")
        if column.kind != "array" or type(most) is not int:
            self._append(column, _Cell(number))
            return
        items = schema.get("items")
        kind = items.get("type") if isinstance(items, Mapping) else None
        plain = kind in ("boolean", "integer", "number", "string") or file_kind(items) is not None
        if not plain or not longest <= most <= _MOST_NUMBERED:
            self._append(column, _Cell(number))
            return
        for index in range(most):
            name = f"{column.name}.{index + 1}"
            kind = "string" if kind == "object" else kind
            self._append(Column(name, column.path, kind), _Cell(number, index))  # type: ignore[arg-type]

    def _append(self, column: Column, cell: _Cell) -> None:
        self.columns.append(column)
        self._cells.append(cell)

    def rows(self) -> Iterator[list[JSONValue]]:
        for row in self._table.rows():
            yield [_value(row[cell.number], cell.item) for cell in self._cells]


def _longest_lists(table: Table) -> list[int]:
    """Return for each column how long the longest list in it is."""
    longest = [0] * len(table.columns)
    lists = [n for n, column in enumerate(table.columns) if column.kind == "array"]
    for row in table.rows() if lists else ():
        for number in lists:
            value = row[number]
            if isinstance(value, list):
                longest[number] = max(longest[number], len(value))
    return longest


def _file_around(column: Column, places: Places) -> tuple[str, ...] | None:
    """Return the place of the file or image that a column is a key of."""
    for length in range(1, len(column.path)):
        if file_kind(places.schema(column.path[:length])) is not None:
            return column.path[:length]
    return None


def _value(value: JSONValue, index: int | None) -> JSONValue:
    if value is MISSING or value is None:
        return value
    if index is not None:
        return _path(value[index]) if isinstance(value, list) and index < len(value) else MISSING
    return [_path(item) for item in value] if isinstance(value, list) else value


def _path(value: JSONValue) -> JSONValue:
    """Return the path of a file in a list, and any other value as it is."""
    if isinstance(value, dict) and {"path", "title"} <= value.keys():
        return value["path"]
    return value
