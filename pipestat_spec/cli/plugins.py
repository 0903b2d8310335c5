"""`plugins`: what is installed, what it offers, and what is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_list
from pipestat_spec.cli.output import MISSING

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue

__all__ = ["configure"]

_ALWAYS = ("plugin", "distribution", "backends")
# Columns that a table shows when one plugin fills them.
_SOMETIMES = ("exporters", "commands", "observes", "error")
_OBSERVERS = ("result_reported", "status_changed", "record_removed")


def configure(parser: CommandParser) -> None:
    """Fill the parser of `plugins`."""
    add_list(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec plugins",
        "pipestat-spec plugins --format json",
        text="A plugin that fails to load is listed with its error, and the others work on. The\n"
        "environment variable PIPESTAT_PLUGINS, a comma-separated list, restricts what is loaded.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.listing import Listing, print_list

    found = _describe_plugins()
    columns = list(_ALWAYS + _SOMETIMES)
    if args.format == "table":
        columns = [c for c in columns if c in _ALWAYS or any(plugin[c] for plugin in found)]
    rows = [[_cell(plugin[c]) for c in columns] for plugin in found]
    print_list(Listing(columns, rows, "plugin", found), args)
    return 0


def _cell(value: JSONValue) -> object:
    return (", ".join(value) if isinstance(value, list) else value) or MISSING


def _describe_plugins() -> list[dict[str, JSONValue]]:
    from pipestat_spec.cli.dispatch import plugin_commands
    from pipestat_spec.plugins.loading import plugins

    loaded = plugins()
    commands: dict[str, list[str]] = {}
    for command in plugin_commands():
        commands.setdefault(command.plugin, []).append(command.name)

    def offered(kind: str, plugin: str) -> list[str]:
        return sorted(
            key.partition(":")[2]
            for key, owner in loaded.providers.items()
            if owner == plugin and key.startswith(f"{kind}:")
        )

    return [
        {
            "plugin": one.name,
            "distribution": one.entry_point.distribution,
            "backends": offered("backend", one.name) if one.error is None else [],
            "exporters": offered("exporter", one.name) if one.error is None else [],
            "commands": commands.get(one.name, []) if one.error is None else [],
            "observes": _observed(one.name) if one.error is None else [],
            "error": one.error,
        }
        for one in loaded.loaded
    ]


def _observed(plugin: str) -> list[str]:
    from pipestat_spec.plugins.loading import plugins

    hook = plugins().manager.hook
    return [
        name
        for name in _OBSERVERS
        if any(impl.plugin_name == plugin for impl in getattr(hook, name).get_hookimpls())
    ]
