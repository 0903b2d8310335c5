"""`retrieve`: print one record, or some of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_format, add_output, add_record, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Record

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `retrieve`."""
    add_record(parser)
    parser.add_argument(
        "-i",
        "--result-identifier",
        action="append",
        metavar="NAME",
        help="print this result only: its bare value; may be repeated, which prints an object",
    )
    add_format(parser, ("text", "json", "yaml"))
    add_output(parser)
    add_store(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec retrieve -f results.yaml -r sample1",
        "pipestat-spec retrieve -f results.yaml -r sample1 -i reads",
        "pipestat-spec retrieve -f results.yaml -r sample1 -i reads -i plot --format json",
        text="As text a string is printed as it is and any other value as JSON. Records that "
        "match a\nfilter, or all, come from 'pipestat-spec select'.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.output import print_data
    from pipestat_spec.cli.stores import opened, resolve_key

    with opened(args) as found:
        record = found.store.get(resolve_key(found, args))
    print_data(_wanted(record, args.result_identifier), args.format)
    return 0


def _wanted(record: Record, names: list[str] | None) -> JSONValue:
    """Return a value, or an object with the results that are stored; raises RecordNotFoundError."""
    from pipestat_spec.errors import RecordNotFoundError
    from pipestat_spec.models.query import record_dict

    if names is None:
        return record_dict(record)
    found = {name: record.results[name] for name in names if name in record.results}
    if not found:
        raise RecordNotFoundError(
            f"record {record.key.identifier!r} has no result {', '.join(map(repr, names))}",
            hint="stored are " + (", ".join(record.results) or "none"),
        )
    if len(names) == 1:
        return found[names[0]]
    return {**found, "record_identifier": record.key.identifier}
