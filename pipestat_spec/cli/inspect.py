"""`inspect`: what a store holds and how it is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipestat_spec.cli.messages import counts_text
from pipestat_spec.cli.options import add_format, add_output, add_store
from pipestat_spec.text.strings import printable, shown_address

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Level
    from pipestat_spec.opening import OpenedStore
    from pipestat_spec.store import Store

__all__ = ["configure"]


def configure(parser: CommandParser) -> None:
    """Fill the parser of `inspect`."""
    parser.add_argument(
        "-d", "--data", action="store_true", help="print all records with their metadata instead"
    )
    add_format(parser, ("text", "json", "yaml"))
    add_output(parser)
    add_store(parser)
    parser.set_defaults(run=_run)
    parser.examples(
        "pipestat-spec inspect -f results.yaml -s schema.yaml",
        "pipestat-spec inspect -c pipestat.yaml --data --format json",
        text="Secrets of a configuration, such as a password, are never printed.",
    )


def _run(args: argparse.Namespace) -> int:
    from pipestat_spec.cli.output import data_text, print_data
    from pipestat_spec.cli.stores import opened, resolve_level

    with opened(args) as found:
        if args.data:
            from pipestat_spec.manager.stored_data import stored_data

            style = "yaml" if args.format == "text" else args.format
            print(data_text(stored_data(found.store), style))
            return 0
        summary = _summary(found, resolve_level(found, args))
    if args.format == "text":
        _print_text(summary)
    else:
        print_data(summary, args.format)
    return 0


def _summary(found: OpenedStore, level: Level) -> dict[str, JSONValue]:
    from pipestat_spec.counting import count_records

    store, config = found.store, found.config
    backend = store.backend
    schema = config.get("schema_path")
    return {
        "backend": found.backend,
        "location": backend.file or backend.url,
        "layout": backend.layout,
        "capabilities": sorted(map(str, backend.capabilities)),
        "pipeline_name": store.namespace,
        "project_name": store.settings.project_name,
        "pipeline_type": level,
        "config_file": config.path,
        "config_found": config.is_found,
        "schema": schema and shown_address(schema),
        "status_schema": store.settings.statuses.source,
        "validate_results": store.rules.validate,
        "history_limit": store.rules.history_limit,
        "results": _declared(store),
        "records": {name: dict(count_records(store, name)) for name in store.rules.levels},
    }


def _declared(store: Store) -> dict[str, list[str]]:
    schema = store.settings.schema
    if schema is None:
        return {}
    return {name: list(level.results) for name, level in schema.levels.items() if level.results}


def _print_text(summary: dict[str, JSONValue]) -> None:
    from pipestat_spec.opening import CONFIG_NAME

    for name in ("backend", "location", "layout", "pipeline_name", "project_name", "pipeline_type"):
        _print_line(name, summary[name])
    found = f" (the nearest {CONFIG_NAME})" if summary["config_found"] else ""
    _print_line("config_file", summary["config_file"] and summary["config_file"] + found)
    _print_line("schema", summary["schema"])
    _print_line("status_schema", summary["status_schema"] or "default")
    _print_line("validate_results", "yes" if summary["validate_results"] else "no")
    if summary["history_limit"] is not None:
        _print_line("history_limit", f"{summary['history_limit']} of each result")
    for level, names in summary["results"].items():
        _print_line(f"{level} results", ", ".join(names))
    for level, counts in summary["records"].items():
        told = [counts_text(sorted(counts["statuses"].items()))]
        told.append(counts_text((v, n) for v, n in (counts["verdicts"] or {}).items() if n))
        known = "; ".join(filter(None, told))
        _print_line(f"{level} records", f"{counts['count']}" + (f" ({known})" if known else ""))
    _print_line("capabilities", ", ".join(summary["capabilities"]))


def _print_line(name: str, value: str | None) -> None:
    if value is not None:
        print(f"{name.replace('_', ' ')}: {printable(value)}")
