"""The entry point: exporters of tables, one for each format, and pipestat's two summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pathlib import Path

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


class OwnExporter:
    """Writes a file or a folder in its own way; the function has the options in its module."""

    def __init__(self, name: str, function: str, suffixes: tuple[str, ...] = ()) -> None:
        self.name = name
        self.suffixes = suffixes
        self._function = function

    def export(self, source: Source, output: Path, options: Mapping[str, Any]) -> list[Path]:
        """Write the file or folder and return what was written."""
        function = getattr(import_module(f"pipestat_exports.{self.name}"), self._function)
        written: list[Path] = function(source, output, options)
        return written


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
    register(OwnExporter("parquet", "export_parquet", (".parquet",)))
    register(TableExporter("xlsx", ".xlsx"))
    register(OwnExporter("lims", "export_lims", (".lims.csv",)))
    register(OwnExporter("frictionless", "export_package"))
    register(OwnExporter("multiqc", "export_multiqc"))
    register(OwnExporter("rocrate", "export_crate"))
    register(SummaryExporter())
