"""From settings to an opened store: schemas, namespace, backend (spec/configuration.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.configuration import (
    expand_path,
    load_config_document,
    merge_config,
    parse_config,
)
from pipestat_spec.errors import (
    MissingConfigDataError,
    NoBackendSpecifiedError,
    PipelineTypeNotSuppliedError,
    PipestatStartupError,
    RecordNotNamedError,
    SchemaNotFoundError,
    StoreNotFoundError,
)
from pipestat_spec.models.config import STORE_KEYS, Config, looper_file_name
from pipestat_spec.models.identifiers import check_namespace, check_record_identifier
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import (
    DEFAULT_PIPELINE_NAME,
    DEFAULT_PROJECT_NAME,
    LEVELS,
    Level,
    RecordKey,
)
from pipestat_spec.models.schema.output_schema import OutputSchema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA, StatusSchema
from pipestat_spec.plugins.loading import plugins
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.store import Store
from pipestat_spec.text.paths import absolute_path, find_above, working_folder
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "CONFIG_NAME",
    "CONFIG_VARIABLE",
    "NEW_LAYOUT",
    "OpenedStore",
    "check_exists",
    "choose_backend",
    "load_config",
    "meant_namespaces",
    "meant_projects",
    "open_store",
    "store_settings",
]

CONFIG_VARIABLE = "PIPESTAT_CONFIG"
# The nearest file of this name is the configuration where nothing else names one.
CONFIG_NAME = "pipestat.yaml"
# The layout of what a store does not hold yet, for programs that expect one of it; existing
# records keep theirs, and the configuration's `layout` is stronger.
NEW_LAYOUT: ContextVar[Layout | None] = ContextVar("NEW_LAYOUT", default=None)


@dataclass(eq=False, repr=False)
class OpenedStore:
    """A store with the merged settings that it was opened from, and its backend's name.

    `level` and `record_identifier` are what a call means that names none.
    """

    store: Store
    config: Config
    backend: str
    level: Level = "sample"
    record_identifier: str | None = None

    def check_exists(self) -> None:
        """Raise StoreNotFoundError unless there is something to read."""
        check_exists(self.store.backend, self.store.settings, self.backend)

    def resolve_level(self, level: str | None = None) -> Level:
        """Return the level that is meant; raises PipelineTypeNotSuppliedError."""
        if level is None:
            return self.level
        for known in LEVELS:
            if level == known:
                return known
        raise PipelineTypeNotSuppliedError(
            f"level {shorten(level)!r} is not one of {', '.join(LEVELS)}", level=level
        )

    def resolve_key(self, identifier: str | None = None, level: str | None = None) -> RecordKey:
        """Return the record that is meant; raises RecordNotNamedError when none is.

        The record of the settings belongs to their level: at project level it counts only when
        that is theirs, and else the project's name does.
        """
        resolved = self.resolve_level(level)
        if identifier is None:
            identifier = self.record_identifier
            if resolved == "project" and (identifier is None or self.level != "project"):
                identifier = self.store.settings.project_name
        if identifier is None:
            raise RecordNotNamedError(
                "no record is named",
                hint="give -r (in Python record_identifier), or set PIPESTAT_RECORD_IDENTIFIER",
            )
        return RecordKey(resolved, identifier)


def load_config(
    source: str | os.PathLike[str] | Mapping[str, Any] | None, problems: Problems = AT_ONCE
) -> Config:
    """Read a configuration from a file, a mapping, or the file that PIPESTAT_CONFIG names.

    Without any of them it is the nearest `pipestat.yaml`, in the working folder or above it.
    Raises MissingConfigDataError that names the file and the fix; `problems` may collect them.
    """
    if isinstance(source, Mapping):
        return parse_config(source, backends=plugins().backends.keys(), problems=problems)
    named_by, is_found = "config file", False
    if source is None:
        source, named_by = os.environ.get(CONFIG_VARIABLE), CONFIG_VARIABLE
    if not source:
        source, is_found = find_above(CONFIG_NAME), True
        if source is None:
            return Config()
    given = os.fspath(source) if is_found else expand_path(source, named_by)
    path = absolute_path(given, working_folder())
    document = load_config_document(path, f"{named_by}: there is no file {path!r}")
    config = parse_config(document, path, backends=plugins().backends.keys(), problems=problems)
    return config._replace(is_found=is_found)


def open_store(config: Config, arguments: Mapping[str, Any]) -> OpenedStore:
    """Open the store that arguments, configuration and environment name, in that order.

    It need not be there yet (`check_exists`). Raises NoBackendSpecifiedError when none of them
    names one.
    """
    merged = merge_config(arguments, config, backends=plugins().backends)
    factory = choose_backend(merged)
    schema = _load_schema(merged)
    settings = store_settings(
        merged,
        factory,
        statuses=_load_statuses(merged, schema),
        schema=schema,
        layout=merged.get("layout"),
        new_layout=NEW_LAYOUT.get() or _loopers_layout(config),
        multi_namespaces=merged.get("multi_pipelines", False),
    )
    settings = replace(settings, namespace=_namespace(factory, settings, merged))
    validate = merged.get("validate_results", schema is not None)
    if validate and schema is None:
        raise SchemaNotFoundError(
            "results are to be validated, and there is no output schema",
            hint="give schema_path, or PIPESTAT_RESULTS_SCHEMA, or turn validate_results off",
        )
    store = Store(
        factory.open(settings),
        settings,
        validate=validate,
        additional_properties=merged.get("additional_properties"),
        history_limit=merged.get("history_limit"),
    )
    return OpenedStore(
        store,
        merged,
        factory.name,
        merged.get("pipeline_type", "sample"),
        merged.get("record_identifier"),
    )


def meant_namespaces(config: Config, arguments: Mapping[str, Any]) -> list[str]:
    """Return the namespace that the settings name, or else all that the store holds."""
    merged = merge_config(arguments, config, backends=plugins().backends)
    given = _given_namespace(_load_schema(merged), merged)
    if given is not None:
        return [given]
    factory = choose_backend(merged)
    return factory.namespaces(store_settings(merged, factory, statuses=DEFAULT_STATUS_SCHEMA))


def meant_projects(found: OpenedStore) -> list[str]:
    """Return all projects that an opened store keeps apart.

    They are none where the settings name one, or where nobody ever named any.
    """
    if found.store.settings.has_project or not found.store.backend.keeps_projects_apart:
        return []
    projects = found.store.projects()
    return [] if projects == [DEFAULT_PROJECT_NAME] else projects


def store_settings(config: Config, factory: BackendFactory, **rules: Any) -> StoreSettings:
    """Return what a factory gets, the namespace still the default; `rules` are what is not told."""
    return StoreSettings(
        namespace=DEFAULT_PIPELINE_NAME,
        project_name=check_record_identifier(config.get("project_name", DEFAULT_PROJECT_NAME)),
        unsafe_writes=config.get("unsafe_writes", False),
        base_folder=config.get("output_dir") or _config_folder(config),
        config_folder=_config_folder(config),
        config=config.values,
        options=_options(factory, config),
        **rules,
    )


def check_exists(backend: Backend, settings: StoreSettings, factory: str) -> None:
    """Raise StoreNotFoundError, which names the nearest, unless there is a store to read."""
    if backend.exists():
        return
    registered = plugins().backend(factory)
    place = backend.file or backend.url or f"the {factory} store"
    there = registered.namespaces(settings)
    if there:
        near = nearest(settings.namespace, there)
        raise StoreNotFoundError(
            f"{place} holds no namespace {settings.namespace!r}",
            hint=f"did you mean {near!r}?" if near else "it holds " + ", ".join(map(repr, there)),
            namespaces=tuple(there),
        )
    near = registered.nearest(settings)
    raise StoreNotFoundError(
        f"there are no results at {place}",
        hint=f"did you mean {near}?" if near else "nothing was reported there yet",
        nearest=near,
    )


def choose_backend(config: Config) -> BackendFactory:
    """Return the backend that a configuration names or implies; raises PipestatStartupError."""
    name = config.get("backend")
    if name is not None:
        return plugins().backend(name)
    for key in STORE_KEYS:
        if config.get(key) is not None:
            for factory in plugins().backends.values():
                if key in factory.implied_by:
                    return factory
            failed = "".join(f"; plugin {p.name!r}: {p.error}" for p in plugins().failures())
            raise PipestatStartupError(
                f"no installed plugin handles {key!r}{failed}",
                hint="'pipestat-spec plugins' lists them",
            )
    raise NoBackendSpecifiedError(
        "no store is named",
        hint="give a results file or an address (-f, results_file_path, PIPESTAT_RESULTS_FILE), "
        "a configuration (-c, config_file, PIPESTAT_CONFIG), or write a pipestat.yaml "
        "('pipestat-spec init')",
    )


def _load_schema(config: Config) -> OutputSchema | None:
    path = config.get("schema_path")
    if path is None:
        return None
    from pipestat_spec.schema_files import load_output_schema

    return load_output_schema(path)


def _load_statuses(config: Config, schema: OutputSchema | None) -> StatusSchema:
    path = config.get("status_schema_path")
    if path is not None:
        from pipestat_spec.schema_files import load_status_schema

        return load_status_schema(path)
    if schema is not None and schema.status is not None:
        return schema.status
    return DEFAULT_STATUS_SCHEMA


def _namespace(factory: BackendFactory, settings: StoreSettings, config: Config) -> str:
    """Return the given name, the schema's, the only one in the store, or the default."""
    given = _given_namespace(settings.schema, config)
    if given is not None:
        return given
    existing = factory.namespaces(settings)
    if len(existing) == 1:
        return existing[0]
    if len(existing) > 1:
        raise MissingConfigDataError(
            "the store holds several namespaces: " + ", ".join(existing),
            hint="say which one with pipeline_name (--pipeline-name)",
        )
    return DEFAULT_PIPELINE_NAME


def _given_namespace(schema: OutputSchema | None, config: Config) -> str | None:
    given = config.get("pipeline_name")
    if given is None and schema is not None:
        given = schema.pipeline_name
    return None if given is None else check_namespace(given)


def _loopers_layout(config: Config) -> Layout | None:
    """Return `levels` for a file that looper made: its readers know no other layout."""
    name = config.values.get("pipeline_name")
    if (
        name is None
        or config.path is None
        or os.path.basename(config.path) != looper_file_name(name)
    ):
        return None
    return "levels"


def _config_folder(config: Config) -> str:
    return os.path.dirname(config.path) if config.path else working_folder()


def _options(factory: BackendFactory, config: Config) -> Any:
    """Return the validated `NAME:` section; raises MissingConfigDataError naming the key."""
    section = config.sections.get(factory.name, {})
    plain = factory.plain_options(section) if section else None
    if plain is not None:
        return plain
    model = factory.options_model() if section or not factory.implied_by else None
    if model is None:
        if section:
            raise MissingConfigDataError(
                f"backend {factory.name!r} has no options",
                hint=f"remove the section {factory.name}",
            )
        return None
    from pipestat_spec.options import parse_options

    return parse_options(model, section, factory.name, config.path or "configuration")
