"""The arguments of `pipestat-spec conformance`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pipestat_conformance.verdicts import ExitCode

__all__ = ["Parser", "build_parser"]

_EPILOG = """\
exit codes: 0 conformant, 1 not conformant, 2 the harness or the suite failed, 3 usage

examples:
  pipestat-spec conformance run --backend mydb --store '{"url": "sqlite:///{tmp}/r.db"}'
  pipestat-spec conformance run --backend sql --profile sql-layout
  pipestat-spec conformance run --exec './my-harness' --profile core --report report
  pipestat-spec conformance check-harness --exec './my-harness'

{tmp} is a fresh folder and {unique} a fresh name for each vector. Without --store it is
{"url": "sqlite:///{tmp}/results.db"} for the backend sql and for programs that claim sql-layout
and not yaml-layout, and {"path": "{tmp}/results.yaml"} for all others.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that leaves with this suite's code for usage errors."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"error: {message}; see '{self.prog} --help'\n")


def build_parser(prog: str) -> Parser:
    """Return the parser; the parsed `action` is the name of the subcommand."""
    parser = Parser(
        prog=prog,
        description="Check a backend, or a program in any language, against the specification.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (help, configure) in _ACTIONS.items():
        sub = actions.add_parser(name, help=help, description=help, allow_abbrev=False)
        configure(sub)
    return parser


def _target(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--backend", metavar="NAME", help="a storage plugin, in this process")
    choice.add_argument("--exec", metavar="COMMAND", help="a program that speaks JSON Lines")
    parser.add_argument("--store", metavar="JSON", help="the store; {tmp} is a fresh folder")
    parser.add_argument(
        "--timeout", type=_seconds, default=30.0, metavar="S", help="seconds for one answer"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 86400:
        raise ValueError
    return value


def _number(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


_number.__name__ = "number from 1"
_seconds.__name__ = "number of seconds"


def _run(parser: argparse.ArgumentParser) -> None:
    _target(parser)
    add = parser.add_argument
    add("--profile", action="append", metavar="P", help="judge this profile, and what it needs")
    add("--vector", action="append", default=[], metavar="ID", help="run this one; * and ? match")
    add("--known-failures", type=Path, metavar="FILE", help="failures that are known")
    add(
        "--accept-known",
        action="store_true",
        help="leave with 0 when all that fails is known; the outcome stays 'known failures'",
    )
    add("--report", type=Path, metavar="DIR", help="write report.json and all made from it")
    add("--seed", type=int, default=0, metavar="N", help="of order and trials (default: 0)")
    add("--quick", action="store_true", help="leave out what needs trials with processes")
    add(
        *("-j", "--jobs"),
        type=_number,
        default=1,
        metavar="N",
        help="so many trials at once, on a machine that does nothing else (default: 1)",
    )
    add("--peer", metavar="COMMAND", help="the other program of trials with mixed writers")
    add("-v", "--verbose", action="store_true", help="show every failure with its steps")


def _check(parser: argparse.ArgumentParser) -> None:
    _target(parser)


def _walk(parser: argparse.ArgumentParser) -> None:
    _target(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--walks", type=int, default=20, metavar="N")
    parser.add_argument("--length", type=int, default=40, metavar="N")


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="made if it is missing")


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", type=Path, metavar="A", help="report.json, or its folder")
    parser.add_argument("after", type=Path, metavar="B")


def _merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reports", type=Path, nargs="+", metavar="REPORT")
    parser.add_argument("--report", type=Path, required=True, metavar="DIR", help="where to")


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("vectors", "requirements", "profiles", "capabilities"))
    parser.add_argument("--profile", metavar="P", help="of this profile only")


_ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "run": ("run the suite on a target", _run),
    "check-harness": ("tell a broken harness from a wrong implementation", _check),
    "walk": ("compare random operations with a model", _walk),
    "export-vectors": ("write vectors, schemas and protocol for other languages", _export),
    "compare": ("tell what changed between two reports", _compare),
    "merge": ("make one matrix of several reports", _merge),
    "list": ("list vectors, requirements, profiles or capabilities", _list),
}
