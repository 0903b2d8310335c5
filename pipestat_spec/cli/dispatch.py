"""From the arguments to the command: its module is imported, and no other one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pipestat_spec.cli.parser import CommandParser

__all__ = ["CANDIDATES", "COMMANDS", "Command", "build_parser", "dispatch", "plugin_commands"]


class Command(NamedTuple):
    """One command: its help in a line, and the function `module:name` that fills its parser."""

    help: str
    configure: str


# What completion scripts call for names that only a store knows.
CANDIDATES = "__candidates"

# In the order of the help page.
COMMANDS: dict[str, Command] = {
    "report": Command("store results of a record", "report:configure"),
    "retrieve": Command("print a record, or some of its results", "retrieve:configure"),
    "select": Command("print the records that match a filter", "select:configure"),
    "history": Command("print the former values of a record's results", "history:configure"),
    "history prune": Command("remove old entries of the history", "history:configure_prune"),
    "diff": Command("compare two stores, or one store at two times", "diff:configure"),
    "watch": Command("follow a store, and wait for records", "watch:configure"),
    "table": Command("write the records as files for other programs", "table:configure"),
    "summarize": Command("write the report, one HTML file", "summarize:configure"),
    "link": Command("make a folder of links to the files of the results", "link:configure"),
    "remove": Command("remove results or a whole record", "remove:configure"),
    "status set": Command("set the status of a record", "status:configure_set"),
    "status get": Command("print the status of a record", "status:configure_get"),
    "status clear": Command("take the status of a record away", "status:configure_clear"),
    "status list": Command("print the statuses of all records", "status:configure_list"),
    "qc": Command("judge records by the QC rules of the output schema", "qc:configure"),
    "inspect": Command("print what a store holds and how it is configured", "inspect:configure"),
    "validate": Command(
        "check schemas, settings, documents and stored results", "validate:configure"
    ),
    "infer-schema": Command("make an output schema from stored results", "infer_schema:configure"),
    "init": Command("write a configuration and an output schema to start from", "init:configure"),
    "plugins": Command("list the installed plugins", "plugins:configure"),
    "doctor": Command("say what works here: plugins, extras, locks, the store", "doctor:configure"),
    "convert": Command("copy a store into another layout or backend", "convert:configure"),
    "ingest": Command("store the report documents that jobs left behind", "ingest:configure"),
    "looper-config": Command("write what looper says to its pipelines", "looper_config:configure"),
    "shim install": Command("put the shell emitter into a pipeline", "shim:configure_install"),
    "completion": Command("print a completion script for a shell", "completion:configure"),
}

Configure = Callable[["CommandParser"], None]


class PluginCommand(NamedTuple):
    """A command that a plugin adds."""

    plugin: str
    name: str
    help: str
    configure: Configure


# Commands of this project that are distributions of their own.
_SHIPPED_APART = {"conformance": "pipestat-conformance"}


def dispatch(arguments: list[str]) -> int:
    """Run the command that the arguments name; argparse leaves by SystemExit."""
    leading: list[str] = []
    while arguments and arguments[0] in ("--debug", "-q", "--quiet"):
        leading.append(arguments.pop(0))
    if not arguments or arguments[0].startswith("-"):
        return _without_command(arguments)
    first, rest = arguments[0], arguments[1:]
    if first == "help":
        return dispatch([*(word for word in rest if not word.startswith("-")), "--help"])
    if first == CANDIDATES:
        from pipestat_spec.cli.candidates import print_candidates

        return print_candidates(rest)
    if rest and f"{first} {rest[0]}" in COMMANDS:
        return _run(f"{first} {rest[0]}", leading + rest[1:])
    if first in COMMANDS:
        return _run(first, leading + rest)
    if any(name.startswith(f"{first} ") for name in COMMANDS):
        return _group(first, rest)
    return _run_plugin_command(first, leading + rest)


def build_parser(name: str) -> CommandParser:
    """Return the parser of a built-in command."""
    from pipestat_spec.cli.parser import CommandParser

    help, configure = COMMANDS[name]
    module, _, function = configure.partition(":")
    parser = CommandParser(name, help)
    getattr(import_module(f"pipestat_spec.cli.{module}"), function)(parser)
    return parser


def _run(name: str, arguments: list[str]) -> int:
    return build_parser(name).run(arguments)


def plugin_commands() -> Iterator[PluginCommand]:
    """Yield the commands of plugins; one that fails, or takes a name twice, is warned of."""
    from pipestat_spec.cli.messages import warning
    from pipestat_spec.plugins.loading import plugins

    taken = {name.partition(" ")[0] for name in COMMANDS}
    manager = plugins().manager
    for plugin, module in manager.list_name_plugin():
        added: list[PluginCommand] = []

        def add(
            name: str,
            help: str,
            configure: Configure,
            plugin: str = plugin,
            added: list[PluginCommand] = added,
        ) -> None:
            added.append(PluginCommand(plugin, name, help, configure))

        others = [other for other in manager.get_plugins() if other is not module]
        try:
            manager.subset_hook_caller("register_commands", others)(add=add)
        except Exception as failure:  # noqa: BLE001
            warning(f"plugin {plugin!r} adds no commands: {type(failure).__name__}: {failure}")
            continue
        for command in added:
            if command.name in taken:
                warning(f"plugin {plugin!r}: there is a command {command.name!r} already")
            else:
                taken.add(command.name)
                yield command


def _run_plugin_command(name: str, arguments: list[str]) -> int:
    known: list[str] = list(dict.fromkeys(n.partition(" ")[0] for n in COMMANDS))
    for command in plugin_commands():
        if command.name == name:
            from pipestat_spec.cli.parser import CommandParser

            parser = CommandParser(name, command.help)
            command.configure(parser)
            return parser.run(arguments)
        known.append(command.name)
    if name in _SHIPPED_APART:
        from pipestat_spec.cli.messages import error
        from pipestat_spec.installing import install_hint

        package = _SHIPPED_APART[name]
        error(f"the command {name!r} needs the package {package}; {install_hint(package)}")
        return 2
    return _unknown(f"there is no command {name!r}", name, known)


def _group(first: str, rest: list[str]) -> int:
    """Handle `status` or `shim` without a known second word."""
    group = {n: c.help for n, c in COMMANDS.items() if n.startswith(f"{first} ")}
    seconds = [name.split(" ")[1] for name in group]
    if rest and rest[0] in ("-h", "--help"):
        from pipestat_spec.cli.overview import group_help

        print(group_help(first, group.items()))
        return 0
    if rest and not rest[0].startswith("-"):
        return _unknown(f"there is no command '{first} {rest[0]}'", rest[0], seconds)
    return _unknown(f"'{first}' needs one of: {', '.join(seconds)}", "", seconds)


def _without_command(arguments: list[str]) -> int:
    from pipestat_spec.cli import overview

    option = arguments[0] if arguments else None
    if option in ("-h", "--help"):
        own = [(name, command.help) for name, command in COMMANDS.items()]
        added = [(command.name, command.help) for command in plugin_commands()]
        print(overview.overall_help(own + added))
        return 0
    if option in ("-V", "--version"):
        print(overview.version())
        return 0
    return _unknown("no command is given" if option is None else f"unknown option {option}", "", [])


def _unknown(problem: str, given: str, known: list[str]) -> int:
    from pipestat_spec.cli.messages import error
    from pipestat_spec.text.strings import nearest

    near = nearest(given, known) if given else None
    hint = f"did you mean {near!r}?" if near else "'pipestat-spec --help' lists them"
    error(f"{problem}; {hint}")
    return 2
