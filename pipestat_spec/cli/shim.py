"""`shim`: put the emitter of report documents into a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_quiet

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure_install"]

_EXPLANATION = """
pipestat-emit is one bash file that writes report documents, in any container that has bash
and coreutils; 'pipestat-spec ingest' stores them. Put it where the jobs have it on their
PATH: Nextflow does so with the folder bin/ beside main.nf. An older one is replaced.
"""


def configure_install(parser: CommandParser) -> None:
    """Fill the parser of `shim install`."""
    parser.add_argument("folder", metavar="DIR", help="where to; made when it is not there")
    parser.add_argument(
        "-o", "--overwrite", action="store_true", help="replace another file of that name"
    )
    add_quiet(parser)
    parser.set_defaults(run=_run)
    parser.examples("pipestat-spec shim install bin", text=_EXPLANATION)


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.engines.emitter import EMITTER_NAME, install_emitter

    path = install_emitter(args.folder, overwrite=args.overwrite)
    if not args.quiet:
        note(f"wrote {path}" if path else f"{EMITTER_NAME} is there already")
    return 0
