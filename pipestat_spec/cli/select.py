"""`select`: print the records that match a filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipestat_spec.cli.choosing import (
    add_choice,
    cell,
    column_names,
    condition,
    needed_results,
    sorted_records,
)
from pipestat_spec.cli.messages import counted, note, warning
from pipestat_spec.cli.options import add_rows, add_store
from pipestat_spec.cli.output import MISSING, TABULAR

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.query import Page
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore

__all__ = ["configure"]

_EXPLANATION = """
A filter compares results, and record_identifier, status, pipestat_created_time and
pipestat_modified_time: = != < <= > >=, in (...), like, is null, joined by and, or, not.
Strings stand in single quotes, names with other characters in double quotes, and
align.rate leads into an object. Records come in the order of their identifiers, or as --sort
says. On a terminal a table that is too wide becomes a block for each record. With -o the
ending of the file says what is written: .csv, .tsv, .md, .jsonl, .parquet, .xlsx, .html,
.json, .yaml, .txt.
"""
_PRINTED = ("table", "json", "yaml", "csv", "tsv")
_EXPORTED = ("markdown", "jsonl", "parquet", "xlsx")
_ENDINGS = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".txt": "table"}


def configure(parser: CommandParser) -> None:
    """Fill the parser of `select`."""
    add_choice(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="print at most N records")
    parser.add_argument(
        "--cursor", metavar="TOKEN", help="go on after the page that ended with this token"
    )
    parser.add_argument(
        "--distinct",
        metavar="NAME,NAME",
        help="print the different combinations of these results' values instead of records",
    )
    parser.add_argument(
        "--format", choices=_PRINTED + _EXPORTED, help="of the output; default table"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write there instead of printing")
    add_rows(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec select -f results.yaml",
        "pipestat-spec select -f results.yaml --where 'reads > 1000' --columns reads,status",
        """pipestat-spec select -f results.yaml --where "genome = 'hg38'" --format json""",
        "pipestat-spec select -f results.yaml --status failed --columns status_message",
        "pipestat-spec select -f results.yaml --sort reads:desc --limit 10 -o top.xlsx",
        "pipestat-spec select -f results.yaml --limit 100 --cursor sample0100",
        "pipestat-spec select -f results.yaml --distinct genome,status --format tsv",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened, resolve_level

    chosen = args.columns or args.where or args.status or args.sort or args.limit or args.cursor
    if args.distinct is not None and chosen:
        args.parser.error("--distinct goes with no other choice of records or columns")
    if args.sort and args.cursor:
        args.parser.error("--sort and --cursor do not go together")
    style = _style(args)
    if args.distinct is not None and style in _EXPORTED:
        args.parser.error(f"--distinct is not written as {style}")
    with opened(args) as found:
        level = resolve_level(found, args)
        if style in _EXPORTED or (args.output and style in ("csv", "tsv", "")):
            _export(found, level, style, args)
        elif args.output:
            from pipestat_spec.cli.output import printing_to

            with printing_to(args.output):
                _print(found, level, style, args)
        else:
            _print(found, level, style, args)
    return 0


def _style(args: argparse.Namespace) -> str:
    """Return the format, that of the file by its ending; empty for what an exporter knows."""
    if args.format is not None or args.output is None:
        return args.format or "table"
    dot = args.output.rfind(".")
    style = _ENDINGS.get(args.output[dot:].lower(), "") if dot >= 0 else ""
    return "tsv" if args.distinct is not None and not style else style


def _print(found: OpenedStore, level: Level, style: str, args: argparse.Namespace) -> None:
    if args.distinct is not None:
        _print_distinct(found, level, column_names([args.distinct]), style, args)
        return
    page = _page(found, level, args)
    columns = column_names(args.columns) if args.columns else None
    if style in TABULAR:
        _print_table(found, level, page, columns, style, args)
    else:
        _print_page(page, columns, style, args)


def _page(found: OpenedStore, level: Level, args: argparse.Namespace) -> Page:
    """Return the records that are asked for, with the results that are needed."""
    from pipestat_spec.domain.query import check_limit
    from pipestat_spec.models.query import Page, Query

    where, needed = condition(found, level, args), needed_results(args)
    if not args.sort:
        return found.store.select(Query(level, needed, where, args.limit, args.cursor))
    limit = check_limit(args.limit)
    page = found.store.select(Query(level, needed, where))
    return Page(tuple(sorted_records(page.records, args.sort)[:limit]), page.total_size)


def _export(found: OpenedStore, level: Level, style: str, args: argparse.Namespace) -> None:
    from pipestat_spec.cli.exporting import choose_exporter, export_file, print_export
    from pipestat_spec.tables import Selection

    exporter = choose_exporter(args.output, style or None)
    records = _page(found, level, args).records
    source = Selection(found.store, level, lambda: records)
    options = {
        "level": None if level == "sample" else level,
        "columns": column_names(args.columns) if args.columns else None,
    }
    if args.output is None:
        print_export(exporter, source, options)
    else:
        for path in export_file(exporter, source, args.output, options, False):
            note(f"{path}: {counted(len(records), 'record')}")


def _print_page(
    page: Page, columns: list[str] | None, style: str, args: argparse.Namespace
) -> None:
    from pipestat_spec.cli.output import print_data
    from pipestat_spec.domain.query import page_with_fields

    answer = dict(page_with_fields(page, args.limit, ("status",)))
    if columns is not None:
        answer["records"] = [_named(record, columns) for record in page.records]
    print_data(answer, style)


def _named(record: Record, columns: Sequence[str]) -> dict[str, JSONValue]:
    """Return the columns of a record: results that it has, and fields, which may be null."""
    from pipestat_spec.tables import FIELDS

    found: dict[str, JSONValue] = {"record_identifier": record.key.identifier}
    for name in columns:
        value = cell(record, name, MISSING)
        if value is not MISSING:
            found[name] = value
        elif name in FIELDS:
            found[name] = None
    return found


def _print_table(
    found: OpenedStore,
    level: Level,
    page: Page,
    columns: list[str] | None,
    style: str,
    args: argparse.Namespace,
) -> None:
    from pipestat_spec.cli.output import print_rows

    if columns is None:
        columns = ["status", *_result_names(found, level, page.records)]
    else:
        columns = [name for name in columns if name != "record_identifier"]
        _warn_of_unknown(found, level, page.records, columns)
    print_rows(
        ["record_identifier", *columns],
        _rows(page.records, columns),
        style,
        header=not args.no_header,
        wide=args.wide,
        colours=found.store.statuses.colours(),
    )
    shown = len(page.records)
    if page.next_cursor is not None:
        note(f"{shown} of {page.total_size} records; go on with --cursor '{page.next_cursor}'")
    elif shown < page.total_size:
        note(f"{shown} of {page.total_size} records")


def _rows(records: Iterable[Record], columns: Sequence[str]) -> Iterator[list[object]]:
    for record in records:
        yield [record.key.identifier, *(cell(record, name, MISSING) for name in columns)]


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


def _print_distinct(
    found: OpenedStore, level: Level, names: list[str], style: str, args: argparse.Namespace
) -> None:
    from pipestat_spec.cli.output import print_data, print_rows

    rows = found.store.distinct(level, names)
    if style in TABULAR:
        cells = ([MISSING if value is None else value for value in row] for row in rows)
        print_rows(names, cells, style, header=not args.no_header, wide=args.wide)
    else:
        print_data([list(row) for row in rows], style)
