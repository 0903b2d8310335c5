"""A manager's settings under the names that programs read in pipestat's `cfg`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipestat_spec.compat.places import flag_folder
from pipestat_spec.configuration import load_config_document
from pipestat_spec.errors import UnsupportedOperation
from pipestat_spec.models.config import Config

if TYPE_CHECKING:
    from pipestat_spec.manager import PipestatManager

__all__ = ["Settings", "WrittenConfig"]

# What a manager's property tells, by the name in `cfg`.
_PROPERTIES = {
    "_db_url": "db_url",
    "_file": "file",
    "_output_dir": "output_dir",
    "_pipeline_type": "pipeline_type",
    "_result_formatter": "result_formatter",
    "_sample_name": "record_identifier",
    "_schema": "schema",
    "_schema_path": "schema_path",
    "_status_schema": "status_schema",
    "_status_schema_source": "status_schema_source",
    "additional_properties": "additional_properties",
    "config_path": "config_path",
    "force_overwrite": "force_overwrite",
    "pipeline_name": "pipeline_name",
    "project_name": "project_name",
    "record_identifier": "record_identifier",
    "validate_results": "validate_results",
}
_SETTABLE = ("_output_dir", "_result_formatter", "force_overwrite", "record_identifier")
# What the configuration tells.
_CONFIGURED: dict[str, Callable[[Config], Any]] = {
    "_database_only": lambda config: config.get("database_only", False),
    "_multi_pipelines": lambda config: config.get("multi_pipelines", False),
    "multi_result_files": lambda config: None,
    "pephub_path": lambda config: config.get("pephub_path"),
    "unresolved_result_path": lambda config: config.get("results_file_path"),
}


class Settings(Mapping[str, Any]):
    """A live view: what is set on the manager shows here, and the other way round."""

    def __init__(
        self, manager: PipestatManager, config: Config, given: Mapping[str, Any] | None
    ) -> None:
        self._manager = manager
        self._config = config
        self._document = WrittenConfig(config, given)

    def __getitem__(self, key: str) -> Any:
        if key in _PROPERTIES:
            return getattr(self._manager, _PROPERTIES[key])
        if key in _CONFIGURED:
            return _CONFIGURED[key](self._config)
        if key == "_config":
            return self._document
        if key == "_status_file_dir":
            return flag_folder(self._config, self._manager.file)
        raise KeyError(key)

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in _SETTABLE:
            raise UnsupportedOperation(
                f"cfg[{key!r}] cannot be set here",
                hint=f"what can be set is {', '.join(_SETTABLE)}; give the rest to the constructor",
            )
        setattr(self._manager, _PROPERTIES[key], value)

    def __iter__(self) -> Iterator[str]:
        return iter((*_PROPERTIES, *_CONFIGURED, "_config", "_status_file_dir"))

    def __len__(self) -> int:
        return len(_PROPERTIES) + len(_CONFIGURED) + 2


class WrittenConfig(Mapping[str, Any]):
    """The configuration as it was written; its repr shows no value, one may be a password."""

    def __init__(self, config: Config, given: Mapping[str, Any] | None) -> None:
        self._config = config
        self._given = given

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """What the file or the mapping says, as it stands there."""
        if self._given is not None:
            return dict(self._given)
        if self._config.path is None:
            return {}
        return dict(load_config_document(self._config.path) or {})

    @property
    def exp(self) -> dict[str, Any]:
        """The same with variables expanded and paths made absolute."""
        values = {**self._config.sections, **self._config.values}
        return {key: values.get(key, value) for key, value in self.data.items()}

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)
