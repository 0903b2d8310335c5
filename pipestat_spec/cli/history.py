"""`history`: print the values that results of a record had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_list, add_quiet, add_record, add_store, integer_option

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure", "configure_prune"]


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


def configure_prune(parser: CommandParser) -> None:
    """Fill the parser of `history prune`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--keep",
        metavar="N",
        type=integer_option,
        help="keep the last N former values of each result",
    )
    what.add_argument(
        "--before", metavar="TIME", help="remove what was replaced before this time (UTC)"
    )
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_prune, parser=parser)
    parser.examples(
        "pipestat-spec history prune -f results.yaml --keep 10",
        "pipestat-spec history prune -f results.yaml --before 2026-01-01",
        text="It is done for all records of both levels; the results stay as they are.",
    )


def _prune(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.messages import counted, note
    from pipestat_spec.cli.stores import opened
    from pipestat_spec.domain.times import parse_time
    from pipestat_spec.models.record import HistoryLimit

    if args.keep is not None and args.keep < 0:
        args.parser.error(f"argument --keep: {args.keep} is no number of values; 0 keeps none")
    since = None if args.before is None else parse_time(args.before)
    with opened(args) as found:
        removed = found.store.prune_history(HistoryLimit(args.keep, since))
    if not args.quiet:
        note(f"{counted(removed, 'former value')} removed")
    return 0
