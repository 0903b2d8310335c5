"""`summarize`: write the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.options import add_quiet, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `summarize`."""
    parser.add_argument("-o", "--output", metavar="FILE", help="the report; .html, or .zip")
    parser.add_argument(
        "--output-dir", metavar="DIR", help="write PIPELINE_report.html there; default output_dir"
    )
    parser.add_argument(
        "--portable",
        action="store_true",
        help="write a zip file of the report and all files that it links to",
    )
    parser.add_argument(
        "--fetch-images",
        action="store_true",
        help="show images at s3:// and https:// addresses too: fetch them for small pictures",
    )
    parser.add_argument(
        "--mode", choices=("table", "gallery"), help="what it opens on; default the overview"
    )
    parser.add_argument(
        "--records",
        metavar="FILE",
        help="record identifiers, one a line (-: stdin); those without results are shown as "
        "not reported",
    )
    parser.add_argument("--title", metavar="TEXT", help="stands on top")
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec summarize -f results.yaml -s schema.yaml",
        "pipestat-spec summarize -c pipestat.yaml --portable -o report.zip",
        "cut -f 1 samples.tsv | pipestat-spec summarize -f results.yaml --records -",
        text="The report is one HTML file for any browser. Its path is printed.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.exporting import choose_exporter, export_file
    from pipestat_spec.cli.stores import opened
    from pipestat_spec.output_places import output_folder

    if args.output is not None and args.output_dir is not None:
        args.parser.error("-o and --output-dir do not go together")
    with opened(args) as found:
        output = args.output or output_folder(found, args.output_dir)
        options = {
            "mode": args.mode,
            "portable": args.portable or str(output).lower().endswith(".zip") or None,
            "title": args.title,
            "fetch_images": args.fetch_images or None,
            "not_reported": _identifiers(args.records) if args.records else None,
        }
        exporter = choose_exporter(None, "html")
        for path in export_file(exporter, found.store, output, options, args.quiet):
            print(path)
    return 0


def _identifiers(file: str) -> list[str]:
    import sys

    if file == "-":
        text = sys.stdin.read()
    else:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    return [line.strip() for line in text.splitlines() if line.strip()]
