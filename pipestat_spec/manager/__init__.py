"""`PipestatManager`: configuration to store, with the interface that pipelines know."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pipestat_spec.backend import Capability
from pipestat_spec.domain.values import results_mapping
from pipestat_spec.errors import (
    IncompatibleClassError,
    RecordNotFoundError,
    ResultConflictError,
)
from pipestat_spec.formatters import ResultFormatter
from pipestat_spec.logs import logger
from pipestat_spec.manager.outputs import RecordOutputs
from pipestat_spec.manager.record_copy import RecordCopy
from pipestat_spec.manager.record_run import RecordRun
from pipestat_spec.many_objects import collection_paused
from pipestat_spec.models.change import Change
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from pipestat_spec.ingest import IngestReport, Progress

__all__ = [
    "PipestatDualManager",
    "PipestatManager",
    "ProjectPipestatManager",
    "SamplePipestatManager",
]


class PipestatManager(RecordOutputs):
    """Reports and retrieves the results and the status of one pipeline's records.

    Every setting may come from an argument, from `config_file`, from the environment, or from
    the nearest `pipestat.yaml`, in that order (spec/configuration.md). The arguments are the keys
    of a configuration (docs/configuration.md), and besides:

    - `config_file`: the path of the configuration
    - `config_dict`: what such a file says, as a mapping
    - `backend`: the name of a backend, where the other settings do not imply it
    - `result_formatter`: makes the text that `report` returns for each result

    The store need not be there yet. A manager is also a context manager that closes the store,
    and a mapping of the records of its level: `psm["s1"]` reads, `psm["s1"] = {...}` reports,
    `del`, `in`, `len` and iteration work.

    Raises NoBackendSpecifiedError when no setting names a store, MissingConfigDataError and
    SchemaError for a wrong setting or schema, and PipestatStartupError for a store that cannot be
    used.

        psm = PipestatManager(results_file_path="results.yaml", schema_path="schema.yaml")
        with psm.record("sample1") as run:
            run.report(reads=1200)
    """

    @classmethod
    def from_file_backend(
        cls,
        results_file_path: str | os.PathLike[str],
        schema_path: str | os.PathLike[str] | None = None,
        record_identifier: str | None = None,
        pipeline_name: str | None = None,
        pipeline_type: str = "sample",
        project_name: str | None = None,
        flag_file_dir: str | os.PathLike[str] | None = None,
        validate_results: bool | None = None,
        additional_properties: bool | None = None,
        multi_pipelines: bool = False,
    ) -> Self:
        """Return a manager of a YAML results file; raises what the constructor raises."""
        return cls(
            results_file_path=results_file_path,
            schema_path=schema_path,
            record_identifier=record_identifier,
            pipeline_name=pipeline_name,
            pipeline_type=pipeline_type,
            project_name=project_name,
            flag_file_dir=flag_file_dir,
            validate_results=validate_results,
            additional_properties=additional_properties,
            multi_pipelines=multi_pipelines,
        )

    @classmethod
    def from_config(
        cls,
        config: str | os.PathLike[str] | Mapping[str, Any],
        pipeline_type: str | None = None,
        multi_pipelines: bool = False,
    ) -> Self:
        """Return a manager of what a configuration, a file or a mapping, says.

        Raises what the constructor raises.
        """
        if isinstance(config, Mapping):
            return cls(
                config_dict=config, pipeline_type=pipeline_type, multi_pipelines=multi_pipelines
            )
        return cls(config_file=config, pipeline_type=pipeline_type, multi_pipelines=multi_pipelines)

    @classmethod
    def from_db_backend(
        cls,
        config: str | os.PathLike[str] | Mapping[str, Any],
        pipeline_type: str | None = None,
        multi_pipelines: bool = False,
    ) -> Self:
        """Return a manager of the database that a configuration names; as `from_config`."""
        return cls.from_config(config, pipeline_type, multi_pipelines)

    @classmethod
    def from_pephub_backend(
        cls,
        pephub_path: str,
        schema_path: str | os.PathLike[str] | None = None,
        pipeline_name: str | None = None,
        pipeline_type: str = "sample",
    ) -> Self:
        """Return a manager of a PEPhub project, `namespace/project:tag`.

        PEPhub is not asked before the store is used. Raises what the constructor raises.
        """
        return cls(
            pephub_path=pephub_path,
            schema_path=schema_path,
            pipeline_name=pipeline_name,
            pipeline_type=pipeline_type,
        )

    @classmethod
    def from_snakemake(cls, snakemake: Any, record: str | None = None, **settings: Any) -> Self:
        """Return a manager for the job of a Snakemake `script:`; `record` makes its record.

        `record` is an expression over the wildcards, by default that of the logger plugin, or
        `{sample}`, where the rule has its wildcards. The configuration is the rule's
        `params.pipestat`, else `config["pipestat"]`, else that of the logger plugin, else what
        the settings, the environment and the nearest `pipestat.yaml` say. Raises
        MissingConfigDataError.
        """
        from pipestat_spec.engines.snakemake import job_settings, job_source

        manager = cls(**job_settings(snakemake, record, settings))
        if Capability.SOURCE in manager.store.rules.capabilities:
            manager.source = job_source(snakemake)
        return manager

    @classmethod
    def from_looper(
        cls,
        config: str | os.PathLike[str] | None = None,
        pipeline_name: str | None = None,
        pipeline_type: str | None = None,
        record_identifier: str | None = None,
        *,
        pipeline_interface: str | os.PathLike[str] | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> Self:
        """Return the manager that looper has of a pipeline, or that looper's jobs open.

        `config` is looper's configuration, by default the nearest `.looper.yaml`. The
        pipeline's configuration file is written, or refreshed, as `looper-config` does. The
        level is `sample` where the interface has a command for it. `pipeline_name` is needed
        when there are several pipelines. Raises MissingConfigDataError.
        """
        from pipestat_spec.engines.looper import choose_config, looper_configs, write_config

        interfaces = () if pipeline_interface is None else (pipeline_interface,)
        chosen = choose_config(looper_configs(config, interfaces, output_dir), pipeline_name)
        for text in write_config(chosen).attention:
            logger().warning("%s: %s", chosen.path, text)
        return cls(
            config_file=chosen.path,
            pipeline_type=pipeline_type or chosen.levels[0],
            record_identifier=record_identifier,
            **{"multi_pipelines": True, **settings},
        )

    # Writing

    def report(
        self,
        values: Mapping[str, Any],
        record_identifier: str | None = None,
        force_overwrite: bool | None = None,
        result_formatter: ResultFormatter | None = None,
        strict_type: bool = True,
        history_enabled: bool = True,
        level: str | None = None,
        *,
        source: Mapping[str, Any] | None = None,
    ) -> list[str] | bool:
        """Store results of one record, `{result: value}`, all or none; return one text for each.

        Returns False, and stores nothing, when a different value is stored already and
        overwriting is off: `force_overwrite`, by default that of the manager. `strict_type=False`
        converts values to the declared types and stores what came out. `history_enabled=False`
        forgets replaced values. `source` says where the results come from, as an object. Raises
        SchemaValidationErrorDuringReport for a value that does not fit the output schema,
        ColumnNotFoundError for a result that a closed schema does not name,
        InvalidValueError for one that is none of the data model, InvalidIdentifierError for a wrong
        name and RecordNotNamedError without a record.
        """
        key = self._opened.resolve_key(record_identifier, level)
        values = results_mapping(values)
        overwrite = self.force_overwrite if force_overwrite is None else force_overwrite
        try:
            done = self.store.report(
                key,
                values,
                overwrite=overwrite,
                history=history_enabled,
                strict=strict_type,
                source=self.source if source is None else source,
            )
        except ResultConflictError as error:
            logger().warning("%s", error)
            return False
        return self._formatted(key, values, done.after, result_formatter)

    def _report_in_run(
        self, key: RecordKey, values: Mapping[str, Any], source: Mapping[str, Any] | None
    ) -> list[str]:
        """Report as `report` does; but a conflict is raised, so that it ends the run."""
        done = self.store.report(key, values, overwrite=self.force_overwrite, source=source)
        return self._formatted(key, values, done.after, None)

    @collection_paused()
    def report_many(
        self,
        values: Mapping[str, Mapping[str, Any]] | Iterable[tuple[str, Mapping[str, Any]]],
        force_overwrite: bool | None = None,
        strict_type: bool = True,
        history_enabled: bool = True,
        level: str | None = None,
    ) -> list[str] | bool:
        """Store results of many records in one write.

        `values` is `{record: {result: value}}`, or yields pairs of such, which need not be in
        memory all at once; of one record there may be several. All are checked before any is
        stored. Returns like `report`.
        """
        overwrite = self.force_overwrite if force_overwrite is None else force_overwrite
        todo: list[tuple[RecordKey, Change]] = []
        reported: list[tuple[str, ...]] = []
        # Most records have the same results.
        known: dict[tuple[str, ...], tuple[str, ...]] = {}
        for record_identifier, given in _pairs(values):
            key = self._opened.resolve_key(record_identifier, level)
            results = results_mapping(given)
            change = self.store.rules.report(
                key,
                results,
                overwrite=overwrite,
                history=history_enabled,
                strict=strict_type,
                source=self.source,
            )
            todo.append((key, change))
            names = tuple(results)
            reported.append(known.setdefault(names, names))
        try:
            done = self.store.apply(todo)
        except ResultConflictError as error:
            logger().warning("%s", error)
            return False
        return [
            text
            for (key, _), names, one in zip(todo, reported, done, strict=True)
            for text in self._formatted(key, names, one.after, None)
        ]

    def _formatted(
        self,
        key: RecordKey,
        values: Iterable[str],
        record: Record | None,
        formatter: ResultFormatter | None,
    ) -> list[str]:
        formatter = formatter or self.result_formatter
        stored = record.results if record else {}
        pipeline, identifier = self.pipeline_name, key.identifier
        return [
            formatter(pipeline, identifier, name, stored[name]) for name in values if name in stored
        ]

    def remove(
        self,
        record_identifier: str | None = None,
        result_identifier: str | None = None,
        level: str | None = None,
    ) -> bool:
        """Remove one result, or the whole record when none is named.

        The value of a removed result goes to the history; a record goes with its history.
        Returns False when there is no such record or result.
        """
        key = self._opened.resolve_key(record_identifier, level)
        try:
            if result_identifier is None:
                self.store.remove_record(key)
            else:
                self.store.remove_result(key, result_identifier)
        except RecordNotFoundError as error:
            logger().warning("%s", error)
            return False
        return True

    def remove_record(
        self, record_identifier: str | None = None, rm_record: bool | None = False
    ) -> bool | None:
        """Remove a record with its status and history; without `rm_record` nothing happens.

        Returns True, False when there is no such record, or None without `rm_record`.
        """
        if not rm_record:
            logger().warning("nothing was removed: remove_record asks for rm_record=True")
            return None
        return self.remove(record_identifier)

    def set_status(
        self,
        status_identifier: str,
        record_identifier: str | None = None,
        level: str | None = None,
        *,
        message: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        """Set the status of a record, with a `message` that says why and its `source`.

        The record need not be there. Raises UnrecognizedStatusError for a status that the status
        schema does not define.
        """
        self.store.set_status(
            self._opened.resolve_key(record_identifier, level),
            status_identifier,
            message,
            self.source if source is None else source,
        )

    def clear_status(
        self,
        record_identifier: str | None = None,
        flag_names: list[str] | None = None,
        level: str | None = None,
    ) -> list[str]:
        """Take the status of a record away; return it in a list, empty when there was none.

        With `flag_names` only a status that is among them is taken away. Raises
        UnrecognizedStatusError for one that is not defined.
        """
        key = self._opened.resolve_key(record_identifier, level)
        if flag_names is not None:
            for name in flag_names:
                self.store.settings.statuses.check(name)
            record = self.store.read(key)
            if record is None or record.status not in flag_names:
                return []
        status = self.store.clear_status(key)
        return [] if status is None else [status]

    def record(
        self,
        record_identifier: str | None = None,
        level: str | None = None,
        *,
        running: str = "running",
        completed: str = "completed",
        failed: str = "failed",
        source: Mapping[str, Any] | None = None,
    ) -> RecordRun:
        """Return a context manager, or decorator, that keeps the status of one record's run.

        The status is `running` on entry, `completed` on exit, or `failed` with the text of
        the exception, which passes on. The three names are statuses of the status schema; raises
        UnrecognizedStatusError for others.
        """
        key = self._opened.resolve_key(record_identifier, level)
        source = self.source if source is None else source
        return RecordRun(self.store, self._report_in_run, key, running, completed, failed, source)

    def check(
        self, values: Mapping[str, Any], strict_type: bool = True, level: str | None = None
    ) -> dict[str, Any]:
        """Return the values as `report` would store them, and store nothing; raises as it does."""
        resolved = self._opened.resolve_level(level)
        prepared = self.store.rules.prepare(resolved, values, strict=strict_type)
        return dict(prepared.values)

    def ingest(
        self,
        documents: Iterable[Any],
        *,
        overwrite: bool = True,
        keep_going: bool = False,
        path_prefixes: Sequence[tuple[str, str]] = (),
        progress: Progress | None = None,
    ) -> IngestReport:
        """Store what report documents say, given as paths, mappings or models.

        All are checked before any is stored. Raises DocumentError, whose `problems` name
        every wrong one, and ResultConflictError with `overwrite` off (spec/documents.md).
        """
        from pipestat_spec.ingest import ingest

        return ingest(
            self.store,
            documents,
            overwrite=overwrite,
            keep_going=keep_going,
            path_prefixes=path_prefixes,
            progress=progress,
        )

    # As a mapping of records

    def __getitem__(self, record_identifier: str) -> dict[str, Any]:
        """Return the record's results; what is assigned to them is refused, since it is a copy."""
        return RecordCopy(self.retrieve_one(record_identifier))

    def __setitem__(self, record_identifier: str, values: Mapping[str, Any]) -> None:
        self.report(values, record_identifier)

    def __delitem__(self, record_identifier: str) -> None:
        if not self.remove(record_identifier):
            raise RecordNotFoundError(f"record {record_identifier!r} is not stored")

    def __iter__(self) -> Iterator[str]:
        return (record.key.identifier for record in self.store.scan(self.pipeline_type))

    def __len__(self) -> int:
        return self.count_records()

    def __bool__(self) -> bool:
        # An empty store is still a manager: `if psm:` must not depend on its records.
        return True

    def __contains__(self, record_identifier: object) -> bool:
        return isinstance(record_identifier, str) and (
            self.store.read(self._opened.resolve_key(record_identifier)) is not None
        )


def _pairs(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield the records of `report_many` with their results; raises IncompatibleClassError."""
    if hasattr(values, "keys"):
        values = results_mapping(values).items()
    for number, pair in enumerate(values, 1):
        if not (isinstance(pair, Sequence) and len(pair) == 2 and not isinstance(pair, str)):
            raise IncompatibleClassError(
                f"item {number}: {shorten(repr(pair))} is no pair of a record and its results",
                hint="give {'record': {'name': value}}, or pairs ('record', {'name': value})",
            )
        yield pair[0], pair[1]


class SamplePipestatManager(PipestatManager):
    """A manager of the sample level; its arguments are those of PipestatManager."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "pipeline_type": "sample"})


class ProjectPipestatManager(PipestatManager):
    """A manager of the project level; its record is the project.

    Its arguments are those of PipestatManager.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "pipeline_type": "project"})


class PipestatDualManager:
    """A manager of each level over one store: `sample` and `project`.

    Its arguments are those of PipestatManager.
    """

    _sample_manager: ClassVar[type[PipestatManager]] = SamplePipestatManager
    _project_manager: ClassVar[type[PipestatManager]] = ProjectPipestatManager

    def __init__(self, **settings: Any) -> None:
        self.sample = self._sample_manager(**settings)
        self.project = self._project_manager(**{**settings, "record_identifier": None})

    def close(self) -> None:
        """Release what both hold."""
        self.sample.close()
        self.project.close()
