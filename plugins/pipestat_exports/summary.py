"""pipestat's two summaries: a table of the plain values, and a YAML file of all others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipestat_exports.cells import mixed_columns, row_text
from pipestat_exports.export import as_text, write_file, write_types
from pipestat_exports.options import Options, read_options
from pipestat_spec.json_values import JSONValue
from pipestat_spec.tables import MISSING, Column, Table, read_table
from pipestat_spec.text.file_names import encode_component
from pipestat_spec.text.yaml_writer import yaml_text

if TYPE_CHECKING:
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["export_summary"]

# What pipestat puts into the second file.
_OBJECTS = ("object", "array", "file", "image")


def export_summary(source: Source, folder: Path, given: Mapping[str, Any]) -> list[Path]:
    """Write the summaries into a folder and return their files, the types of the columns last."""
    options = read_options(given, Options)
    name = encode_component(source.namespace)
    stats, objects = folder / f"{name}_stats_summary.tsv", folder / f"{name}_objs_summary.yaml"
    schema = source.schema.levels[options.level] if source.schema else None
    records = source.scan(options.level)
    fields = ("record_identifier",)
    with read_table(
        records, schema, options.columns, flatten=options.flatten, fields=fields
    ) as table:
        columns = [
            Column("Sample Index", (), "integer"),
            Column("Record Identifier", (), "string"),
            Column("Pipeline Type", (), "string"),
            *(column for column in table.columns[1:] if column.kind not in _OBJECTS),
        ]
        write_file(stats, lambda file: _write_stats(file, table, columns, options))
        write_file(objects, lambda file: _write_objects(file, table))
    return [stats, objects, write_types(stats, columns, options)]


def _write_stats(file: BinaryIO, table: Table, columns: list[Column], options: Options) -> None:
    wanted = set(columns)
    shown = [number for number, column in enumerate(table.columns) if column in wanted]
    mixed = mixed_columns(columns)
    with as_text(file) as text:
        text.write(row_text([column.name for column in columns], "\t", options.missing))
        for index, row in enumerate(table.rows(), 1):
            cells = [index, row[0], options.level, *(row[number] for number in shown)]
            text.write(row_text(cells, "\t", options.missing, mixed))


def _write_objects(file: BinaryIO, table: Table) -> None:
    names = [(n, c.name) for n, c in enumerate(table.columns) if c.kind in _OBJECTS]
    with as_text(file) as text:
        empty = True
        for row in table.rows():
            found: dict[str, JSONValue] = {
                name: row[number] for number, name in names if row[number] is not MISSING
            }
            if found:
                empty = False
                text.write(yaml_text({row[0]: found}) + "\n")
        if empty:
            text.write("{}\n")
