"""`convert`: copy all records of one store, of each namespace and project, into another."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pipestat_spec.cli.messages import Progress, counted, note, warning
from pipestat_spec.cli.options import add_quiet, describe_key
from pipestat_spec.models.layout import LAYOUTS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.convert import Opener
    from pipestat_spec.errors import MissingConfigDataError
    from pipestat_spec.models.config import Config
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.store import Store

__all__ = ["configure"]


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
    parser.add_argument("--pipeline-name", metavar="NAME", help="one namespace; without it all")
    parser.add_argument(
        "--project-name", metavar="NAME", help="one project of a database; without it all"
    )
    parser.add_argument(
        "-o",
        "--overwrite",
        action="store_true",
        help="replace records that differ in the target; its history keeps their values",
    )
    parser.add_argument(
        "--no-history", action="store_true", help="leave out the history of the source"
    )
    add_quiet(parser)
    parser.set_defaults(run=_run, parser=parser)
    parser.examples(
        "pipestat-spec convert results.yaml results_levels.yaml --layout levels",
        "pipestat-spec convert results.yaml results.db -s schema.yaml",
        "pipestat-spec convert pephub:mylab/rnaseq:default pipestat_database.yaml",
        "pipestat-spec convert old.yaml 'results/{record_identifier}.yaml' -s schema.yaml",
        text="Copies results, status, source, times and history, of all namespaces and, in a\n"
        "database, of all projects. The source stays as it is. What the target refuses is\n"
        "refused before anything is written. A file, YAML or JSON, whose keys are those of a\n"
        "configuration is one. An interrupted conversion is completed by calling it again.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.convert import convert_all

    again = "call it again to complete it"
    shown = {
        "checking": Progress("checking", "record", quiet=args.quiet, after="nothing is copied"),
        "copying": Progress("copying", "record", quiet=args.quiet, after=again),
    }

    def progress(doing: str, done: int, total: int) -> None:
        Progress.current = shown[doing]
        shown[doing].reached(done, total)

    report = convert_all(
        list(_pairs(args)), overwrite=args.overwrite, history=not args.no_history, progress=progress
    )
    for one in shown.values():
        one.done()
    for lost in report.lost:
        warning(f"the target does not keep {lost}")
    if not args.quiet:
        note(
            f"{counted(report.records, 'record')}: {report.copied} copied, "
            f"{report.replaced} replaced, {report.unchanged} there already"
        )
    return 0


def _pairs(args: argparse.Namespace) -> Iterator[Opener]:
    """Yield what opens source and target, for each namespace and project to be copied."""
    from pipestat_spec.opening import meant_namespaces, meant_projects, open_store

    config, arguments = _settings(args.source, args)
    names = meant_namespaces(config, arguments)
    # One that nobody names is told by the store itself.
    for name in names if len(names) > 1 else [None]:
        here = arguments if name is None else {**arguments, "pipeline_name": name}
        source = open_store(config, here)
        with closing(source.store):
            projects = meant_projects(source)
        for named in [{"project_name": project} for project in projects] or [{}]:
            yield partial(_opened, args, config, {**here, **named}, names, projects)


@contextmanager
def _opened(
    args: argparse.Namespace,
    config: Config,
    arguments: dict[str, Any],
    names: Sequence[str],
    projects: Sequence[str],
) -> Iterator[tuple[Store, Store]]:
    from pipestat_spec.opening import open_store

    source = open_store(config, arguments)
    with closing(source.store):
        source.check_exists()
        target = _target(args, source, names, projects)
        with closing(target.store):
            yield source.store, target.store


def _target(
    args: argparse.Namespace, source: OpenedStore, names: Sequence[str], projects: Sequence[str]
) -> OpenedStore:
    """Open the target for a source; raises if it cannot hold all these namespaces and projects."""
    from pipestat_spec.backend import Capability
    from pipestat_spec.errors import MissingConfigDataError
    from pipestat_spec.opening import open_store

    config, arguments = _settings(args.target, args)
    arguments["layout"] = args.layout
    if len(names) > 1:
        arguments |= {"pipeline_name": source.store.namespace, "multi_pipelines": True}
    elif args.pipeline_name is None and config.get("pipeline_name") is None:
        arguments["pipeline_name"] = source.store.namespace
    if len(projects) > 1 or config.get("project_name") is None:
        arguments["project_name"] = source.config.get("project_name")
    target = open_store(config, arguments)
    if _place(target.config) == _place(source.config):
        raise MissingConfigDataError(
            "source and target are the same store", hint="give the target another name"
        )
    backend = target.store.backend
    if len(names) > 1 and Capability.MULTI_NAMESPACE not in backend.capabilities:
        raise _too_many("namespaces", names, "--pipeline-name")
    if len(projects) > 1 and not backend.keeps_projects_apart:
        raise _too_many("projects", projects, "--project-name")
    return target


def _too_many(what: str, names: Sequence[str], option: str) -> MissingConfigDataError:
    from pipestat_spec.errors import MissingConfigDataError

    return MissingConfigDataError(
        f"the source holds {len(names)} {what}, and the target can hold one: " + ", ".join(names),
        hint=f"say which one with {option}",
    )


def _settings(place: str, args: argparse.Namespace) -> tuple[Config, dict[str, Any]]:
    """Return the configuration and the arguments for a store's address or configuration."""
    from pipestat_spec.models.config import Config
    from pipestat_spec.opening import load_config
    from pipestat_spec.places import is_config_file

    config = load_config(place) if is_config_file(place) else Config()
    arguments = {
        "schema_path": args.schema_path,
        "status_schema_path": args.status_schema_path,
        "pipeline_name": args.pipeline_name,
        "project_name": args.project_name,
    }
    if config.path is None:
        arguments["results_file_path"] = place
    return config, arguments


def _place(config: Config) -> object:
    """Return what tells one store from another."""
    import os

    from pipestat_spec.places import PLACE_KEYS

    path = config.get("results_file_path")
    if path is not None:
        return os.path.realpath(path)
    return [config.get(key) for key in sorted(PLACE_KEYS)] + [config.sections]
