"""The hooks that a plugin can implement.

A plugin is a module named by an entry point of the group `pipestat_spec`:

    [project.entry-points.pipestat_spec]
    mydb = "pipestat_mydb.plugin"

and implements any of the functions below with the decorator `hookimpl`. Import heavy
libraries inside functions: each plugin module is imported by every command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pluggy

if TYPE_CHECKING:
    from pipestat_spec.backend import BackendFactory
    from pipestat_spec.models.record import Record, RecordKey

__all__ = [
    "PROJECT",
    "CommandAdder",
    "Exporter",
    "RecordEvent",
    "hookimpl",
    "hookspec",
]

PROJECT = "pipestat_spec"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class RecordEvent(NamedTuple):
    """What happened to one record of one namespace, after it was stored.

    `before` and `after` are the record as it was and is; None where there was or is none.
    """

    namespace: str
    key: RecordKey
    before: Record | None
    after: Record | None


class Exporter(Protocol):
    """Turns records into another format; `name` is what a user calls it by."""

    name: str

    def export(self, records: Any, output: Any) -> None: ...


class CommandAdder(Protocol):
    """Adds one command to the command line."""

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
