"""The operations of pipestat's backends that other programs call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipestat_spec.compat.places import flag_folder
from pipestat_spec.text.file_names import encode_component

if TYPE_CHECKING:
    from pipestat_spec.manager import PipestatManager
    from pipestat_spec.models.config import Config

__all__ = ["Operations"]

# What is one with the manager's method of that name.
_SAME = frozenset(
    "clear_status count_records get_status link list_projects pipeline_name pipeline_type remove "
    "remove_record report select_distinct select_records set_status status_schema".split()
)


class Operations:
    """What programs ask `manager.backend` for; each does what the manager does."""

    def __init__(self, manager: PipestatManager, config: Config) -> None:
        self._manager = manager
        self._config = config

    def __getattr__(self, name: str) -> Any:
        if name in _SAME:
            return getattr(self._manager, name)
        raise AttributeError(
            f"pipestat_spec stands in for pipestat here, and its backend has no {name!r}; "
            "the manager has methods for what programs need"
        )

    @property
    def results_file_path(self) -> str | None:
        """The results file, None for a store that has none."""
        return self._manager.file

    @property
    def status_file_dir(self) -> str | None:
        """The folder of the status flags, None for a store that has none."""
        return flag_folder(self._config, self._manager.file)

    def list_results(
        self, restrict_to: Sequence[str] | None = None, record_identifier: str | None = None
    ) -> list[str]:
        """Return the names of a record's results, those of `restrict_to` where it is given."""
        if not self.check_record_exists(record_identifier):
            return []
        record = self._manager.retrieve_one(record_identifier)
        names = [name for name in record if name != "record_identifier"]
        return names if restrict_to is None else [name for name in restrict_to if name in names]

    def check_record_exists(self, record_identifier: str | None = None) -> bool:
        """Tell whether a record is stored."""
        return (record_identifier or self._manager.record_identifier) in self._manager

    def check_result_exists(
        self, result_identifier: str, record_identifier: str | None = None
    ) -> bool:
        """Tell whether a record has a result."""
        return result_identifier in self.list_results(None, record_identifier)

    def get_status_flag_path(
        self, status_identifier: str, record_identifier: str | None = None
    ) -> str | None:
        """Return where the flag of a status is, or would be."""
        if self.status_file_dir is None:
            return None
        record = record_identifier or self._manager.record_identifier or ""
        parts = (encode_component(name) for name in (self._manager.pipeline_name, record))
        return os.path.join(self.status_file_dir, "_".join((*parts, f"{status_identifier}.flag")))
