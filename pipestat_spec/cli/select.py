"""`select`: print the records that match a filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note, warning
from pipestat_spec.cli.options import add_format, add_store
from pipestat_spec.cli.output import MISSING, TABULAR

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.query import Page, Query
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore

__all__ = ["configure"]

_EXPLANATION = """
A filter compares results, and record_identifier, status, pipestat_created_time and
pipestat_modified_time: = != < <= > >=, in (...), like, is null, joined by and, or, not.
Strings stand in single quotes, names with other characters in double quotes, and
align.rate leads into an object. Records come in the order of their identifiers.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `select`."""
    parser.add_argument("-w", "--where", metavar="FILTER", help="only records that match")
    parser.add_argument(
        "--columns",
        action="append",
        metavar="NAME,NAME",
        help="print these results only, or fields such as status; may be repeated",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="print at most N records")
    parser.add_argument(
        "--cursor", metavar="TOKEN", help="go on after the page that ended with this token"
    )
    parser.add_argument(
        "--distinct",
        metavar="NAME,NAME",
        help="print the different combinations of these results' values instead of records",
    )
    add_format(parser, ("table", "json", "yaml", "csv", "tsv"))
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec select -f results.yaml",
        "pipestat-spec select -f results.yaml --where 'reads > 1000' --columns reads,status",
        """pipestat-spec select -f results.yaml --where "genome = 'hg38'" --format json""",
        "pipestat-spec select -f results.yaml --limit 100 --cursor sample0100",
        "pipestat-spec select -f results.yaml --distinct genome,status --format tsv",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened, resolve_level

    if args.distinct is not None and (args.columns or args.where or args.limit or args.cursor):
        args.parser.error("--distinct goes with none of --where, --columns, --limit, --cursor")
    with opened(args) as found:
        level = resolve_level(found, args)
        if args.distinct is not None:
            _print_distinct(found, level, _names([args.distinct]), args.format)
            return 0
        columns = _names(args.columns) if args.columns else None
        page = found.store.select(_query(args, level, columns))
        if args.format in TABULAR:
            _print_table(found, level, page, columns, args.format)
        else:
            _print_page(page, columns, args)
    return 0


def _names(texts: Iterable[str]) -> list[str]:
    """Split lists of names at commas; a name with a comma stands in double quotes."""
    from csv import reader

    names = [name for row in reader(texts, skipinitialspace=True) for name in row if name]
    return list(dict.fromkeys(names))


def _query(args: argparse.Namespace, level: Level, columns: list[str] | None) -> Query:
    from pipestat_spec.domain.filters import SPECIAL_FIELDS
    from pipestat_spec.models.query import Query

    where = None
    if args.where is not None:
        from pipestat_spec.domain.filter_text import parse_filter

        where = parse_filter(args.where)
    results = None if columns is None else tuple(n for n in columns if n not in SPECIAL_FIELDS)
    return Query(level, results, where, args.limit, args.cursor)


def _print_page(page: Page, columns: list[str] | None, args: argparse.Namespace) -> None:
    from pipestat_spec.cli.output import print_data
    from pipestat_spec.domain.query import page_with_fields

    print_data(dict(page_with_fields(page, args.limit, columns or ("status",))), args.format)


def _print_table(
    found: OpenedStore, level: Level, page: Page, columns: list[str] | None, style: str
) -> None:
    from pipestat_spec.cli.output import print_rows

    if columns is None:
        columns = ["status", *_result_names(found, level, page.records)]
    else:
        columns = [name for name in columns if name != "record_identifier"]
        _warn_of_unknown(found, level, page.records, columns)
    print_rows(["record_identifier", *columns], _rows(page.records, columns), style)
    shown = len(page.records)
    if page.next_cursor is not None:
        note(f"{shown} of {page.total_size} records; go on with --cursor '{page.next_cursor}'")


def _rows(records: Iterable[Record], columns: Sequence[str]) -> Iterator[list[object]]:
    from pipestat_spec.domain.filters import field_value

    for record in records:
        cells = (field_value(record, (name,), MISSING) for name in columns)
        yield [record.key.identifier, *cells]


def _result_names(found: OpenedStore, level: Level, records: Iterable[Record]) -> list[str]:
    """Return the results that occur: those of the schema in its order, then the others."""
    schema = found.store.rules.level_schema(level)
    seen = {name for record in records for name in record.results}
    declared = [name for name in (schema.results if schema else ()) if name in seen]
    return declared + sorted(seen.difference(declared))


def _warn_of_unknown(
    found: OpenedStore, level: Level, records: Sequence[Record], columns: list[str]
) -> None:
    """Name the columns that no record has and no schema declares: probably misspelt."""
    from pipestat_spec.domain.filters import SPECIAL_FIELDS
    from pipestat_spec.text.strings import nearest

    schema = found.store.rules.level_schema(level)
    known = {name for record in records for name in record.results}
    known = known.union(SPECIAL_FIELDS, schema.results if schema else ())
    for name in columns:
        if records and name not in known:
            near = nearest(name, known)
            warning(
                f"no record has a result {name!r}" + (f"; did you mean {near!r}?" if near else "")
            )


def _print_distinct(found: OpenedStore, level: Level, names: list[str], style: str) -> None:
    from pipestat_spec.cli.output import print_data, print_rows

    rows = found.store.distinct(level, names)
    if style in TABULAR:
        cells = ([MISSING if value is None else value for value in row] for row in rows)
        print_rows(names, cells, style)
    else:
        print_data([list(row) for row in rows], style)
