"""From a store to the file of a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from pipestat_exports.options import Options, read_options
from pipestat_spec.errors import PipestatDependencyError, PipestatSummarizeError
from pipestat_spec.installing import install_hint
from pipestat_spec.tables import Column, Table, read_table
from pipestat_spec.text.unreadable import system_reason
from pipestat_spec.whole_files import replace_file, replacing

if TYPE_CHECKING:
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["as_text", "export_table", "missing_library", "table_of", "write_file", "write_types"]

Write = Callable[[Table, BinaryIO, Options], None]


def export_table(
    source: Source, output: Path, suffix: str, write: Write, given: Mapping[str, Any]
) -> list[Path]:
    """Write one level of a source with `write` and return the files that were written.

    `output` is the file, or a folder for `{pipeline}_table` with the suffix. Raises
    PipestatSummarizeError.
    """
    options = read_options(given, Options)
    output = options.file(output, source.namespace, suffix)
    with table_of(source, options) as table:
        write_file(output, lambda file: write(table, file, options))
        if not options.types:
            return [output]
        return [output, write_types(output, table.columns, options)]


def table_of(source: Source, options: Options) -> Table:
    """Return the table of one level, with the columns that the options name; close it."""
    schema = source.schema.levels[options.level] if source.schema else None
    records = source.scan(options.level)
    return read_table(records, schema, options.columns, flatten=options.flatten)


def write_file(output: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` fill the file in one step; raises PipestatSummarizeError when it cannot be."""
    try:
        with replacing(output) as file:
            write(file)
    except OSError as error:
        raise PipestatSummarizeError(
            f"{output} cannot be written: {system_reason(error)}", hint="choose another file"
        ) from error


@contextmanager
def as_text(file: BinaryIO) -> Iterator[TextIO]:
    """Give the file to write text to, which goes out as UTF-8 with the ends of lines as given."""
    text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        yield text
    finally:
        text.detach()


def write_types(output: Path, columns: list[Column], options: Options) -> Path:
    """Write the types of the columns beside a table, as a Table Schema; return the file."""
    objects = {"file": "object", "image": "object"}
    fields = [{"name": c.name, "type": objects.get(c.kind, c.kind)} for c in columns]
    schema = {"fields": fields, "missingValues": [options.missing, "null"]}
    path = output.with_suffix(".types.json")
    text = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    replace_file(path, text.encode())
    return path


def missing_library(name: str, what: str) -> PipestatDependencyError:
    """Return the error that a library is not installed."""
    return PipestatDependencyError(
        f"{what} needs the package {name}", hint=install_hint("pipestat-spec[tables]")
    )
