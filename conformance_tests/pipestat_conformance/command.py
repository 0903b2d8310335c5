"""The entry point of the command line: `pipestat-spec conformance`.

Every command of `pipestat-spec` imports this module, so it imports next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pipestat_spec.plugins.hookspecs import CommandAdder

__all__ = ["register_commands"]


@hookimpl
def register_commands(add: CommandAdder) -> None:
    add("conformance", "check a backend or a program against the specification", _configure)


def _configure(parser: Any) -> None:
    # Its subcommands and exit codes are its own: 2 says that the harness broke, 3 is usage.
    parser.run = _run
    parser.epilog = "see 'pipestat-spec conformance --help'"


def _run(arguments: Sequence[str]) -> int:
    from pipestat_conformance.actions import main

    return main(arguments, "pipestat-spec conformance")
