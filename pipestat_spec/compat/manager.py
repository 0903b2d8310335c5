"""The managers as pipelines, looper and pypiper know them from pipestat."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cached_property, wraps
from logging import getLogger
from typing import Any, ParamSpec, TypeVar

from pipestat_spec import manager
from pipestat_spec.compat.cfg import Settings
from pipestat_spec.compat.flags import Flag, flags_of_others, only_status
from pipestat_spec.compat.operations import Operations
from pipestat_spec.compat.places import create_results_file, flag_folder
from pipestat_spec.compat.rules import DropInRules, LenientRules
from pipestat_spec.compat.values import as_file_result
from pipestat_spec.domain.times import LOCAL_FORMAT
from pipestat_spec.formatters import ResultFormatter
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.opening import NEW_LAYOUT
from pipestat_spec.text.file_names import encode_component

__all__ = [
    "PipestatDualManager",
    "PipestatManager",
    "ProjectPipestatManager",
    "SamplePipestatManager",
    "get_file_for_table",
]

# The folders of links that one command of looper has made: it asks again for each sample.
LINKED: ContextVar[dict[object, str] | None] = ContextVar("LINKED", default=None)

P = ParamSpec("P")
T = TypeVar("T")


def _with_signature_of(
    function: Callable[P, T],
) -> Callable[[Callable[..., Any]], Callable[P, T]]:
    """Give a method the signature of the one that it takes the place of."""

    def decorate(method: Callable[..., Any]) -> Callable[P, T]:
        decorated: Callable[P, T] = wraps(function, assigned=())(method)
        return decorated

    return decorate


class PipestatManager(manager.PipestatManager):
    """A manager with what other programs read of pipestat's besides its interface.

    What is new is stored in the layout that pipestat knows, and a new results file is there
    as soon as its manager is.
    """

    @_with_signature_of(manager.PipestatManager.__init__)
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        # To pipestat an empty setting is none; an empty record it refuses, as we do.
        settings = {
            name: None if value == "" and name != "record_identifier" else value
            for name, value in settings.items()
        }
        token = NEW_LAYOUT.set("levels")
        try:
            super().__init__(*arguments, **settings)
        finally:
            NEW_LAYOUT.reset(token)
        # pipestat validates where the schema is an argument, and nowhere else.
        schema = arguments[0] if arguments else settings.get("schema_path")
        is_open = schema is None and self._opened.config.get("validate_results") is None
        self.store.rules = (LenientRules if is_open else DropInRules).of(self.store.rules)
        self._given: Mapping[str, Any] | None = settings.get("config_dict")
        create_results_file(self._opened.config, self.file, self.pipeline_name)

    # Read by looper and pypiper

    @cached_property
    def cfg(self) -> Settings:
        """The settings under pipestat's names."""
        return Settings(self, self._opened.config, self._given)

    @cached_property
    def backend(self) -> Operations:
        """The operations that pipestat's backends have."""
        return Operations(self, self._opened.config)

    @property
    def all_result_schemas(self) -> dict[str, dict[str, JSONValue]]:
        """What the output schema says of each result, for both levels."""
        return {"sample": {}, "project": {}, **super().all_result_schemas}

    # As pipestat's methods answer

    @_with_signature_of(manager.PipestatManager.report)
    def report(self, values: Mapping[str, Any], *arguments: Any, **settings: Any) -> Any:
        """Store results of one record; without validation, paths of files become file results."""
        if not self.validate_results:
            values = {name: as_file_result(name, value) for name, value in values.items()}
        return super().report(values, *arguments, **settings)

    def _formatted(
        self,
        key: RecordKey,
        values: Iterable[str],
        record: Record | None,
        formatter: ResultFormatter | None,
    ) -> list[str]:
        chosen: Any = formatter or self.result_formatter

        def by_name(
            pipeline_name: str, record_identifier: str, res_id: str, value: JSONValue
        ) -> str:
            text: str = chosen(
                pipeline_name=pipeline_name,
                record_identifier=record_identifier,
                res_id=res_id,
                value=value,
            )
            return text

        return super()._formatted(key, values, record, by_name)

    def get_status(
        self, record_identifier: str | None = None, level: str | None = None
    ) -> str | None:
        """Return the status of a record, also one that is not defined, from a flag.

        As in pipestat, several flags are no answer: raises SeveralStatusesError.
        """
        known = super().get_status(record_identifier, level)
        identifier = self._opened.resolve_key(record_identifier, level).identifier
        return only_status(identifier, known, self._flags(identifier), self.status_schema)

    def set_status(
        self,
        status_identifier: str,
        record_identifier: str | None = None,
        level: str | None = None,
        *,
        message: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        """Set the status of a record, and remove its flags of statuses that are not defined."""
        super().set_status(
            status_identifier, record_identifier, level, message=message, source=source
        )
        for flag in self._flags(self._opened.resolve_key(record_identifier, level).identifier):
            if flag.status not in self.status_schema:
                with suppress(FileNotFoundError):
                    os.unlink(flag.path)

    def _flags(self, identifier: str) -> list[Flag]:
        """Return the flags of a record that other programs have made."""
        folder = flag_folder(self._opened.config, self.store.results_file(identifier))
        if folder is None or "://" in folder:
            return []
        return flags_of_others(folder, self.pipeline_name, identifier, self.status_schema)

    def list_recent_results(
        self,
        limit: int | None = 1000,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        time_column: Any = "modified",
        level: str | None = None,
        cursor: str | None = None,
    ) -> Mapping[str, Any]:
        """Return a page of records by time, newest first.

        As in pipestat, `start` is the latest time and `end` the earliest, both local; given
        both, their order does not matter.
        """
        return super().list_recent_results(
            limit, _from_local(end), _from_local(start), time_column, level, cursor
        )

    def table(self, output_dir: str | os.PathLike[str] | None = None) -> list[str]:
        """Write the two summaries, tell looper's user where, and return their paths."""
        paths = super().table(output_dir)
        for path in paths:
            getLogger("looper").info("%s: %s", self.pipeline_name, path)
        return paths

    def link(self, link_dir: str | os.PathLike[str] | None = None, *, copy: bool = False) -> str:
        """Make the folder of links and return it, once for all samples of one looper command."""
        done = LINKED.get()
        key = (self.store.place, self.pipeline_name, self.pipeline_type, link_dir)
        if done is None or key not in done:
            folder = super().link(link_dir, copy=copy)
            if done is None:
                return folder
            done[key] = folder
        return done[key]

    def summarize(
        self,
        looper_samples: Iterable[Any] | None = None,
        amendment: str | None = None,
        portable: bool = False,
        output_dir: str | os.PathLike[str] | None = None,
        mode: str | None = "table",
    ) -> str:
        """Write the report and return its path.

        It is in the folder of pipestat's reports, which `looper destroy` removes.
        """
        folder = get_file_for_table(self, self.pipeline_name, directory="reports")
        if output_dir is not None:
            folder = os.path.join(output_dir, "reports", os.path.basename(folder))
        return super().summarize(looper_samples, amendment, portable, folder, mode)


def get_file_for_table(
    prj: PipestatManager,
    pipeline_name: str,
    appendix: str | None = None,
    directory: str | None = None,
) -> str:
    """Return where a manager puts a summary, or the folder of its reports.

    It is `{folder}/{directory}/{pipeline_name}_{appendix}` in the manager's output folder.
    """
    parts = [encode_component(pipeline_name), *(getattr(prj, "amendments", None) or ()), appendix]
    name = "_".join(part for part in parts if part)
    return os.path.join(prj.output_folder(), directory or "", name)


def _from_local(time: str | datetime | None) -> str | datetime | None:
    """Return pipestat's form of a time, which is local, as UTC; any other form as it is."""
    if not isinstance(time, str):
        return time
    try:
        return datetime.strptime(time, LOCAL_FORMAT).astimezone(UTC)
    except ValueError:
        return time


class SamplePipestatManager(PipestatManager, manager.SamplePipestatManager):
    """A manager of the sample level."""


class ProjectPipestatManager(PipestatManager, manager.ProjectPipestatManager):
    """A manager of the project level; its record is the project."""


class PipestatDualManager(manager.PipestatDualManager):
    """A manager of each level over one store: `.sample` and `.project`."""

    _sample_manager = SamplePipestatManager
    _project_manager = ProjectPipestatManager
