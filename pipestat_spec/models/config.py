"""The configuration: its keys and what is set (spec/configuration.md).

One table, `KEYS`, says all: the type of each key, whether it is a path or an address, and
the environment variable that stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

__all__ = [
    "KEYS",
    "LOOPER_KEYS",
    "STORE_KEYS",
    "Config",
    "ConfigKey",
    "Namer",
    "looper_file_name",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
Kind: TypeAlias = Literal[
    "string", "path", "address", "boolean", "count", "mapping", "level", "layout"
]
# Who named the store, by which its other settings are judged too.
Namer: TypeAlias = Literal["arguments", "configuration", "environment"]


class ConfigKey(NamedTuple):
    """One key: what its value is, what it is for, and its environment variable."""

    kind: Kind
    description: str
    environment: str | None = None


KEYS: dict[str, ConfigKey] = {
    "schema_path": ConfigKey("path", "output schema: a file or a URL", "PIPESTAT_RESULTS_SCHEMA"),
    "status_schema_path": ConfigKey("path", "status schema file", "PIPESTAT_STATUS_SCHEMA"),
    "results_file_path": ConfigKey(
        "address",
        "results file, which may hold {record_identifier}, or the address of another store",
        "PIPESTAT_RESULTS_FILE",
    ),
    "flag_file_dir": ConfigKey("path", "folder of the status flags"),
    "output_dir": ConfigKey("path", "folder that relative paths of files refer to"),
    "record_identifier": ConfigKey("string", "default record", "PIPESTAT_RECORD_IDENTIFIER"),
    "pipeline_name": ConfigKey("string", "namespace of the results", "PIPESTAT_PIPELINE_NAME"),
    "project_name": ConfigKey("string", "record of the project level", "PIPESTAT_PROJECT_NAME"),
    "pipeline_type": ConfigKey("level", "sample or project", "PIPESTAT_PIPELINE_TYPE"),
    "backend": ConfigKey("string", "name of the storage plugin"),
    "layout": ConfigKey("layout", "records or levels"),
    "multi_pipelines": ConfigKey("boolean", "allow several namespaces in one store"),
    "validate_results": ConfigKey("boolean", "check results against the schema"),
    "additional_properties": ConfigKey("boolean", "store results that the schema does not name"),
    "force_overwrite": ConfigKey("boolean", "replace different values of earlier reports"),
    "history_limit": ConfigKey(
        "count", "how many former values of each result are kept", "PIPESTAT_HISTORY_LIMIT"
    ),
    "unsafe_writes": ConfigKey("boolean", "write where concurrent writers can lose results"),
    "storage_options": ConfigKey("mapping", "options of a remote file system"),
    "pephub_path": ConfigKey("string", "PEPhub registry path namespace/project:tag"),
    "pephub_url": ConfigKey("string", "address of the PEPhub API"),
    "database": ConfigKey("mapping", "database connection, or sqlite_url"),
    "database_only": ConfigKey("boolean", "accepted for pipestat's sake; has no effect"),
    "sample_name": ConfigKey("string", "older name of record_identifier", "PIPESTAT_SAMPLE_NAME"),
}

# Each names a store; of several the first decides.
STORE_KEYS = ("results_file_path", "pephub_path", "database")

# A looper configuration's own keys, which its pipestat section may carry along.
LOOPER_KEYS = frozenset(
    {
        "amend",
        "config_file",
        "dry_run",
        "pep_config",
        "pipeline_interfaces",
        "sample_table",
        "sel_attr",
        "sel_incl",
        "sel_excl",
        "looper",
        "pipestat",
        "cli",
        "compute",
    }
)


def looper_file_name(pipeline_name: str) -> str:
    """Return what looper calls the configuration that it makes for a pipeline."""
    return f"pipestat_config_{pipeline_name}.yaml"


class Config(NamedTuple):
    """Checked settings by key, the sections of plugins by name, and the file they stand in.

    `is_found`: nobody named the file, it is the nearest one. `store_from` is set when sources
    were merged. Neither repr shows a value: a database section may hold a password.
    """

    values: Mapping[str, Any] = _NOTHING
    sections: Mapping[str, Mapping[str, Any]] = _NOTHING
    path: str | None = None
    is_found: bool = False
    store_from: Namer | None = None

    def __repr__(self) -> str:
        return f"Config({self.path})"

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key of `KEYS`, or `default` when no source sets it."""
        assert key in KEYS, key
        value = self.values.get(key)
        return default if value is None else value
