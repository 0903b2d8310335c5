"""`validate`: check schemas, a configuration, and every stored result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.messages import Progress, counted, error, note, warning
from pipestat_spec.cli.options import add_format, add_quiet, add_store

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.models.config import Config
    from pipestat_spec.models.record import Level, Record
    from pipestat_spec.models.schema.output_schema import LevelSchema, OutputSchema
    from pipestat_spec.opening import OpenedStore

__all__ = ["configure"]


class Problem(NamedTuple):
    """One thing to mend; `record` and `result` are None where it is about neither."""

    problem: str
    level: str | None = None
    record: str | None = None
    result: str | None = None

    def line(self) -> str:
        """Return it for people."""
        record = f"{self.level} {self.record!r}: " if self.record is not None else ""
        return record + self.problem


def configure(parser: CommandParser) -> None:
    """Fill the parser of `validate`."""
    add_format(parser, ("text", "json", "yaml"))
    add_quiet(parser)
    add_store(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec validate -s schema.yaml",
        "pipestat-spec validate -f results.yaml -s schema.yaml",
        "pipestat-spec validate -c pipestat.yaml --format json",
        text="Checks what is named: the output schema, the status schema, the configuration, and\n"
        "each record of the store: its values, its status, and the results that the schema lists\n"
        "as required. Every problem is printed on a line of its own; any makes the exit code 1.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.errors import NoBackendSpecifiedError, PipestatError, StoreNotFoundError

    checked: list[str] = []
    try:
        problems = list(_check(args, checked))
    except (NoBackendSpecifiedError, StoreNotFoundError):
        raise
    except PipestatError as failure:
        problems = [Problem(str(failure))]
    _print(problems, args.format)
    if problems:
        error(counted(len(problems), "problem"))
        return 1
    if not args.quiet:
        note(f"valid: {', '.join(checked)}")
    return 0


def _print(problems: list[Problem], style: str) -> None:
    if style == "text":
        for problem in problems:
            print(" ".join(problem.line().splitlines()))
        return
    from pipestat_spec.cli.output import print_data

    print_data([problem._asdict() for problem in problems], style)


def _check(args: argparse.Namespace, checked: list[str]) -> Iterator[Problem]:
    """Yield every problem; add to `checked` what was looked at."""
    from pipestat_spec.cli.stores import store_arguments
    from pipestat_spec.configuration import merge_config
    from pipestat_spec.errors import NoBackendSpecifiedError, SchemaError, StoreNotFoundError
    from pipestat_spec.opening import load_config

    config = merge_config(store_arguments(args), load_config(args.config))
    if config.path:
        checked.append(str(config.path))
    broken = False
    for problem in _check_schemas(config, checked):
        broken = True
        yield problem
    if broken:
        return
    from pipestat_spec.cli.stores import opened

    try:
        with opened(args) as found:
            yield from _check_store(found, args, checked)
    except NoBackendSpecifiedError:
        if not checked:
            raise
    except StoreNotFoundError as failure:
        # A configuration is checked before the first report, which makes its store.
        if config.store_from in ("arguments", "environment") or "namespaces" in failure.data:
            raise
        warning(str(failure))
    except SchemaError as failure:
        yield Problem(str(failure))


def _check_schemas(config: Config, checked: list[str]) -> Iterator[Problem]:
    from pipestat_spec.errors import SchemaError
    from pipestat_spec.schema_files import load_output_schema, load_status_schema

    schema, statuses = config.get("schema_path"), config.get("status_schema_path")
    try:
        if schema is not None:
            checked.append(schema)
            yield from _check_keywords(load_output_schema(schema))
    except SchemaError as failure:
        yield Problem(str(failure))
    try:
        if statuses is not None:
            checked.append(statuses)
            load_status_schema(statuses)
    except SchemaError as failure:
        yield Problem(str(failure))


def _check_keywords(schema: OutputSchema) -> Iterator[Problem]:
    from pipestat_spec.domain.validate import check_schema_keywords
    from pipestat_spec.errors import SchemaError

    for level, results in schema.levels.items():
        for name, result in results.results.items():
            try:
                check_schema_keywords(result)
            except SchemaError as failure:
                yield Problem(str(failure), level, None, name)


def _check_store(
    found: OpenedStore, args: argparse.Namespace, checked: list[str]
) -> Iterator[Problem]:
    store = found.store
    count = 0
    progress = Progress("validating", "records", quiet=args.quiet)
    levels = (args.pipeline_type,) if args.pipeline_type else store.rules.levels
    undeclared: dict[str, Level] = {}
    for level in levels:
        schema = store.rules.level_schema(level)
        for record in store.scan(level):
            count += 1
            yield from _check_record(found, record, schema, undeclared)
            progress.step()
    progress.done()
    for name, level in undeclared.items():
        warning(f"result {name!r} is not in the output schema at {level} level")
    checked.append(f"{counted(count, 'record')} of {store.namespace!r}")


def _check_record(
    found: OpenedStore, record: Record, schema: LevelSchema | None, undeclared: dict[str, Level]
) -> Iterator[Problem]:
    from pipestat_spec.errors import PipestatError

    level, identifier = record.key.level, record.key.identifier
    statuses = found.store.settings.statuses
    if record.status is not None and record.status not in statuses:
        defined = ", ".join(statuses)
        yield Problem(
            f"status {record.status!r} is not defined; defined are {defined}", level, identifier
        )
    for name in schema.required if schema else ():
        if name not in record.results:
            yield Problem(f"the required result {name!r} is missing", level, identifier, name)
    for name, value in record.results.items():
        try:
            _check_value(found, schema, name, value)
        except PipestatError as failure:
            yield Problem(str(failure), level, identifier, name)
        if schema is not None and name not in schema.results:
            undeclared.setdefault(name, level)


def _check_value(found: OpenedStore, schema: LevelSchema | None, name: str, value: object) -> None:
    """Judge a stored value as if it were reported; raises the errors of `report`."""
    from pipestat_spec.domain.results import prepare_results

    prepare_results(
        {name: value}, schema, additional_properties=found.store.rules.additional_properties
    )
