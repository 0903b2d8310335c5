"""`link`: make a folder of links to the files of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note, warning
from pipestat_spec.cli.options import add_quiet, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]

# Addresses that a note names.
_NAMED = 3


def configure(parser: CommandParser) -> None:
    """Fill the parser of `link`."""
    parser.add_argument(
        "--link-dir", metavar="DIR", help="default PIPELINE_links in the output folder"
    )
    parser.add_argument("--copy", action="store_true", help="make copies instead of links")
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec link -f results.yaml --link-dir links",
        "pipestat-spec link -c pipestat.yaml --copy --link-dir to_send",
        text="A link is DIR/RESULT/RECORD_KEY_NAME, where NAME is that of the file and KEY the\n"
        "result, or what leads to the file inside it. Called again, it adds what is new and\n"
        "removes links that lead nowhere. The folder is printed.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.stores import opened, resolve_level
    from pipestat_spec.linking import link_files
    from pipestat_spec.output_places import link_folder

    with opened(args) as found:
        folder = args.link_dir or link_folder(found)
        done = link_files(found.store, resolve_level(found, args), folder, copy=args.copy)
    for text in done.warnings:
        warning(text)
    if done.remote and not args.quiet:
        rest = len(done.remote) - _NAMED
        named = ", ".join(done.remote[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
        note(f"not on this machine, left out: {named}")
    if not args.quiet:
        what = "copies" if args.copy else "links"
        note(f"{what}: {done.made} made, {done.unchanged} there already, {done.removed} removed")
    print(done.folder)
    return 0
