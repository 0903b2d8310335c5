"""The entry point: the command `serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pipestat_spec.plugins.hookspecs import CommandAdder


@hookimpl
def register_commands(add: CommandAdder) -> None:
    def configure(parser: Any) -> None:
        from pipestat_serve.command import configure

        configure(parser)

    add("serve", "show stores live in a browser, and over HTTP", configure)
