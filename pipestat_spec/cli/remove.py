"""`remove`: results of a record, or the whole record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_quiet, add_record, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `remove`."""
    add_record(parser)
    parser.add_argument(
        "-i",
        "--result-identifier",
        action="append",
        metavar="NAME",
        help="remove this result; may be repeated, and then all are removed or none",
    )
    parser.add_argument(
        "--whole-record",
        action="store_true",
        help="remove all results of the record, its status and its history",
    )
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec remove -f results.yaml -r sample1 -i reads",
        "pipestat-spec remove -f results.yaml -r sample1 --whole-record",
        text="The value of a removed result is kept in the history of the record.",
    )


def _run(args: argparse.Namespace) -> int:
    if args.whole_record and args.result_identifier:
        args.parser.error("-i and --whole-record exclude each other")

    from pipestat_spec.cli.stores import opened, resolve_key
    from pipestat_spec.domain.changes import in_turn, remove_result
    from pipestat_spec.errors import MissingConfigDataError

    with opened(args) as found:
        key = resolve_key(found, args)
        if not args.whole_record and not args.result_identifier:
            # pipestat removes the record then: too much for an option that was forgotten.
            raise MissingConfigDataError(
                f"what of record {key.identifier!r} is to be removed",
                hint="give -i NAME for a result, or --whole-record; nothing was removed",
            )
        if args.whole_record:
            found.store.remove_record(key)
            what = "the record"
        else:
            names = list(dict.fromkeys(args.result_identifier))
            found.store.apply([(key, in_turn(*(remove_result(key, name) for name in names)))])
            what = ", ".join(names)
    if not args.quiet:
        note(f"{key.identifier}: removed {what}")
    return 0
