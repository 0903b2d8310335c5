"""Lists: one shape as JSON and YAML, rows for people and shells, and files by exporters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.choosing import cell
from pipestat_spec.cli.messages import counted, note, warning
from pipestat_spec.cli.output import MISSING, TABULAR, print_data, print_rows, printing_to

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["Exported", "Listing", "list_answer", "print_list", "record_list"]


class Exported(NamedTuple):
    """The records that an exporter writes for a list, and the columns beside the identifier."""

    source: Source
    level: Level
    columns: Sequence[str] | None


class Listing(NamedTuple):
    """What a command lists: names of columns, and rows of cells; MISSING where there is none.

    `entries` are the objects that JSON has, where they are not the rows with null for what is
    missing, and `beside` what stands beside them. `noun` is what people call one. Only a list
    with `exported` can be written by exporters.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    noun: str = "row"
    entries: Sequence[Mapping[str, JSONValue]] | None = None
    beside: Mapping[str, JSONValue] = {}
    colours: Mapping[str, str] | None = None
    exported: Exported | None = None


def list_answer(
    entries: Iterable[Mapping[str, JSONValue]], beside: Mapping[str, JSONValue] | None = None
) -> dict[str, JSONValue]:
    """Return the shape of every list: `total_size`, and an object for each entry in `records`."""
    records = [dict(entry) for entry in entries]
    return {"total_size": len(records), **(beside or {}), "records": records}


def print_list(listing: Listing, args: argparse.Namespace) -> None:
    """Print a list as `args.format` says, or write it into `args.output`.

    An exporter writes what no other format is for, and all tables that go into files. Leaves
    with a usage error for a format that the list does not have.
    """
    printed = args.format in (*TABULAR, "json", "yaml")
    if listing.exported is None and not printed:
        what = f"--format {args.format}" if args.format else args.output
        args.parser.error(f"{what}: this list is written as table, json, yaml, csv or tsv")
    into_table = args.output is not None and args.format in ("csv", "tsv")
    if listing.exported is not None and (into_table or not printed):
        _export(listing, listing.exported, args)
    elif args.output is None:
        _print(listing, args)
    else:
        with printing_to(args.output):
            _print(listing, args)
        _note_file(args.output, listing, args)


def _print(listing: Listing, args: argparse.Namespace) -> None:
    if args.format in TABULAR:
        print_rows(
            listing.columns,
            listing.rows,
            args.format,
            header=not args.no_header,
            wide=args.wide,
            colours=listing.colours,
        )
        return
    entries = listing.entries
    if entries is None:
        known = ([None if cell is MISSING else cell for cell in row] for row in listing.rows)
        entries = [dict(zip(listing.columns, row, strict=True)) for row in known]
    print_data(list_answer(entries, listing.beside), args.format)


def _export(listing: Listing, exported: Exported, args: argparse.Namespace) -> None:
    from pipestat_spec.cli.exporting import choose_exporter, export_file, print_export

    exporter = choose_exporter(args.output, args.format or None)
    options = {
        # Not every exporter knows levels.
        "level": None if exported.level == "sample" else exported.level,
        "columns": exported.columns,
        "header": False if args.no_header else None,
    }
    if args.output is None:
        print_export(exporter, exported.source, options)
    else:
        for path in export_file(exporter, exported.source, args.output, options, False):
            _note_file(str(path), listing, args)


def _note_file(file: str, listing: Listing, args: argparse.Namespace) -> None:
    if not getattr(args, "quiet", False):
        note(f"{file}: {counted(len(listing.rows), listing.noun)}")


def record_list(
    found: OpenedStore,
    level: Level,
    records: Sequence[Record],
    columns: Sequence[str] | None,
    beside: Mapping[str, JSONValue] | None = None,
) -> Listing:
    """Return the list of some records, with these columns, or their status and all results.

    Warns of columns that no record has and no schema names.
    """
    from pipestat_spec.tables import Selection

    if columns is None:
        shown = ["status", *_result_names(found, level, records)]
    else:
        shown = [name for name in columns if name != "record_identifier"]
        _warn_of_unknown(found, level, records, shown)
    return Listing(
        ["record_identifier", *shown],
        [[r.key.identifier, *(cell(r, name, MISSING) for name in shown)] for r in records],
        "record",
        [_entry(record, columns) for record in records],
        beside or {},
        found.store.statuses.colours(),
        Exported(Selection(found.store, level, lambda: records), level, columns),
    )


def _entry(record: Record, columns: Sequence[str] | None) -> dict[str, JSONValue]:
    """Return the results that a record has; with columns these, and fields, which may be null."""
    from pipestat_spec.tables import FIELDS

    found: dict[str, JSONValue] = {"record_identifier": record.key.identifier}
    for name in ("status", "status_time", *record.results) if columns is None else columns:
        value = cell(record, name, MISSING)
        if value is not MISSING:
            found[name] = value
        elif name in FIELDS:
            found[name] = None
    return found


def _result_names(found: OpenedStore, level: Level, records: Iterable[Record]) -> list[str]:
    """Return the results that occur: those of the schema in its order, then the others."""
    schema = found.store.rules.level_schema(level)
    seen = {name for record in records for name in record.results}
    declared = [name for name in (schema.results if schema else ()) if name in seen]
    return declared + sorted(seen.difference(declared))


def _warn_of_unknown(
    found: OpenedStore, level: Level, records: Sequence[Record], columns: Sequence[str]
) -> None:
    """Name the columns that no record has and no schema declares: probably misspelt."""
    from pipestat_spec.tables import FIELDS
    from pipestat_spec.text.strings import nearest

    schema = found.store.rules.level_schema(level)
    known = {name for record in records for name in record.results}
    known = known.union(FIELDS, schema.results if schema else ())
    for name in columns:
        if records and name not in known and not _in_one(records, name):
            near = nearest(name, known)
            warning(
                f"no record has a result {name!r}" + (f"; did you mean {near!r}?" if near else "")
            )


def _in_one(records: Sequence[Record], name: str) -> bool:
    return any(cell(record, name, MISSING) is not MISSING for record in records)
