"""Lists: one shape as JSON and YAML, rows for people and shells, and files by exporters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.choosing import cell
from pipestat_spec.cli.messages import counted, note, warning
from pipestat_spec.cli.output import (
    MISSING,
    TABULAR,
    data_text,
    print_data,
    print_rows,
    printing_to,
)

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.plugins.hookspecs import Source

__all__ = [
    "Exported",
    "Listing",
    "Shown",
    "export_records",
    "is_exported",
    "list_answer",
    "print_entries",
    "print_list",
    "print_records",
    "record_list",
]

# How much text is kept in memory.
_IN_MEMORY = 8_000_000


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
    if listing.exported is None and not _is_printed(args):
        what = f"--format {args.format}" if args.format else args.output
        args.parser.error(f"{what}: this list is written as table, json, yaml, csv or tsv")
    if listing.exported is not None and is_exported(args):
        _export(listing.exported, lambda: len(listing.rows), args)
    elif args.output is None:
        _print(listing, args)
    else:
        with printing_to(args.output):
            _print(listing, args)
        _note_file(args.output, counted(len(listing.rows), listing.noun), args)


def is_exported(args: argparse.Namespace) -> bool:
    """Tell whether an exporter writes a list of records."""
    into_table = args.output is not None and args.format in ("csv", "tsv")
    return into_table or not _is_printed(args)


def _is_printed(args: argparse.Namespace) -> bool:
    return args.format in (*TABULAR, "json", "yaml")


def export_records(
    found: OpenedStore,
    level: Level,
    records: Callable[[], Iterable[Record]],
    columns: Sequence[str] | None,
    args: argparse.Namespace,
) -> None:
    """Let an exporter write the records as `print_list` does; none of them is kept."""
    from pipestat_spec.tables import Selection

    seen = _Seen(records, columns or ())
    _export(Exported(Selection(found.store, level, seen.read), level, columns), seen.count, args)
    seen.warn(found, level)


def print_records(
    found: OpenedStore,
    level: Level,
    records: Callable[[], Iterable[Record]],
    columns: Sequence[str] | None,
    args: argparse.Namespace,
) -> Shown:
    """Print the records as rows of CSV or TSV, as `print_list` does; none of them is kept.

    They are read twice where the columns are those that occur.
    """
    seen = _Seen(records, columns or ())
    if columns is None:
        for _ in seen.read():
            pass
        shown = _shown(found, level, seen.names)
    else:
        shown = [name for name in columns if name != "record_identifier"]
    rows = (_row(record, shown) for record in seen.read())
    print_rows(["record_identifier", *shown], rows, args.format, header=not args.no_header)
    seen.warn(found, level)
    return seen.shown


def print_entries(
    found: OpenedStore,
    level: Level,
    records: Callable[[], Iterable[Record]],
    columns: Sequence[str] | None,
    beside: Callable[[Shown], Mapping[str, JSONValue]],
    args: argparse.Namespace,
) -> None:
    """Print the records as JSON, or write them into `args.output`; none of them is kept.

    `beside` is asked for what stands beside them when all have been read; their text is in a
    temporary file until then.
    """
    from shutil import copyfileobj
    from tempfile import SpooledTemporaryFile

    seen = _Seen(records, columns or ())
    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as text:
        for record in seen.read():
            entry = data_text(_entry(record, columns), "json")
            text.write(",\n" if seen.shown.number > 1 else "\n")
            text.write(f"    {entry}".replace("\n", "\n    "))
        # In JSON text no quotes within a string are without a backslash.
        answer = data_text(list_answer((), beside(seen.shown)), "json")
        start, key, end = answer.partition('"records": [')
        text.write("\n  " if seen.shown.number else "")
        text.seek(0)
        with printing_to(args.output):
            sys.stdout.write(start + key)
            copyfileobj(text, sys.stdout)
            print(end)
    if args.output is not None:
        _note_file(args.output, counted(seen.shown.number, "record"), args)
    seen.warn(found, level)


class Shown(NamedTuple):
    """How many records were shown, and the identifier of the last one."""

    number: int = 0
    last: str | None = None


class _Seen:
    """What was seen of records while they were read."""

    def __init__(self, records: Callable[[], Iterable[Record]], columns: Sequence[str]) -> None:
        self._records = records
        self.shown = Shown()
        self.names: set[str] = set()
        self._not_found = dict.fromkeys(columns)

    def read(self) -> Iterator[Record]:
        self.shown = Shown()
        for record in self._records():
            self.shown = Shown(self.shown.number + 1, record.key.identifier)
            self.names.update(record.results)
            for name in [n for n in self._not_found if cell(record, n, MISSING) is not MISSING]:
                del self._not_found[name]
            yield record

    def count(self) -> int:
        return self.shown.number

    def warn(self, found: OpenedStore, level: Level) -> None:
        """Name the columns that were not there: probably misspelt."""
        if self.shown.number:
            _warn_of_unknown(found, level, self.names, self._not_found)


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


def _export(exported: Exported, count: Callable[[], int], args: argparse.Namespace) -> None:
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
            _note_file(str(path), counted(count(), "record"), args)


def _note_file(file: str, what: str, args: argparse.Namespace) -> None:
    if not getattr(args, "quiet", False):
        note(f"{file}: {what}")


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
        shown = _shown(found, level, {name for record in records for name in record.results})
    else:
        shown = [name for name in columns if name != "record_identifier"]
        if records:
            results = {name for record in records for name in record.results}
            absent = [name for name in shown if not _in_one(records, name)]
            _warn_of_unknown(found, level, results, absent)
    return Listing(
        ["record_identifier", *shown],
        [_row(record, shown) for record in records],
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
    if columns is None:
        verdict = [record.judgement.field] if record.judgement else []
        columns = ("status", "status_time", *verdict, *record.results)
    for name in columns:
        value = cell(record, name, MISSING)
        if value is not MISSING:
            found[name] = value
        elif name in FIELDS:
            found[name] = None
    return found


def _row(record: Record, columns: Iterable[str]) -> list[object]:
    return [record.key.identifier, *(cell(record, name, MISSING) for name in columns)]


def _shown(found: OpenedStore, level: Level, seen: set[str]) -> list[str]:
    """Return the columns of records with these results, beside the identifier.

    They are status and verdict, results of the schema in its order, then the others.
    """
    schema, judge = found.store.rules.level_schema(level), found.store.judge(level)
    verdict = [judge.field] if judge else []
    declared = [name for name in (schema.results if schema else ()) if name in seen]
    names = declared + sorted(seen.difference(declared))
    return ["status", *verdict, *(name for name in names if name not in verdict)]


def _warn_of_unknown(
    found: OpenedStore, level: Level, names: set[str], columns: Iterable[str]
) -> None:
    """Name those columns, which no record has, that no schema declares: probably misspelt.

    `names` are the results that the records have.
    """
    from pipestat_spec.tables import FIELDS
    from pipestat_spec.text.strings import nearest

    schema = found.store.rules.level_schema(level)
    known = names.union(FIELDS, schema.results if schema else ())
    for name in columns:
        if name not in known:
            near = nearest(name, known)
            warning(
                f"no record has a result {name!r}" + (f"; did you mean {near!r}?" if near else "")
            )


def _in_one(records: Sequence[Record], name: str) -> bool:
    return any(cell(record, name, MISSING) is not MISSING for record in records)
