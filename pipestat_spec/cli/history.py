"""`history`: print the values that results of a record had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_list, add_record, add_store

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
    add_list(parser, of_records=True)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec history -f results.yaml -r sample1",
        "pipestat-spec history -f results.yaml -r sample1 -i reads --format json",
        "pipestat-spec history -f results.yaml -r sample1 -o history.csv",
        text="Times are UTC; until that time the result had the value beside it.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.listing import Exported, Listing, print_list
    from pipestat_spec.cli.stores import opened, resolve_key
    from pipestat_spec.domain.history import of_results
    from pipestat_spec.domain.times import format_utc
    from pipestat_spec.models.record import Record
    from pipestat_spec.tables import Selection

    columns = ("until", "result", "value")
    with opened(args) as found:
        key = resolve_key(found, args)
        entries = of_results(found.store.history(key), args.result_identifier)
        rows = [(format_utc(entry.time), entry.result, entry.value) for entry in entries]
        # For exporters each former value is a record of its own.
        records = [Record(key, dict(zip(columns, row, strict=True))) for row in rows]
        source = Selection(found.store, key.level, lambda: records)
        exported = Exported(source, key.level, columns)
        print_list(Listing(columns, rows, "value", exported=exported), args)
    return 0
