"""The entry point: exporters of tables, one for each format, and pipestat's two summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pipestat_spec.plugins.hookspecs import Exporter, Source


class TableExporter:
    """Writes one table in one format; the options are those of `pipestat_exports.options`.

    The module of that name has the function `write(table, path, options)`.
    """

    def __init__(self, name: str, suffix: str) -> None:
        self.name = name
        self.suffixes: tuple[str, ...] = (suffix,)

    def export(self, source: Source, output: Path, options: Mapping[str, Any]) -> list[Path]:
        """Write the table of one level of records and return the files."""
        from pipestat_exports.export import export_table

        write = import_module(f"pipestat_exports.{self.name}").write
        return export_table(source, output, self.suffixes[0], write, options)


class ParquetExporter:
    """Writes a Parquet file, or a dataset in a folder."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet",)

    def export(self, source: Source, output: Path, options: Mapping[str, Any]) -> list[Path]:
        """Write one level of records; the options are those of `pipestat_exports.parquet`."""
        from pipestat_exports.parquet import export_parquet

        return export_parquet(source, output, options)


class SummaryExporter:
    """Writes pipestat's two summaries into a folder: of plain values, and of all others."""

    name = "summary"
    suffixes: tuple[str, ...] = ()

    def export(self, source: Source, output: Path, options: Mapping[str, Any]) -> list[Path]:
        """Write `{name}_stats_summary.tsv`, `{name}_objs_summary.yaml` and the types."""
        from pipestat_exports.summary import export_summary

        return export_summary(source, output, options)


@hookimpl
def register_exporters(register: Callable[[Exporter], None]) -> None:
    register(TableExporter("tsv", ".tsv"))
    register(TableExporter("csv", ".csv"))
    register(TableExporter("markdown", ".md"))
    register(TableExporter("jsonl", ".jsonl"))
    register(ParquetExporter())
    register(TableExporter("xlsx", ".xlsx"))
    register(SummaryExporter())
