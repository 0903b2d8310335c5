"""`status set|get|clear|list`: where a record stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_format, add_quiet, add_record, add_store
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
        "--only", action="append", metavar="STATUS", help="these statuses only; may be repeated"
    )
    parser.add_argument(
        "--defined", action="store_true", help="list the defined statuses and not the records"
    )
    add_format(parser, ("table", "json", "yaml", "csv", "tsv"))
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
            _print_defined(statuses, args.format)
            return 0
        for name in args.only or ():
            statuses.check(name)
        records = [
            record
            for record in found.store.scan(resolve_level(found, args))
            if not args.only or record.status in args.only
        ]
    _print_records(records, args.format)
    return 0


def _print_records(records: list[Record], style: str) -> None:
    from pipestat_spec.cli.output import print_data, print_rows

    if style in TABULAR:
        rows = (
            [
                record.key.identifier,
                *(MISSING if x is None else x for x in (record.status, record.status_message)),
            ]
            for record in records
        )
        print_rows(("record_identifier", "status", "status_message"), rows, style)
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
        style,
    )


def _print_defined(statuses: StatusSchema, style: str) -> None:
    from pipestat_spec.cli.output import print_data, print_rows

    if style in TABULAR:
        rows = ((name, s.description, list(s.color)) for name, s in statuses.statuses.items())
        print_rows(("status", "description", "color"), rows, style)
    else:
        print_data(statuses.as_dict(), style)
