"""The entry point: the exporter `html`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pathlib import Path

    from pipestat_spec.plugins.hookspecs import Exporter, Source


class HtmlExporter:
    """Writes the report; the options are the fields of `pipestat_report.options.Options`."""

    name = "html"
    suffixes: tuple[str, ...] = (".html", ".zip")

    def export(self, source: Source, output: Path, options: Mapping[str, Any]) -> list[Path]:
        """Write the report, or with `portable` a zip file of it and what it links to."""
        from pipestat_report.options import read_options
        from pipestat_report.report import build_report

        return build_report(source, output, read_options(options))


@hookimpl
def register_exporters(register: Callable[[Exporter], None]) -> None:
    register(HtmlExporter())
