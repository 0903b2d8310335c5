"""`validate`: check schemas, a configuration, report documents, and every stored result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import Progress, catch_logging, counted, error, note, warning
from pipestat_spec.cli.options import add_format, add_output, add_quiet, add_store
from pipestat_spec.text.strings import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.documents.answers import Problem
    from pipestat_spec.documents.report import ReportDocument
    from pipestat_spec.domain.rules import Rules
    from pipestat_spec.errors import PipestatError
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.config import Config
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.models.schema.output_schema import OutputSchema
    from pipestat_spec.models.schema.status_schema import StatusSchema
    from pipestat_spec.problems import Problems
    from pipestat_spec.store import Store

__all__ = ["configure"]

_EXPLANATION = """
Checks what is named: the output schema, the status schema, the configuration, and each record
of the store: its values, its status, and the results that the schema lists as required. With
report documents these are checked in place of the records, and no store is opened: a job can
look at its own before it ends. Every problem is printed on a line of its own; any makes the
exit code 1. Records and the values of documents wait until schemas and configuration are right.
A configuration whose store is not there yet is no problem, only a warning: the first report makes
the store. A store named by -f or by the environment has to be there.
"""


_NO_DOCUMENT = "; report documents are JSON, a schema is named with -s and a results file with -f"


def configure(parser: CommandParser) -> None:
    """Fill the parser of `validate`."""
    parser.add_argument(
        "documents",
        nargs="*",
        metavar="FILE|DIR",
        help="report documents, and folders to search for them",
    )
    add_format(parser, ("text", "json", "yaml"))
    parser.add_argument(
        "--check-files",
        action="store_true",
        help="name the files and images that records report and that are not there",
    )
    add_output(parser)
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec validate -s schema.yaml",
        "pipestat-spec validate -f results.yaml -s schema.yaml",
        "pipestat-spec validate -c pipestat.yaml --format json",
        "pipestat-spec validate -s schema.yaml sample1.pipestat.json",
        text=_EXPLANATION,
    )


def _run(args: argparse.Namespace) -> int:
    found = _Findings()
    _check(args, found)
    problems = list(dict.fromkeys(found.problems))
    _print(problems, args.format)
    if problems:
        error(counted(len(problems), "problem"))
        return 1
    if not args.quiet:
        note(f"valid: {', '.join(found.checked)}")
    return 0


def _print(problems: list[Problem], style: str) -> None:
    if style != "text":
        from pipestat_spec.cli.listing import list_answer
        from pipestat_spec.cli.output import print_data

        print_data(list_answer(problem.model_dump(mode="json") for problem in problems), style)
        return
    for problem in problems:
        record = f"{problem.level} {problem.record!r}: " if problem.record is not None else ""
        print(printable(" ".join(f"{record}{problem.problem}".splitlines())))


class _Findings:
    """What was looked at, what is wrong with it, and the results that no schema declares."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.problems: list[Problem] = []
        self.undeclared: dict[str, Level] = {}

    def add(
        self,
        lines: Iterable[str],
        level: Level | None = None,
        record: str | None = None,
        result: str | None = None,
    ) -> None:
        """Note a problem for each line."""
        for line in lines:
            from pipestat_spec.documents.answers import Problem

            problem = Problem(problem=line, level=level, record=record, result=result)
            self.problems.append(problem)

    @contextmanager
    def about(self, level: Level | None = None, result: str | None = None) -> Iterator[Problems]:
        """Collect errors; one that is raised ends the block, and the command goes on."""
        from pipestat_spec.problems import Problems

        problems = Problems()
        with problems:
            yield problems
        self.add(problems.lines, level, None, result)


def _check(args: argparse.Namespace, found: _Findings) -> None:
    from pipestat_spec.cli.stores import store_arguments
    from pipestat_spec.configuration import merge_config
    from pipestat_spec.models.config import Config
    from pipestat_spec.opening import load_config

    arguments = store_arguments(args)
    config = Config()
    with found.about() as problems:
        config = load_config(args.config, problems)
    if config.path:
        found.checked.append(config.path)
    with found.about():
        config = merge_config(arguments, config)
    schema, statuses = _check_schemas(config, found)
    settled = not found.problems
    if args.documents:
        documents = _read_documents(args.documents, found)
        if settled:
            _check_documents(documents, config, schema, statuses, found)
    elif settled and (store := _open(config, arguments, found)) is not None:
        with closing(store), found.about():
            _check_records(store, args, found)
    for name, level in found.undeclared.items():
        warning(f"result {name!r} is not in the output schema at {level} level")


def _check_schemas(
    config: Config, found: _Findings
) -> tuple[OutputSchema | None, StatusSchema | None]:
    from pipestat_spec.domain.comparison.criteria import check_criteria
    from pipestat_spec.domain.validation.keywords import check_members, check_schema_keywords
    from pipestat_spec.models.schema.output_schema import parse_output_schema
    from pipestat_spec.models.schema.status_schema import parse_status_schema
    from pipestat_spec.schema_files import load_document

    schema: OutputSchema | None = None
    statuses: StatusSchema | None = None
    path = config.get("schema_path")
    if path is not None:
        found.checked.append(path)
        with found.about() as problems:
            schema = parse_output_schema(load_document(path), path, problems)
            for level, results in schema.levels.items():
                for name, result in results.results.items():
                    with found.about(level, name) as of_keywords:
                        check_schema_keywords(result, of_keywords)
                        check_members(result, of_keywords)
                        check_criteria(result, of_keywords)
            if schema.has_qc:
                from pipestat_spec.domain.verdicts import judges

                judges(schema, problems)
    path = config.get("status_schema_path")
    if path is not None:
        found.checked.append(path)
        with found.about() as problems:
            statuses = parse_status_schema(load_document(path), path, problems)
    return schema, statuses


def _open(config: Config, arguments: Mapping[str, object], found: _Findings) -> Store | None:
    """Return the store that is named; without one None, when something else was checked."""
    from pipestat_spec.errors import NoBackendSpecifiedError, PipestatError, StoreNotFoundError
    from pipestat_spec.opening import open_store

    try:
        opened = open_store(config, arguments)
        catch_logging(only_if_imported=True)
        opened.check_exists()
    except NoBackendSpecifiedError:
        if not found.checked:
            raise
    except StoreNotFoundError as failure:
        # A configuration is checked before the first report, which makes its store.
        if config.store_from in ("arguments", "environment") or "namespaces" in failure.data:
            raise
        warning(str(failure))
    except PipestatError as failure:
        found.add(failure.problems)
    else:
        return opened.store
    return None


def _read_documents(paths: list[str], found: _Findings) -> list[tuple[str, ReportDocument]]:
    """Return the documents that are what they should be, each with its place."""
    from pipestat_spec.documents.files import find_documents, read_documents
    from pipestat_spec.documents.report import parse_report_document

    documents: list[tuple[str, ReportDocument]] = []
    items = [item for path in find_documents(paths) for item in read_documents(path)]
    for item in items:
        if item.problem is not None:
            is_yaml = item.where.endswith((".yaml", ".yml"))
            found.add([f"{item.where}: {item.problem}{_NO_DOCUMENT if is_yaml else ''}"])
            continue
        with found.about():
            documents.append((item.where, parse_report_document(item.content, item.where)))
    found.checked.append(counted(len(items), "report document"))
    return documents


def _check_documents(
    documents: list[tuple[str, ReportDocument]],
    config: Config,
    schema: OutputSchema | None,
    statuses: StatusSchema | None,
    found: _Findings,
) -> None:
    from pipestat_spec.domain.rules import Rules
    from pipestat_spec.errors import DocumentError, PipestatError
    from pipestat_spec.ingest import values_of
    from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA

    statuses = statuses or (schema.status if schema else None) or DEFAULT_STATUS_SCHEMA
    rules = Rules(schema, statuses, schema is not None, config.get("additional_properties"))
    namespace = config.get("pipeline_name") or (schema.pipeline_name if schema else None)
    for where, document in documents:
        given = document.namespace
        if given is not None and namespace is not None and given != namespace:
            found.add([f"{where}: namespace: {given!r} is not {namespace!r}"])
        try:
            rules.report(
                document.key,
                {},
                overwrite=True,
                status=document.status,
                status_message=document.status_message,
                source=document.source_dict(),
            )
        except PipestatError as failure:
            found.add(f"{where}: {line}" for line in failure.problems)
        try:
            results = values_of(document, rules)
        except DocumentError as failure:
            found.add(f"{where}: {line}" for line in failure.problems)
            continue
        for _, wrong in _wrong_values(rules, document.level, results, found):
            found.add(f"{where}: {line}" for line in wrong.problems)


def _check_records(store: Store, args: argparse.Namespace, found: _Findings) -> None:
    count = 0
    progress = Progress("validating", "record", quiet=args.quiet)
    levels = (args.pipeline_type,) if args.pipeline_type else store.rules.levels
    for level in levels:
        for record in store.scan(level):
            count += 1
            _check_record(store.rules, record, found)
            if args.check_files:
                _check_files(store, record, found)
            progress.step()
    progress.done()
    found.checked.append(f"{counted(count, 'record')} of {store.namespace!r}")


def _check_record(rules: Rules, record: Record, found: _Findings) -> None:
    level, identifier = record.key.level, record.key.identifier
    statuses, schema = rules.statuses, rules.level_schema(level)
    if record.status is not None and record.status not in statuses:
        problem = f"status {record.status!r} is not defined; defined are {', '.join(statuses)}"
        found.add([problem], level, identifier)
    for name in schema.required if schema else ():
        if name not in record.results:
            problem = f"the required result {name!r} is missing"
            found.add([problem], level, identifier, name)
    for name, wrong in _wrong_values(rules, level, record.results, found):
        found.add(wrong.problems, level, identifier, name)


def _check_files(store: Store, record: Record, found: _Findings) -> None:
    """Look for what the results name; what is not on this machine is not looked for."""
    import os

    from pipestat_spec.linking import local_file, paths

    level, identifier = record.key
    folder = store.record_folder(identifier)
    for name, value in record.results.items():
        for _, path in paths(name, value):
            file = local_file(path, folder)
            if file is not None and not os.path.exists(file):
                problem = f"result {name!r}: there is no file {file!r}"
                found.add([problem], level, identifier, name)


def _wrong_values(
    rules: Rules, level: Level, results: Mapping[str, JSONValue], found: _Findings
) -> Iterator[tuple[str, PipestatError]]:
    """Judge each value as if it were reported; yield what `report` would refuse, and why."""
    from pipestat_spec.domain.rules import prepare_results
    from pipestat_spec.errors import PipestatError

    schema = rules.level_schema(level)
    for name, value in results.items():
        try:
            prepare_results(
                {name: value}, schema, additional_properties=rules.additional_properties
            )
        except PipestatError as failure:
            yield name, failure
        if schema is not None and name not in schema.results:
            found.undeclared.setdefault(name, level)
