"""`history`: print the values that results of a record had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_format, add_output, add_record, add_rows, add_store
from pipestat_spec.cli.output import TABULAR

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `history`."""
    add_record(parser)
    parser.add_argument(
        "-i",
        "--result-identifier",
        action="append",
        metavar="NAME",
        help="this result only; may be repeated",
    )
    add_format(parser, ("table", "json", "yaml", "csv", "tsv"))
    add_output(parser)
    add_rows(parser)
    add_store(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec history -f results.yaml -r sample1",
        "pipestat-spec history -f results.yaml -r sample1 -i reads --format json",
        text="Times are UTC; until that time the result had the value beside it. JSON is\n"
        "{result: {time: value}}.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.output import print_data, print_rows
    from pipestat_spec.cli.stores import opened, resolve_key
    from pipestat_spec.domain.history import history_dict, of_results
    from pipestat_spec.domain.times import format_utc

    with opened(args) as found:
        entries = found.store.history(resolve_key(found, args))
    entries = of_results(entries, args.result_identifier)
    if args.format in TABULAR:
        rows = ((format_utc(entry.time), entry.result, entry.value) for entry in entries)
        columns = ("until", "result", "value")
        print_rows(columns, rows, args.format, header=not args.no_header, wide=args.wide)
    else:
        print_data(history_dict(entries), args.format)
    return 0
