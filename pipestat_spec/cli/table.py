"""`table`: write the records as files for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.choosing import add_choice, column_names, condition, sorted_records
from pipestat_spec.cli.options import add_quiet, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["configure"]

_EXPLANATION = """
Without -o two summaries are written: PIPELINE_stats_summary.tsv with the plain values, and
PIPELINE_objs_summary.yaml with objects, arrays, files and images. The paths are printed. With
-o one table of all results is written; the ending of the file says how: .csv, .tsv, .md,
.jsonl, .parquet, .xlsx, .lims.csv; --format names what is a folder: multiqc, frictionless,
rocrate.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `table`."""
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write one table there, as its ending says"
    )
    parser.add_argument(
        "--format", metavar="NAME", help="of the file or folder, where its ending does not tell"
    )
    parser.add_argument(
        "--output-dir", metavar="DIR", help="write the two summaries there; default output_dir"
    )
    add_choice(parser)
    parser.add_argument(
        "--no-header", action="store_true", help="leave out the line with the columns' names"
    )
    parser.add_argument(
        "--flatten", action="store_true", help="give objects a column for each of their keys"
    )
    parser.add_argument(
        "--missing", metavar="TEXT", help="stands for what was not reported; default NA"
    )
    parser.add_argument(
        "--partition",
        metavar="NAME",
        help="with Parquet: write a folder with a file for each value of this result",
    )
    parser.add_argument(
        "--license", metavar="TEXT", help="with rocrate: the address of a license, or a text"
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace a folder that was written before"
    )
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec table -f results.yaml -s schema.yaml",
        "pipestat-spec table -f results.yaml -o table.xlsx",
        "pipestat-spec table -c pipestat.yaml --flatten --where 'reads > 1000' -o table.parquet",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.exporting import choose_exporter, export_file
    from pipestat_spec.cli.stores import opened, resolve_level
    from pipestat_spec.output_places import output_folder

    if args.output is None and args.format is not None:
        args.parser.error("--format goes with -o")
    if args.output is None and args.no_header:
        args.parser.error("--no-header goes with -o")
    if args.output is not None and args.output_dir is not None:
        args.parser.error("-o and --output-dir do not go together")
    with opened(args) as found:
        level = resolve_level(found, args)
        options: dict[str, Any] = {
            # Not every exporter knows levels.
            "level": None if level == "sample" else level,
            "columns": column_names(args.columns) if args.columns else None,
            "flatten": args.flatten or None,
            "header": False if args.no_header else None,
            "missing": args.missing,
            "partition": args.partition,
            "license": args.license,
            "replace": args.replace or None,
        }
        if args.output is None:
            exporter = choose_exporter(None, "summary")
            output = output_folder(found, args.output_dir)
        else:
            exporter = choose_exporter(args.output, args.format)
            output = args.output
        source = _chosen(found, level, args)
        for path in export_file(exporter, source, output, options, args.quiet):
            print(path)
    return 0


def _chosen(found: OpenedStore, level: Level, args: argparse.Namespace) -> Source:
    """Return the store, or those of its records that match, in the order asked for."""
    from pipestat_spec.tables import Selection

    where = condition(found, level, args)
    if where is None and not args.sort:
        return found.store

    def records() -> Iterable[Record]:
        matching = found.store.matching(level, where)
        return sorted_records(matching, args.sort) if args.sort else matching

    return Selection(found.store, level, records)
