"""Records into files: choosing them, their order, and the exporter."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.messages import Progress

if TYPE_CHECKING:
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.plugins.hookspecs import Exporter, Source

__all__ = ["choose_exporter", "column_names", "export_file", "print_export", "sorted_records"]

# Formats whose files are text.
_TEXT = (".md", ".jsonl", ".csv", ".tsv")


def column_names(texts: Iterable[str]) -> list[str]:
    """Split lists of names at commas; a name with a comma stands in double quotes."""
    from csv import reader

    names = [name for row in reader(texts, skipinitialspace=True) for name in row if name]
    return list(dict.fromkeys(names))


def sorted_records(records: Iterable[Record], keys: Sequence[str]) -> list[Record]:
    """Return the records in the order of `NAME` or `NAME:desc`, the first key first.

    A name is a result, a field, or leads into an object; what is missing comes last.
    """
    from pipestat_spec.domain.filter_text import read_field
    from pipestat_spec.domain.filters import field_value, order_key
    from pipestat_spec.tables import MISSING

    ordered = list(records)
    names = {name for record in ordered for name in record.results}
    for key in reversed(keys):
        name, _, way = key.rpartition(":")
        if way not in ("asc", "desc") or not name:
            name, way = key, "asc"
        path = (name,) if name in names else read_field(name) or (name,)

        def value(record: Record, path: tuple[str, ...] = path) -> Any:
            if path == ("status_message",) and "status_message" not in record.results:
                found = record.status_message
            else:
                found = field_value(record, path)
            return MISSING if found is None else found

        known = [record for record in ordered if value(record) is not MISSING]
        known.sort(key=lambda record: order_key(value(record)), reverse=way == "desc")
        ordered = known + [record for record in ordered if value(record) is MISSING]
    return ordered


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
    progress = Progress("reading", "records", quiet=quiet)
    try:
        given = {name: value for name, value in options.items() if value is not None}
        return exporter.export(_Counted(source, progress), Path(output), given)
    finally:
        progress.done()


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
