"""`PipestatManager`: configuration to store, with the interface that pipelines know."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pipestat_spec.backend import Capability
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.logs import logger
from pipestat_spec.manager.reading import Reading
from pipestat_spec.manager.writing import Writing

__all__ = [
    "PipestatDualManager",
    "PipestatManager",
    "ProjectPipestatManager",
    "SamplePipestatManager",
]


class PipestatManager(Reading, Writing):
    """Reports and retrieves the results and the status of one pipeline's records.

    Every setting may come from an argument, from `config_file`, or from the environment, in
    that order (SPEC.md section 13). Raises NoBackendSpecifiedError when none names a store.

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
        """Return a manager of a YAML results file."""
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
        """Return a manager of what a configuration, a file or a mapping, says."""
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
        """Return a manager of the database that a configuration names."""
        return cls.from_config(config, pipeline_type, multi_pipelines)

    @classmethod
    def from_pephub_backend(
        cls,
        pephub_path: str,
        schema_path: str | os.PathLike[str] | None = None,
        pipeline_name: str | None = None,
        pipeline_type: str = "sample",
    ) -> Self:
        """Return a manager of a PEPhub project, `namespace/project:tag`."""
        return cls(
            pephub_path=pephub_path,
            schema_path=schema_path,
            pipeline_name=pipeline_name,
            pipeline_type=pipeline_type,
        )

    @classmethod
    def from_snakemake(cls, snakemake: Any, record: str | None = None, **settings: Any) -> Self:
        """Return a manager for the job of a Snakemake `script:`; `record` makes its record.

        `record` is an expression over the wildcards, by default `{sample}` where the rule has
        it. The configuration is the rule's `params.pipestat`, else `config["pipestat"]`, else
        what the settings and the environment say. Raises MissingConfigDataError.
        """
        from pipestat_spec.engines.snakemake import job_settings, job_source

        manager = cls(**job_settings(snakemake, record, settings))
        if Capability.SOURCE in manager.store.backend.capabilities:
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

    def __getitem__(self, record_identifier: str) -> dict[str, Any]:
        result: dict[str, Any] = self.retrieve_one(record_identifier)
        return result

    def __setitem__(self, record_identifier: str, values: Mapping[str, Any]) -> None:
        self.report(values, record_identifier)

    def __delitem__(self, record_identifier: str) -> None:
        if not self.remove(record_identifier):
            raise RecordNotFoundError(f"record {record_identifier!r} is not stored")

    def __iter__(self) -> Iterator[str]:
        return (record.key.identifier for record in self._store.scan(self._level))

    def __len__(self) -> int:
        return self.count_records()

    def __bool__(self) -> bool:
        # An empty store is still a manager: `if psm:` must not depend on its records.
        return True

    def __contains__(self, record_identifier: object) -> bool:
        return isinstance(record_identifier, str) and (
            self._store.read(self._key(record_identifier)) is not None
        )


class SamplePipestatManager(PipestatManager):
    """A manager of the sample level."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "pipeline_type": "sample"})


class ProjectPipestatManager(PipestatManager):
    """A manager of the project level; its record is the project."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "pipeline_type": "project"})


class PipestatDualManager:
    """A manager of each level over one store: `.sample` and `.project`."""

    _sample_manager: ClassVar[type[PipestatManager]] = SamplePipestatManager
    _project_manager: ClassVar[type[PipestatManager]] = ProjectPipestatManager

    def __init__(self, **settings: Any) -> None:
        self.sample = self._sample_manager(**settings)
        self.project = self._project_manager(**{**settings, "record_identifier": None})

    def close(self) -> None:
        """Release what both hold."""
        self.sample.close()
        self.project.close()
