"""Parquet files: plain values with their type, all others as JSON text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from pipestat_exports.cells import json_text
from pipestat_exports.export import missing_library
from pipestat_exports.options import Options
from pipestat_spec.json_values import JSONValue
from pipestat_spec.tables import MISSING, Column, Table

__all__ = ["write"]

_AT_ONCE = 10_000
_PLAIN = ("boolean", "integer", "number", "string")


def write(table: Table, file: BinaryIO, options: Options) -> None:
    """Write the table in groups of rows; a null of a plain column is a missing value."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise missing_library("pyarrow", "Parquet") from None
    types = {
        "boolean": pyarrow.bool_(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
    }
    schema = pyarrow.schema(
        [
            pyarrow.field(
                column.name,
                types.get(column.kind, pyarrow.string()),
                metadata={"pipestat_type": column.kind},
            )
            for column in table.columns
        ],
        metadata={"pipestat_level": options.level},
    )
    with ParquetWriter(file, schema) as writer:
        for columns in _batches(table):
            arrays = [
                pyarrow.array(values, field.type)
                for values, field in zip(columns, schema, strict=True)
            ]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


def _batches(table: Table) -> Iterator[list[list[Any]]]:
    """Yield the values of some rows by column."""
    rows = table.rows()
    while batch := list(islice(rows, _AT_ONCE)):
        yield [
            [_value(row[number], column) for row in batch]
            for number, column in enumerate(table.columns)
        ]


def _value(value: JSONValue, column: Column) -> Any:
    if value is MISSING:
        return None
    if column.kind in _PLAIN:
        return float(value) if column.kind == "number" and value is not None else value
    return json_text(value)
