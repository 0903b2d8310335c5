"""The hooks that a plugin can implement.

A plugin is a module named by an entry point of the group `pipestat_spec`:

    [project.entry-points.pipestat_spec]
    mydb = "pipestat_mydb.plugin"

and implements any of the functions below with the decorator `hookimpl`. Import heavy
libraries inside functions: each plugin module is imported by every command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from pipestat_spec.backend import BackendFactory
    from pipestat_spec.models.query import Page, Query
    from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
    from pipestat_spec.models.schema.output_schema import OutputSchema
    from pipestat_spec.models.schema.status_schema import StatusSchema

__all__ = [
    "PROJECT",
    "CommandAdder",
    "Exporter",
    "RecordEvent",
    "Source",
    "hookimpl",
    "hookspec",
]

PROJECT = "pipestat_spec"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class RecordEvent(NamedTuple):
    """What happened to the record `key` of one `namespace`, after it was stored.

    `before` and `after` are the record as it was and is; None where there was or is none.
    """

    namespace: str
    key: RecordKey
    before: Record | None
    after: Record | None


class Source(Protocol):
    """What an exporter reads: the records of one namespace, and nothing that writes them.

    An opened store is one. Methods raise what the store raises, UnsupportedOperation for a
    level that is not among `levels`.
    """

    @property
    def namespace(self) -> str:
        """The namespace of the records, usually the pipeline's name."""

    @property
    def place(self) -> str | None:
        """Where the results are, for people: a file or an address without its password."""

    @property
    def schema(self) -> OutputSchema | None:
        """The output schema, or None."""

    @property
    def statuses(self) -> StatusSchema:
        """The defined statuses."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the store can hold."""

    def count(self, level: Level) -> int:
        """Return how many records a level has."""

    def scan(self, level: Level) -> Iterator[Record]:
        """Yield the records in code-point order of their identifiers."""

    def select(self, query: Query) -> Page:
        """Return the records that match, a page at a time."""

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one; nothing where none is kept."""

    def record_folder(self, identifier: str) -> str:
        """Return the folder, or address, that a record's relative paths start from."""

    @property
    def storage_options(self) -> Mapping[str, Any]:
        """What the remote file system of the results is opened with; secrets may be among it."""


class Exporter(Protocol):
    """Writes records in another form.

    `name` is what a user calls it by, `suffixes` are the endings of the files that it
    writes, the usual one first.
    """

    name: str
    suffixes: tuple[str, ...]

    def export(self, source: Source, output: Path, options: Mapping[str, Any]) -> list[Path]:
        """Write the records of `source` and return the files that were written.

        `output` is the file, or a folder where the exporter chooses the name. Raises a
        PipestatError for an option that it does not know and for values that it refuses.
        """


class CommandAdder(Protocol):
    """Adds one command to the command line: `add(name, help, configure)`.

    `help` is a line without a full stop; `configure` gets the command's `argparse` parser.
    """

    def __call__(self, name: str, help: str, configure: Callable[[Any], None]) -> None: ...


@hookspec
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    """Call `register(factory)` for each storage backend that the plugin offers."""


@hookspec
def register_exporters(register: Callable[[Exporter], None]) -> None:
    """Call `register(exporter)` for each export format that the plugin offers."""


@hookspec
def register_commands(add: CommandAdder) -> None:
    """Call `add(name, help, configure)` for each command; `configure` gets its parser.

    The parser's default `run` is the function to call with the parsed arguments; what it
    returns is the exit code.
    """


@hookspec
def result_reported(event: RecordEvent) -> None:
    """Results of a record were stored or removed."""


@hookspec
def status_changed(event: RecordEvent) -> None:
    """The status of a record was set or cleared."""


@hookspec
def record_removed(event: RecordEvent) -> None:
    """A record was removed; `event.after` is None."""
