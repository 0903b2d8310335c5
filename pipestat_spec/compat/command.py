"""The command `pipestat`: this package's command line, writing new stores as pipestat does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from pipestat_spec.cli import main as run_command
from pipestat_spec.opening import NEW_LAYOUT

__all__ = ["main", "without_effect"]

# Options of pipestat's log, and whether a value follows.
_LOG_OPTIONS = {"--silent": False, "--logdev": False, "--verbosity": True}


def main(test_args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    token = NEW_LAYOUT.set("levels")
    try:
        sys.exit(run_command(without_effect(sys.argv[1:] if test_args is None else test_args)))
    finally:
        NEW_LAYOUT.reset(token)


def without_effect(arguments: Sequence[str]) -> list[str]:
    """Leave out the options of pipestat's that have no effect, there or here.

    They are those of its log, before the command, and for `init` and `infer-schema` the name of a
    project and `-g`, which is what `init` does.
    """
    waiting = list(arguments)
    while waiting and (name := waiting[0].partition("=")[0]) in _LOG_OPTIONS:
        del waiting[: 1 + (_LOG_OPTIONS[name] and "=" not in waiting[0])]
    if waiting[:1] not in (["init"], ["infer-schema"]):
        return waiting
    kept, rest = waiting[:1], waiting[1:]
    while rest:
        name, has_value, _ = rest[0].partition("=")
        if name in ("-n", "--project-name"):
            del rest[: 1 if has_value else 2]
        elif name.startswith("-n") or name in ("-g", "--generic-config"):
            del rest[0]
        else:
            kept.append(rest.pop(0))
    return kept
