"""`select`: print the records that match a filter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.choosing import (
    add_choice,
    column_names,
    condition,
    needed_results,
    sorted_records,
)
from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_list, add_store, integer_option
from pipestat_spec.cli.output import MISSING, TABULAR

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.query import Page
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore

__all__ = ["configure"]

# A page of no more records than this is read at once.
_PAGE = 10_000

_EXPLANATION = """
A filter compares results, and record_identifier, status, pipestat_created_time and
pipestat_modified_time: = != < <= > >=, in (...), like, is null, joined by and, or, not. With QC
rules in the output schema verdict is a field too: fail, warn, pass or not judged. Strings
stand in single quotes, names with other characters in double quotes, and align.rate leads into
an object. Records come in the order of their identifiers, or as --sort
says. On a terminal a table that is too wide becomes a block for each record. With -o the
ending of the file says what is written: .csv, .tsv, .md, .jsonl, .parquet, .xlsx, .html,
.json, .yaml, .txt.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `select`."""
    add_choice(parser)
    parser.add_argument("--limit", type=integer_option, metavar="N", help="print at most N records")
    parser.add_argument(
        "--cursor", metavar="TOKEN", help="go on after the page that ended with this token"
    )
    parser.add_argument(
        "--distinct",
        metavar="NAME,NAME",
        help="print the different combinations of these results' values instead of records",
    )
    add_list(parser, of_records=True)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec select -f results.yaml",
        "pipestat-spec select -f results.yaml --where 'reads > 1000' --columns reads,status",
        """pipestat-spec select -f results.yaml --where "genome = 'hg38'" --format json""",
        "pipestat-spec select -f results.yaml --status failed --columns status_message",
        "pipestat-spec select -c pipestat.yaml --verdict fail --columns verdict,mapping_rate",
        "pipestat-spec select -f results.yaml --sort reads:desc --limit 10 -o top.xlsx",
        "pipestat-spec select -f results.yaml --limit 100 --cursor sample0100",
        "pipestat-spec select -f results.yaml --distinct genome,status --format tsv",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.listing import is_exported, print_list, record_list
    from pipestat_spec.cli.stores import opened, resolve_level
    from pipestat_spec.domain.query import check_limit

    by = (args.where, args.status, args.verdict, args.sort, args.limit, args.cursor)
    chosen = args.columns or any(by)
    if args.distinct is not None and chosen:
        args.parser.error("--distinct goes with no other choice of records or columns")
    if args.sort and args.cursor:
        args.parser.error("--sort and --cursor do not go together")
    with opened(args) as found:
        level = resolve_level(found, args)
        if args.distinct is not None:
            _print_distinct(found, level, args)
            return 0
        limit = check_limit(args.limit)
        is_small = limit is not None and limit <= _PAGE
        if is_exported(args) or (args.format in ("csv", "tsv", "json") and not is_small):
            _stream(found, level, limit, args)
            return 0
        page = _page(found, level, args)
        columns = column_names(args.columns) if args.columns else None
        print_list(record_list(found, level, page.records, columns, _beside(page, limit)), args)
    if args.output is None and args.format in TABULAR:
        _say_what_is_left_out(page, len(page.records))
    return 0


def _stream(found: OpenedStore, level: Level, limit: int | None, args: argparse.Namespace) -> None:
    """Show the records as they are read; the ones that have to be kept are in files."""
    from pipestat_spec.cli.listing import (
        Shown,
        export_records,
        is_exported,
        print_entries,
        print_records,
    )
    from pipestat_spec.cli.many_records import Kept
    from pipestat_spec.models.query import Page, Query

    store, where = found.store, condition(found, level, args)
    columns = column_names(args.columns) if args.columns else None

    def records() -> Iterator[Record]:
        if args.sort:
            return sorted_records(store.matching(level, where), args.sort, limit)
        return store.matching(level, where, args.cursor, limit)

    def part(shown: Shown) -> Page:
        """Return what a page tells of the records beside them."""
        if limit is None and args.cursor is None:
            return Page((), shown.number)
        following = None
        if limit is not None and not args.sort and shown.last is not None:
            following = next(store.matching(level, where, shown.last, 1), None)
        total = store.select(Query(level, (), where, limit=1)).total_size
        return Page((), total, None if following is None else shown.last)

    if args.format == "json":
        beside = partial(_beside, limit=limit)
        print_entries(found, level, records, columns, lambda s: beside(part(s)), args)
        return
    with ExitStack() as files:
        again = records
        if args.sort or not _looks_itself(found):
            kept = files.enter_context(Kept(records()))

            def again() -> Iterator[Record]:
                return iter(kept)

        if is_exported(args):
            export_records(found, level, again, columns, args)
            return
        shown = print_records(found, level, again, columns, args)
    _say_what_is_left_out(part(shown), shown.number)


def _looks_itself(found: OpenedStore) -> bool:
    """Tell whether the store finds records by itself, so that they need not be kept.

    From another store they are read once, though their columns have to be known beforehand and
    an exporter may ask for them several times.
    """
    from pipestat_spec.models.capability import Capability

    return Capability.NATIVE_QUERY in found.store.backend.capabilities


def _page(found: OpenedStore, level: Level, args: argparse.Namespace) -> Page:
    """Return the records that are asked for, with the results that are needed."""
    from pipestat_spec.models.query import Page, Query

    store, where = found.store, condition(found, level, args)
    if not args.sort:
        return store.select(Query(level, needed_results(args), where, args.limit, args.cursor))
    number = count()
    records = (record for record, _ in zip(store.matching(level, where), number, strict=False))
    return Page((*sorted_records(records, args.sort, args.limit),), next(number))


def _beside(page: Page, limit: int | None) -> dict[str, Any]:
    """Return what stands beside the records of a page."""
    from pipestat_spec.models.query import reference_page

    return dict(reference_page(replace(page, records=()), limit))


def _say_what_is_left_out(page: Page, shown: int) -> None:
    if page.next_cursor is not None:
        note(f"{shown} of {page.total_size} records; go on with --cursor '{page.next_cursor}'")
    elif shown < page.total_size:
        note(f"{shown} of {page.total_size} records")


def _print_distinct(found: OpenedStore, level: Level, args: argparse.Namespace) -> None:
    from pipestat_spec.cli.listing import Listing, print_list

    names = column_names([args.distinct])
    rows = [
        [MISSING if value is None else value for value in row]
        for row in found.store.distinct(level, names)
    ]
    print_list(Listing(names, rows), args)
