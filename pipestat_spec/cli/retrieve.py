"""`retrieve`: print records, or some of their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_list, add_record, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Record

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `retrieve`."""
    add_record(parser, several=True)
    parser.add_argument(
        "-i",
        "--result-identifier",
        action="append",
        metavar="NAME",
        help="print this result only: its bare value; may be repeated, which prints an object",
    )
    add_list(parser, of_records=True, first=("text", "table"))
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec retrieve -f results.yaml -r sample1",
        "pipestat-spec retrieve -f results.yaml -r sample1 -i reads",
        "pipestat-spec retrieve -f results.yaml -r sample1 -i reads -i plot --format json",
        "pipestat-spec retrieve -f results.yaml -r sample1 -r sample2 -i reads -o two.csv",
        text="As text a string is printed as it is and any other value as JSON. Several "
        "records are a\nlist, as a table without --format. Records that match a filter, or all, "
        "come from\n'pipestat-spec select'.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.listing import print_list, record_list
    from pipestat_spec.cli.output import print_data, printing_to
    from pipestat_spec.cli.stores import opened

    with opened(args) as found:
        named = dict.fromkeys(args.record_identifier or [None])
        keys = [found.resolve_key(name, args.pipeline_type) for name in named]
        records = [found.store.get(key) for key in keys]
        if len(records) > 1 or args.format not in ("text", "json", "yaml"):
            if args.format == "text":
                args.format = "table"
            print_list(record_list(found, keys[0].level, records, args.result_identifier), args)
            return 0
    with printing_to(args.output):
        print_data(_wanted(records[0], args.result_identifier), args.format)
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
