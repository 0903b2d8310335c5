"""`looper-config`: what looper says to its pipelines, as files that they can open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import note, warning
from pipestat_spec.cli.options import add_format, add_quiet

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.engines.looper import LooperConfig, Written

__all__ = ["configure"]

_EXPLANATION = """
Merges looper's configuration with each of its pipeline interfaces, as looper does, into
OUTPUT_DIR/pipestat_config_{pipeline_name}.yaml, and prints the paths. A file that is there
is refreshed: what changed in looper's configuration is taken over, what was edited in the
file stays, and a line says so. A file of looper's own making is brought up to date, and the
former one kept beside it.
"""


def configure(parser: CommandParser) -> None:
    """Fill the parser of `looper-config`."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        help="looper's configuration; without it .looper.yaml here or in the nearest folder above",
    )
    parser.add_argument(
        "--pipeline-interface",
        action="append",
        default=[],
        metavar="FILE",
        help="use this one in place of the configuration's; may be repeated",
    )
    parser.add_argument(
        "--output-dir", metavar="DIR", help="use this one in place of the configuration's"
    )
    parser.add_argument(
        "-o", "--overwrite", action="store_true", help="replace what was edited in the files too"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="write nothing, say what would change"
    )
    add_format(parser, ("text", "json", "yaml"))
    add_quiet(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec looper-config",
        "pipestat-spec looper-config -c project/.looper.yaml --dry-run",
        "pipestat-spec looper-config --format json    # with the variables of command templates",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.engines.looper import looper_configs, write_config

    configs = looper_configs(args.config, args.pipeline_interface, args.output_dir)
    # All that can be refused is refused before the first file is written.
    done = [write_config(c, overwrite=args.overwrite, dry_run=True) for c in configs]
    if not args.dry_run:
        done = [write_config(config, overwrite=args.overwrite) for config in configs]
    for written in done:
        for text in written.done if not args.quiet else ():
            note(f"{written.path}: {text}{' (dry run)' if args.dry_run else ''}")
        for text in written.attention:
            warning(f"{written.path}: {text}")
    _print(configs, done, args.format)
    return 0


def _print(configs: list[LooperConfig], done: list[Written], format: str) -> None:
    if format == "text":
        for config in configs:
            print(config.path)
        return
    from pipestat_spec.cli.listing import list_answer
    from pipestat_spec.cli.output import print_data
    from pipestat_spec.documents.answers import PipelineConfig

    answers = (
        PipelineConfig(
            pipeline_name=config.pipeline_name,
            config_file=config.path,
            levels=list(config.levels),
            action=written.action,
            template_variables=config.template_variables(),
        )
        for config, written in zip(configs, done, strict=True)
    )
    print_data(list_answer(answer.model_dump(mode="json") for answer in answers), format)
