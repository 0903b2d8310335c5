"""`convert`: copy all records of one store into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import Progress, counted, note, warning
from pipestat_spec.cli.options import add_quiet, describe_key
from pipestat_spec.models.config import KEYS, LOOPER_KEYS, STORE_KEYS
from pipestat_spec.models.layout import LAYOUTS

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.config import Config
    from pipestat_spec.opening import OpenedStore

__all__ = ["configure"]

# The keys that make a configuration of a YAML file: each names a store.
_STORE_KEYS = frozenset((*STORE_KEYS, "backend"))
# How much of a file is looked at to tell a configuration from results.
_HEAD = 65536


def configure(parser: CommandParser) -> None:
    """Fill the parser of `convert`."""
    parser.add_argument(
        "source", metavar="SOURCE", help="path or address of a store, or configuration file"
    )
    parser.add_argument("target", metavar="TARGET", help="the same; it may be new")
    parser.add_argument("--layout", choices=LAYOUTS, help="layout of a new target")
    parser.add_argument(
        "-s", "--schema", dest="schema_path", metavar="FILE", help=describe_key("schema_path")
    )
    parser.add_argument(
        "--status-schema",
        dest="status_schema_path",
        metavar="FILE",
        help=describe_key("status_schema_path"),
    )
    parser.add_argument(
        "--pipeline-name", metavar="NAME", help="which namespace, where the source holds several"
    )
    parser.add_argument(
        "-o", "--overwrite", action="store_true", help="replace records that differ in the target"
    )
    add_quiet(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec convert results.yaml results_levels.yaml --layout levels",
        "pipestat-spec convert results.yaml results.db -s schema.yaml",
        "pipestat-spec convert pephub:mylab/rnaseq:default pipestat_database.yaml",
        "pipestat-spec convert old.yaml 'results/{record_identifier}.yaml' -s schema.yaml",
        text="Copies results, status, source, times and history. The source stays as it is. A\n"
        "file whose keys are those of a configuration is one. An interrupted conversion is\n"
        "completed by calling it again.",
    )


def _run(args: argparse.Namespace) -> int:
    from contextlib import closing

    from pipestat_spec.convert import convert

    again = "call it again to complete it"
    progress = Progress("converting", "record", quiet=args.quiet, after=again)
    source = _open(args.source, args)
    with closing(source.store):
        source.check_exists()
        target = _open(args.target, args, source)
        with closing(target.store):
            report = convert(
                source.store,
                target.store,
                overwrite=args.overwrite,
                progress=lambda done, _: progress.reached(done),
            )
    progress.done()
    for lost in report.lost:
        warning(f"the target does not keep {lost}")
    if not args.quiet:
        note(
            f"{counted(report.records, 'record')}: {report.copied} copied, "
            f"{report.replaced} replaced, {report.unchanged} there already"
        )
    return 0


def _open(place: str, args: argparse.Namespace, source: OpenedStore | None = None) -> OpenedStore:
    """Open a store by its address or by a configuration; `source` makes it the target."""
    from pipestat_spec.errors import MissingConfigDataError
    from pipestat_spec.models.config import Config
    from pipestat_spec.opening import load_config, open_store

    config = load_config(place) if _is_config(place) else Config()
    arguments = {
        "schema_path": args.schema_path,
        "status_schema_path": args.status_schema_path,
        "pipeline_name": args.pipeline_name,
    }
    if config.path is None:
        arguments["results_file_path"] = place
    if source is not None:
        arguments["layout"] = args.layout
        if args.pipeline_name is None and config.get("pipeline_name") is None:
            arguments["pipeline_name"] = source.store.namespace
    found = open_store(config, arguments)
    if source is not None and _place(found.config) == _place(source.config):
        raise MissingConfigDataError(
            "source and target are the same store", hint="give the target another name"
        )
    return found


def _place(config: Config) -> object:
    """Return what tells one store from another."""
    import os

    path = config.get("results_file_path")
    if path is not None:
        return os.path.realpath(path)
    return [config.get(key) for key in sorted(_STORE_KEYS)] + [config.sections]


def _is_config(place: str) -> bool:
    """Tell by its top-level keys whether a file is a configuration."""
    import os
    import re

    if not os.path.isfile(place):
        return False
    with open(place, encoding="utf-8", errors="replace") as file:
        keys = set(re.findall(r"^([A-Za-z_]\w*) *:", file.read(_HEAD), re.MULTILINE))
    if not keys & _STORE_KEYS:
        return False
    from pipestat_spec.plugins.loading import plugins

    return keys <= KEYS.keys() | LOOPER_KEYS | plugins().backends.keys()
