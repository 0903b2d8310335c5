"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipestat_spec.models.config import KEYS
from pipestat_spec.models.layout import LAYOUTS
from pipestat_spec.models.record import LEVELS

if TYPE_CHECKING:
    from pipestat_spec.cli.parser import CommandParser

__all__ = [
    "STORE_GROUP",
    "STORE_OPTIONS",
    "add_format",
    "add_list",
    "add_output",
    "add_quiet",
    "add_record",
    "add_store",
    "integer_option",
    "number_option",
]

# Formats of every list beside `table`, and those that only lists of records have.
LIST_FORMATS = ("json", "yaml", "csv", "tsv")
EXPORTED_FORMATS = ("markdown", "jsonl", "parquet", "xlsx")

STORE_GROUP = "options that name a store"
# Option strings, configuration key and metavar of what names a store.
STORE_OPTIONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("-f", "--results-file"), "results_file_path", "STORE"),
    (("-s", "--schema"), "schema_path", "FILE"),
    (("--status-schema",), "status_schema_path", "FILE"),
    (("--flag-dir",), "flag_file_dir", "DIR"),
    (("-n", "--project-name"), "project_name", "NAME"),
    (("--pipeline-name",), "pipeline_name", "NAME"),
    (("--backend",), "backend", "NAME"),
)


def add_store(parser: CommandParser) -> None:
    """Add the options that name a store and say how it is used."""
    group = parser.add_argument_group(
        STORE_GROUP,
        "Stronger than the configuration file, which is stronger than the environment. Without "
        "any, the nearest pipestat.yaml, in this folder or above it, says what is left open.",
    )
    group.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        help="configuration file (environment: PIPESTAT_CONFIG; else the nearest pipestat.yaml)",
    )
    for strings, key, metavar in STORE_OPTIONS:
        group.add_argument(*strings, dest=key, metavar=metavar, help=describe_key(key))
    group.add_argument("--layout", choices=LAYOUTS, help="layout of a new store")
    group.add_argument(
        "-p", "--pipeline-type", choices=LEVELS, help=f"level; {describe_key('pipeline_type')}"
    )
    group.add_argument(
        "--multi-pipelines", action="store_true", help=KEYS["multi_pipelines"].description
    )
    group.add_argument(
        "-a", "--database-only", action="store_true", help=KEYS["database_only"].description
    )


def describe_key(key: str) -> str:
    """Return what a configuration key is for, with its environment variable."""
    definition = KEYS[key]
    if definition.environment is None:
        return definition.description
    return f"{definition.description} (environment: {definition.environment})"


def add_record(parser: CommandParser, *, several: bool = False) -> None:
    """Add `-r`; without it the configured record is meant, at project level the project."""
    parser.add_argument(
        "-r",
        "--record-identifier",
        metavar="RECORD",
        action="append" if several else "store",
        help=f"the record (environment: {KEYS['record_identifier'].environment}; "
        "at project level the project name)" + ("; may be repeated" if several else ""),
    )


def add_format(parser: CommandParser, choices: Sequence[str]) -> None:
    """Add `--format`; without it the ending of `-o` decides, and else the first choice."""
    parser.add_argument("--format", choices=choices, help=f"of the output; default {choices[0]}")
    parser.set_defaults(formats=tuple(choices))


def add_output(parser: CommandParser) -> None:
    """Add `-o`, which the parser heeds: what the command prints goes into a file."""
    parser.add_argument(
        "-o", "--output", dest="print_to", metavar="FILE", help="write there instead of printing"
    )


def add_list(
    parser: CommandParser, *, of_records: bool = False, first: Sequence[str] = ("table",)
) -> None:
    """Add what `print_list` heeds; a list `of_records` has the formats of exporters too."""
    add_format(parser, (*first, *LIST_FORMATS, *(EXPORTED_FORMATS if of_records else ())))
    parser.add_argument("-o", "--output", metavar="FILE", help="write there instead of printing")
    parser.add_argument(
        "--no-header", action="store_true", help="leave out the line with the columns' names"
    )
    parser.add_argument(
        "--wide", action="store_true", help="print tables as they are, also where they do not fit"
    )


def add_quiet(parser: CommandParser) -> None:
    """Add `-q`."""
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing when all is well")


def integer_option(text: str) -> int:
    """Return the value of an option; raises ArgumentTypeError."""
    from argparse import ArgumentTypeError

    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an integer") from None


def number_option(text: str) -> float:
    """Return the value of an option; raises ArgumentTypeError."""
    from argparse import ArgumentTypeError

    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
