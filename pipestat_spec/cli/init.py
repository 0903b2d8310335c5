"""`init`: a configuration and an output schema to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note
from pipestat_spec.cli.options import add_quiet
from pipestat_spec.opening import CONFIG_NAME

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["SCHEMA_NAME", "configure"]

SCHEMA_NAME = "output_schema.yaml"

_CONFIG = f"""\
# What pipestat-spec stores results of, and where, for all that runs in this folder or below.
# Relative paths are relative to this file. Any string may hold ${{NAME}}, which the environment
# variable NAME replaces.

# The results that the pipeline reports, with their types.
schema_path: {SCHEMA_NAME}

# Where they are stored. {{record_identifier}} in the path gives each record its own file. Other
# places: results.db (SQLite), postgresql://..., s3://..., pephub:namespace/project:tag.
results_file_path: results.yaml

# The namespace of the results; without it the output schema's.
# pipeline_name: my_pipeline

# The level that commands mean without -p: sample or project.
# pipeline_type: sample

# The record of the project level.
# project_name: my_project

# Where the status flags go; without it beside the results file.
# flag_file_dir: flags

# Other statuses than running, completed, failed, waiting and partial.
# status_schema_path: status_schema.yaml

# Let one file hold the results of several pipelines.
# multi_pipelines: false

# Store results that the output schema does not declare.
# additional_properties: true

# A storage plugin by name ('pipestat-spec plugins' lists them), with options of its own.
# backend: sql
# sql:
#   pool_size: 2
"""

_SCHEMA = """\
# The results of the pipeline. Types: string, integer, number, boolean, array, object, null,
# file and image (objects with a path and a title), or any JSON Schema.
title: Results of my pipeline
pipeline_name: my_pipeline

samples:
  reads:
    type: integer
    description: Number of reads
  alignment_rate:
    type: number
    description: Share of aligned reads
    highlight: true
    # qc: {fail: "value < 0.5", warn: "value < 0.8"}
  aligned_reads:
    type: file
    description: Aligned reads, BAM
  coverage_plot:
    type: image
    description: Coverage along the genome

project:
  sample_count:
    type: integer
    description: Number of samples
"""

_NEXT = "pipestat-spec report -r sample1 reads=1200"


def configure(parser: CommandParser) -> None:
    """Fill the parser of `init`."""
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", help="where to; without it here"
    )
    parser.add_argument(
        "-g",
        "--generic-config",
        action="store_true",
        help="accepted for pipestat's sake; no effect",
    )
    parser.add_argument("-o", "--overwrite", action="store_true", help="replace existing files")
    add_quiet(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec init",
        "pipestat-spec init my_project",
        text=f"Writes {CONFIG_NAME}, with a comment for each key, and {SCHEMA_NAME}. Commands\n"
        f"in the folder, and below it, find {CONFIG_NAME} by themselves. Files that are there\n"
        "already are kept and nothing is written, unless -o is given.",
    )


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from pipestat_spec.errors import PipestatStartupError
    from pipestat_spec.whole_files import replace_file

    folder = Path(args.folder)
    texts = {folder / CONFIG_NAME: _CONFIG, folder / SCHEMA_NAME: _SCHEMA}
    there = [str(path) for path in texts if path.exists() or path.is_symlink()]
    if there and not args.overwrite:
        raise PipestatStartupError(
            f"{' and '.join(there)} exist{'s' if len(there) == 1 else ''} already",
            hint="give -o to replace, or another folder; nothing was written",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        replace_file(path, text.encode())
        if not args.quiet:
            note(f"wrote {path}")
    if not args.quiet:
        from shlex import quote

        go = "" if folder == Path() else f"cd {quote(args.folder)} && "
        note(f"next: edit {SCHEMA_NAME}, then {go}{_NEXT}")
    return 0
