"""The parser of one command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["CommandParser"]

_DEFAULT_WIDTH = 100
# Endings of files that are not called as their format is.
_ENDINGS = {"yml": "yaml", "md": "markdown"}


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are."""

    def __init__(self, prog: str, **settings: Any) -> None:
        # argparse makes a formatter for each option that is added, and without a width each
        # asks for the terminal's, whose module costs as much as argparse itself.
        super().__init__(prog, **{"width": _width(), **settings})


def _width() -> int:
    try:
        return max(int(os.environ.get("COLUMNS", "")), 40) - 2
    except ValueError:
        return _DEFAULT_WIDTH


def _format_of(file: str | None, formats: Sequence[str]) -> str:
    """Return the format that the ending of a file names, the first one without a file.

    Empty where only an exporter may know the ending; commands that print text print it then.
    """
    _, dot, ending = (file or "").rpartition(".")
    named = _ENDINGS.get(ending.lower(), ending.lower()) if dot else ""
    if file is None or named == "txt":
        return formats[0]
    if named in formats:
        return named
    return "" if formats[0] == "table" else formats[0]


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose default `run` is the function of the command.

    Usage errors are one line; the value of an option may begin with a dash.
    """

    def __init__(self, name: str, help: str) -> None:
        super().__init__(
            prog=f"pipestat-spec {name}",
            description=help[:1].upper() + help[1:] + ".",
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def examples(self, *lines: str, text: str = "") -> None:
        """Set what follows the options on the help page."""
        shown = "\n".join(f"  {line}" for line in lines)
        self.epilog = (f"{text.strip()}\n\n" if text else "") + f"examples:\n{shown}"

    def actions(self) -> list[argparse.Action]:
        """Return the arguments and options in the order in which they were added."""
        return [action for action in self._actions if action.help != argparse.SUPPRESS]

    def group(self, title: str) -> list[argparse.Action]:
        """Return the options of a group; empty when the command has none."""
        for group in self._action_groups:
            if group.title == title:
                return group._group_actions
        return []

    def run(self, arguments: Sequence[str]) -> int:
        """Parse the arguments and run the command; return its exit code."""
        parsed = self.parse_args(self._ordered(arguments))
        file = getattr(parsed, "print_to", None)
        if getattr(parsed, "format", "") is None and "formats" in parsed:
            parsed.format = _format_of(file or getattr(parsed, "output", None), parsed.formats)
        if file is None:
            return int(parsed.run(parsed) or 0)
        from pipestat_spec.cli.output import printing_to

        with printing_to(file):
            return int(parsed.run(parsed) or 0)

    def error(self, message: str) -> NoReturn:
        what, found, arguments = message.partition("unrecognized arguments: ")
        if found and not what:
            # The dashes are those of `_ordered`.
            message = f"too many arguments: {arguments.removeprefix('-- ')}; put what holds "
            message += "blanks, < or > in quotes"
        self.exit(2, f"error: {message}; see '{self.prog} --help'\n")

    # An older argparse takes `--value=--` for an empty list.
    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            return "--"
        return super()._get_values(action, arg_strings)

    def _ordered(self, arguments: Sequence[str]) -> list[str]:
        """Return the options, then `--`, then the rest.

        argparse takes arguments between options only in part, and a value that begins with
        a dash for an option: `-v -5` becomes `--value=-5`.
        """
        options: list[str] = []
        others: list[str] = []
        waiting = list(reversed(arguments))
        while waiting:
            argument = waiting.pop()
            if argument == "--":
                others += reversed(waiting)
                break
            if not argument.startswith("-") or argument == "-":
                others.append(argument)
                continue
            action = self._option_string_actions.get(argument)
            if action is None:
                self._check_option(argument)
            if action is not None and action.nargs is None:
                if not waiting or not self._is_value(waiting[-1]):
                    self.error(f"{argument} needs a value")
                argument = f"{action.option_strings[-1]}={waiting.pop()}"
            options.append(argument)
        return [*options, "--", *others] if others else options

    def _check_option(self, argument: str) -> None:
        """Leave with a usage error that names the nearest, unless there is such an option."""
        long = argument.startswith("--")
        # One dash, one letter: the rest is its value or other letters. `-5` is a number.
        option = argument.partition("=")[0] if long else argument[:2]
        if option not in self._option_string_actions and not option[1:].isdigit():
            from pipestat_spec.text.strings import nearest

            near = nearest(option, self._option_string_actions) if long else None
            self.error(
                f"there is no option {option}" + (f"; did you mean {near!r}?" if near else "")
            )

    def _is_value(self, text: str) -> bool:
        """Tell whether the text after an option is its value: no option that was forgotten."""
        return text.partition("=")[0] not in self._option_string_actions
