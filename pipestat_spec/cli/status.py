"""`status set|get|clear|list`: where a record stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.choosing import add_verdict, verdict_condition
from pipestat_spec.cli.messages import counts_text, note
from pipestat_spec.cli.options import (
    add_format,
    add_list,
    add_output,
    add_quiet,
    add_record,
    add_store,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.record import Record

__all__ = ["configure_clear", "configure_get", "configure_list", "configure_set"]

_DEFAULT = """
Without a status schema the statuses are running, completed, failed, waiting and partial.
"""

# What `status list` shows of each record.
_LISTED = ("status", "status_time", "status_message")


def configure_set(parser: CommandParser) -> None:
    """Fill the parser of `status set`."""
    parser.add_argument("status", metavar="STATUS", help="one that the status schema defines")
    add_record(parser)
    parser.add_argument("-m", "--message", help="what the status is about, for example an error")
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_set)
    parser.examples(
        "pipestat-spec status set -f results.yaml -r sample1 running",
        "pipestat-spec status set -f results.yaml -r sample1 failed -m 'no reads in lane 2'",
        text=_DEFAULT,
    )


def _set(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened, resolve_key

    with opened(args, may_be_new=True) as found:
        key = resolve_key(found, args)
        found.store.set_status(key, args.status, args.message)
    if not args.quiet:
        note(f"{key.identifier}: status {args.status}")
    return 0


def configure_get(parser: CommandParser) -> None:
    """Fill the parser of `status get`."""
    add_record(parser)
    add_format(parser, ("text", "json", "yaml"))
    add_output(parser)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_get)
    parser.examples(
        "pipestat-spec status get -f results.yaml -r sample1",
        "pipestat-spec status get -f results.yaml -r sample1 --format json",
        text="stdout has the status, stderr since when and why. A record without a status, or an "
        "unknown one, prints nothing, as JSON null.",
    )


def _get(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.output import print_data
    from pipestat_spec.cli.stores import opened, resolve_key
    from pipestat_spec.domain.times import format_utc

    with opened(args) as found:
        key = resolve_key(found, args)
        record = found.store.read(key)
    status = record.status if record else None
    if status is not None or args.format != "text":
        print_data(status, args.format)
        if record and record.status_time and args.format == "text" and not args.quiet:
            why = f": {record.status_message}" if record.status_message else ""
            note(f"{key.identifier}: since {format_utc(record.status_time)}{why}")
    elif not args.quiet:
        note(f"{key.identifier}: " + ("no status" if record else "no such record, no status"))
    return 0


def configure_clear(parser: CommandParser) -> None:
    """Fill the parser of `status clear`."""
    add_record(parser)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_clear)
    parser.examples(
        "pipestat-spec status clear -f results.yaml -r sample1",
        text="The record and its results stay. Without a status nothing happens.",
    )


def _clear(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened, resolve_key

    with opened(args) as found:
        key = resolve_key(found, args)
        was = found.store.clear_status(key)
    if not args.quiet:
        note(f"{key.identifier}: " + (f"status {was} cleared" if was else "there was no status"))
    return 0


def configure_list(parser: CommandParser) -> None:
    """Fill the parser of `status list`."""
    parser.add_argument(
        "--only",
        "--status",
        action="append",
        metavar="STATUS",
        help="these statuses only; may be repeated",
    )
    parser.add_argument(
        "--defined", action="store_true", help="list the defined statuses and not the records"
    )
    add_verdict(parser)
    add_list(parser, of_records=True)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_list, parser=parser)
    parser.examples(
        "pipestat-spec status list -f results.yaml",
        "pipestat-spec status list -f results.yaml --only failed --only partial --format tsv",
        "pipestat-spec status list -f results.yaml --defined",
        text="With QC rules in the output schema the verdict of each record is listed too.",
    )


def _list(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.listing import Listing, print_list, record_list
    from pipestat_spec.cli.stores import opened, resolve_level
    from pipestat_spec.models.query import And, Filter, In, Query

    with opened(args, may_be_new=args.defined) as found:
        statuses = found.store.settings.statuses
        if args.defined:
            rows = [[name, s.description, list(s.color)] for name, s in statuses.statuses.items()]
            columns = ("status", "description", "color")
            print_list(Listing(columns, rows, colours=statuses.colours()), args)
            return 0
        for name in args.only or ():
            statuses.check(name)
        level = resolve_level(found, args)
        parts: list[Filter] = []
        if args.only:
            parts.append(In(("status",), tuple(args.only)))
        if args.verdict:
            parts.append(verdict_condition(found, level, args.verdict))
        judge = found.store.judge(level)
        verdict = (judge.field,) if judge else ()
        # No other results: a store need not read them.
        query = Query(level, verdict, And(tuple(parts)) if parts else None)
        records = found.store.select(query).records
        listed = (_LISTED[0], *verdict, *_LISTED[1:])
        print_list(record_list(found, level, records, listed), args)
    if args.format == "table" and args.output is None and not args.quiet:
        note(_summary(records))
    return 0


def _summary(records: Sequence[Record]) -> str:
    """Return how many records have which status, and verdict: `12 completed, 2 failed`."""
    from collections import Counter

    statuses = Counter(record.status or "without status" for record in records)
    told = counts_text(sorted(statuses.items())) or "no records"
    verdicts = Counter(r.judgement.verdict for r in records if r.judgement is not None)
    by_severity = sorted(verdicts.items(), key=lambda item: item[0].rank)
    return f"{told}; {counts_text(by_severity)}" if verdicts else told
