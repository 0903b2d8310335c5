"""Records into files: choosing them, their order, and the exporter."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.messages import Progress

if TYPE_CHECKING:
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.plugins.hookspecs import Exporter, Source

__all__ = ["choose_exporter", "export_file", "print_export"]

# Formats whose files are text.
_TEXT = (".md", ".jsonl", ".csv", ".tsv")


def choose_exporter(file: str | None, format: str | None) -> Exporter:
    """Return the exporter that a format names, or else the ending of a file; raises PluginError."""
    from pipestat_spec.plugins.loading import plugins

    if format is not None:
        return plugins().exporter(format)
    return plugins().exporter_of(file or "")


def export_file(
    exporter: Exporter, source: Source, output: str, options: Mapping[str, Any], quiet: bool
) -> list[Path]:
    """Write a file or into a folder, with progress on a terminal; return the files."""
    progress = Progress("reading", "record", quiet=quiet, after="nothing was written")
    given = {name: value for name, value in options.items() if value is not None}
    written = exporter.export(_Counted(source, progress), Path(output), given)
    progress.done()
    return written


def print_export(exporter: Exporter, source: Source, options: Mapping[str, Any]) -> None:
    """Print what an exporter writes; raises PipestatError when that is no text."""
    from tempfile import TemporaryDirectory

    from pipestat_spec.errors import PipestatError

    suffix = exporter.suffixes[0] if exporter.suffixes else ""
    if suffix not in _TEXT:
        raise PipestatError(
            f"{exporter.name} is not for printing", hint=f"give a file: -o table{suffix}"
        )
    with TemporaryDirectory() as folder:
        output = os.path.join(folder, f"records{suffix}")
        (written,) = export_file(exporter, source, output, options, True)
        with written.open(encoding="utf-8", newline="") as file:
            for line in file:
                sys.stdout.write(line)


class _Counted:
    """A source that counts the records that are read of it."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def scan(self, level: Level) -> Iterator[Record]:
        for record in self._source.scan(level):
            self._progress.step()
            yield record
