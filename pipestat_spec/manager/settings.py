"""What a manager is opened from, and the properties that tell it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from pipestat_spec.backend import Capability
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import MissingConfigDataError, PipelineTypeNotSuppliedError
from pipestat_spec.formatters import ResultFormatter, default_formatter
from pipestat_spec.models.record import LEVELS, JSONValue, Level, Record, RecordKey
from pipestat_spec.models.schema.output_schema import OutputSchema
from pipestat_spec.opening import load_config, open_store
from pipestat_spec.store import Store
from pipestat_spec.text.file_names import PLACEHOLDER, expand_record_path
from pipestat_spec.text.strings import shorten

__all__ = ["ManagerSettings", "record_folder", "results_file"]


def results_file(store: Store, identifier: str | None) -> str | None:
    """Return the results file, of a record where each has its own; None where there is none."""
    file: str | None = getattr(store.backend, "file", None)
    if file is None or identifier is None or PLACEHOLDER not in file:
        return file
    return expand_record_path(file, identifier)


def record_folder(store: Store, identifier: str) -> str:
    """Return the folder where relative paths of a record's files start (PS-REC-005)."""
    file = results_file(store, identifier)
    return store.settings.base_folder if file is None else os.path.dirname(file)


class ManagerSettings:
    """The opened store, the defaults of its operations, and what both come from."""

    def __init__(
        self,
        schema_path: str | os.PathLike[str] | None = None,
        results_file_path: str | os.PathLike[str] | None = None,
        record_identifier: str | None = None,
        config_file: str | os.PathLike[str] | None = None,
        pipeline_name: str | None = None,
        pipeline_type: str | None = None,
        project_name: str | None = None,
        flag_file_dir: str | os.PathLike[str] | None = None,
        pephub_path: str | None = None,
        multi_pipelines: bool | None = None,
        validate_results: bool | None = None,
        additional_properties: bool | None = None,
        *,
        config_dict: Mapping[str, Any] | None = None,
        backend: str | None = None,
        layout: str | None = None,
        status_schema_path: str | os.PathLike[str] | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        force_overwrite: bool | None = None,
        unsafe_writes: bool | None = None,
        result_formatter: ResultFormatter = default_formatter,
    ) -> None:
        arguments = {
            "schema_path": schema_path,
            "results_file_path": results_file_path,
            "record_identifier": record_identifier,
            "pipeline_name": pipeline_name,
            "pipeline_type": pipeline_type,
            "project_name": project_name,
            "flag_file_dir": flag_file_dir,
            "pephub_path": pephub_path,
            # False is the documented default of the signature: it does not beat a config.
            "multi_pipelines": multi_pipelines or None,
            "validate_results": validate_results,
            "additional_properties": additional_properties,
            "backend": backend,
            "layout": layout,
            "status_schema_path": status_schema_path,
            "output_dir": output_dir,
            "force_overwrite": force_overwrite,
            "unsafe_writes": unsafe_writes,
        }
        opened = open_store(load_config(config_dict or config_file), arguments)
        self._store = opened.store
        self._config = opened.config
        self._level: Level = self._config.get("pipeline_type", "sample")
        self._record_identifier: str | None = self._config.get("record_identifier")
        self._output_dir: str | None = self._config.get("output_dir")
        self.force_overwrite: bool = self._config.get("force_overwrite", True)
        self.result_formatter: ResultFormatter = result_formatter
        # Kept with what is reported, where a call does not give a source of its own.
        self.source: Mapping[str, Any] | None = None

    # Life

    @property
    def store(self) -> Store:
        """The store itself: every operation with the errors and models of the specification."""
        return self._store

    def close(self) -> None:
        """Release what the backend holds; a second call does nothing."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Which record is meant

    def _resolve_level(self, level: str | None) -> Level:
        if level is None:
            return self._level
        for known in LEVELS:
            if level == known:
                return known
        raise PipelineTypeNotSuppliedError(
            f"level {shorten(level)!r} is not one of {', '.join(LEVELS)}", level=level
        )

    def _key(self, record_identifier: str | None, level: str | None = None) -> RecordKey:
        """Return the key that arguments and defaults name; raises MissingConfigDataError."""
        resolved = self._resolve_level(level)
        if record_identifier is None:
            record_identifier = self._record_identifier
            # The default of a sample manager is a sample: it does not name a project record.
            if resolved == "project" and (record_identifier is None or self._level != "project"):
                record_identifier = self._store.settings.project_name
        if record_identifier is None:
            raise MissingConfigDataError(
                "no record is named",
                hint="give record_identifier (-r), or set PIPESTAT_RECORD_IDENTIFIER",
            )
        return RecordKey(resolved, record_identifier)

    # Settable

    @property
    def record_identifier(self) -> str | None:
        """The record that calls without one mean; at project level the project's name."""
        if self._record_identifier is None and self._level == "project":
            return self._store.settings.project_name
        return self._record_identifier

    @record_identifier.setter
    def record_identifier(self, value: str | None) -> None:
        self._record_identifier = value

    @property
    def output_dir(self) -> str | None:
        """The folder that relative paths of files refer to, where the store has none."""
        return self._output_dir

    @output_dir.setter
    def output_dir(self, value: str | os.PathLike[str] | None) -> None:
        self._output_dir = None if value is None else os.fspath(value)

    # Told by the configuration

    @property
    def config_path(self) -> str | None:
        """The configuration file, or None."""
        return str(self._config.path) if self._config.path else None

    @property
    def pipeline_name(self) -> str:
        """The namespace of the results."""
        return self._store.namespace

    @property
    def project_name(self) -> str | None:
        """The project's name as it was given, or None."""
        name: str | None = self._config.get("project_name")
        return name

    @property
    def pipeline_type(self) -> Level:
        """The level that calls without one mean: sample or project."""
        return self._level

    @property
    def file(self) -> str | None:
        """The results file, or None for a backend that has none.

        Where each record has a file of its own it is that of `record_identifier`, if one is set.
        """
        return results_file(self._store, self.record_identifier)

    def folder(self, record_identifier: str | None = None, level: str | None = None) -> str:
        """Return the folder where relative paths of a record's files start (PS-REC-005).

        It need not exist yet; that of a remote results file is a URL.
        """
        return record_folder(self._store, self._key(record_identifier, level).identifier)

    @property
    def db_url(self) -> str | None:
        """The database's URL without its password, or None for a backend that has none."""
        return getattr(self._store.backend, "url", None)

    @property
    def validate_results(self) -> bool:
        """Whether values are checked against the output schema before they are stored."""
        return self._store.validate

    @property
    def additional_properties(self) -> bool:
        """Whether results that the schema does not name are stored."""
        if self._store.additional_properties is not None:
            return self._store.additional_properties
        schema = self._store.level_schema(self._level)
        return schema is None or schema.additional_properties is not False

    # Told by the schemas

    @property
    def schema(self) -> OutputSchema | None:
        """The output schema, or None."""
        return self._store.settings.schema

    @property
    def schema_path(self) -> str | None:
        """Where the output schema was read from, or None."""
        path: str | None = self._config.get("schema_path")
        return path

    @property
    def result_schemas(self) -> dict[str, JSONValue]:
        """What the output schema says of each result of this level, as its author wrote it."""
        return self.all_result_schemas.get(self._level, {})

    @property
    def all_result_schemas(self) -> dict[str, dict[str, JSONValue]]:
        """The same for both levels, by level; a level without results is left out."""
        levels = self.schema.levels if self.schema else {}
        return {
            level: {name: dict(result.declared) for name, result in schema.results.items()}
            for level, schema in levels.items()
            if schema.results
        }

    @property
    def highlighted_results(self) -> list[str]:
        """The results of this level that the output schema highlights."""
        return list(self.schema.highlighted_results(self._level)) if self.schema else []

    @property
    def status_schema(self) -> dict[str, dict[str, Any]]:
        """The defined statuses with description and colour."""
        return self._store.settings.statuses.as_dict()

    @property
    def status_schema_source(self) -> str:
        """Where the status schema was read from; "default" for the built-in one."""
        return self._store.settings.statuses.source or "default"

    # Told by the store

    @property
    def record_count(self) -> int:
        """How many records this level has."""
        return self._store.count(self._level)

    @property
    def data(self) -> dict[str, dict[str, dict[str, JSONValue]]]:
        """All records: namespace, level, record, results with their `meta`."""
        levels = (
            LEVELS if Capability.PROJECT_LEVEL in self._store.backend.capabilities else LEVELS[:1]
        )
        return {
            self.pipeline_name: {
                level: {r.key.identifier: _with_meta(r) for r in self._store.scan(level)}
                for level in levels
            }
        }

    def __str__(self) -> str:
        where = self.file or self.db_url or type(self._store.backend).__name__
        lines = [
            f"{type(self).__name__} ({self.pipeline_name})",
            f"Store: {where}",
            f"Pipeline type: {self.pipeline_type}",
            f"Records: {self.record_count}",
            f"Output schema: {self.schema_path or 'none'}",
            f"Status schema: {self.status_schema_source}",
        ]
        for level, results in self.all_result_schemas.items():
            if results:
                lines.append(f"Results of the {level} level: " + ", ".join(results))
        return "\n".join(lines)


def _with_meta(record: Record) -> dict[str, JSONValue]:
    meta: dict[str, JSONValue] = {}
    if record.created:
        meta["created"] = format_utc(record.created)
    if record.modified:
        meta["modified"] = format_utc(record.modified)
    if record.status is not None:
        meta["status"] = record.status
    if record.status_message is not None:
        meta["status_message"] = record.status_message
    if record.source is not None:
        meta["source"] = dict(record.source)
    return {**record.results, "meta": meta}
