"""The help page of the whole command line, and the version."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["group_help", "overall_help", "version"]

_HEAD = """\
usage: pipestat-spec COMMAND [OPTIONS]

Results and run status of pipelines, the same way everywhere.

commands:
"""

_FOOT = """
options:
  -h, --help     show this help, or with COMMAND that of the command; so does help COMMAND
  --version      show the versions of the package and of the specification

exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 what qc, diff or watch was to look for

example:
  pipestat-spec report -f results.yaml -s schema.yaml -r sample1 reads=1200
  pipestat-spec status set -f results.yaml -r sample1 completed
  pipestat-spec select -f results.yaml --where 'reads > 1000'
"""


def overall_help(commands: Iterable[tuple[str, str]]) -> str:
    """Return the page of `pipestat-spec --help`; `commands` are names and help lines."""
    return _HEAD + _rows(list(commands)) + _FOOT.rstrip()


def group_help(first: str, commands: Iterable[tuple[str, str]]) -> str:
    """Return the page of a group of commands, such as `status`."""
    rows = _rows(list(commands))
    return f"usage: pipestat-spec {first} COMMAND [OPTIONS]\n\ncommands:\n{rows}".rstrip()


def _rows(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "".join(f"  {name:<{width}}  {help}\n" for name, help in rows)


def version() -> str:
    """Return the line of `pipestat-spec --version`."""
    from pipestat_spec import SPEC_VERSION, __version__

    return f"pipestat-spec {__version__} (specification {SPEC_VERSION})"
