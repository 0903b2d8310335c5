"""`status set|get|clear|list`: where a record stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import (
    add_format,
    add_output,
    add_quiet,
    add_record,
    add_rows,
    add_store,
)
from pipestat_spec.cli.output import MISSING, TABULAR

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.record import Record
    from pipestat_spec.models.schema.status_schema import StatusSchema

__all__ = ["configure_clear", "configure_get", "configure_list", "configure_set"]

_DEFAULT = """
Without a status schema the statuses are running, completed, failed, waiting and partial.
"""


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
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_get)
    parser.examples(
        "pipestat-spec status get -f results.yaml -r sample1",
        "pipestat-spec status get -f results.yaml -r sample1 --format json",
        text="A record without a status, or an unknown one, prints nothing, as JSON null.",
    )


def _get(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.output import print_data
    from pipestat_spec.cli.stores import opened, resolve_key

    with opened(args) as found:
        key = resolve_key(found, args)
        record = found.store.read(key)
    status = record.status if record else None
    if status is not None or args.format != "text":
        print_data(status, args.format)
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
    add_format(parser, ("table", "json", "yaml", "csv", "tsv"))
    add_output(parser)
    add_rows(parser)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_list)
    parser.examples(
        "pipestat-spec status list -f results.yaml",
        "pipestat-spec status list -f results.yaml --only failed --only partial --format tsv",
        "pipestat-spec status list -f results.yaml --defined",
    )


def _list(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened, resolve_level

    with opened(args, may_be_new=args.defined) as found:
        statuses = found.store.settings.statuses
        if args.defined:
            _print_defined(statuses, args)
            return 0
        for name in args.only or ():
            statuses.check(name)
        records = [
            record
            for record in found.store.scan(resolve_level(found, args))
            if not args.only or record.status in args.only
        ]
    _print_records(records, statuses, args)
    if args.format == "table" and not args.quiet:
        note(_summary(records))
    return 0


def _summary(records: list[Record]) -> str:
    """Return how many records have which status: `12 completed, 2 failed`."""
    from collections import Counter

    counts = Counter(record.status or "without status" for record in records)
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "no records"


def _print_records(records: list[Record], statuses: StatusSchema, args: argparse.Namespace) -> None:
    from pipestat_spec.cli.output import print_data

    if args.format in TABULAR:
        rows = (
            [
                record.key.identifier,
                *(MISSING if x is None else x for x in (record.status, record.status_message)),
            ]
            for record in records
        )
        columns = ("record_identifier", "status", "status_message")
        _print_rows(columns, rows, statuses, args)
        return
    print_data(
        [
            {
                "record_identifier": record.key.identifier,
                "status": record.status,
                "status_message": record.status_message,
            }
            for record in records
        ],
        args.format,
    )


def _print_defined(statuses: StatusSchema, args: argparse.Namespace) -> None:
    from pipestat_spec.cli.output import print_data

    if args.format in TABULAR:
        rows = ((name, s.description, list(s.color)) for name, s in statuses.statuses.items())
        _print_rows(("status", "description", "color"), rows, statuses, args)
    else:
        print_data(statuses.as_dict(), args.format)


def _print_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    statuses: StatusSchema,
    args: argparse.Namespace,
) -> None:
    from pipestat_spec.cli.output import print_rows

    print_rows(
        columns,
        rows,
        args.format,
        header=not args.no_header,
        wide=args.wide,
        colours=statuses.colours(),
    )
