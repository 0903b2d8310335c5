"""`pipestat.const` of the drop-in: the constants that mean something here."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from pipestat_spec.compat.absent import refuse_name
from pipestat_spec.models.config import KEYS
from pipestat_spec.models.record import DEFAULT_PIPELINE_NAME  # noqa: F401
from pipestat_spec.models.schema.types import OBJECT_TYPES as _OBJECT_TYPES

PKG_NAME = "pipestat"

# Keys of a manager's `cfg`
CONFIG_KEY = "_config"
DB_ONLY_KEY = "_database_only"
DB_URL = "_db_url"
FILE_KEY = "_file"
MULTI_PIPELINE = "_multi_pipelines"
OUTPUT_DIR = "_output_dir"
PIPELINE_NAME = "pipeline_name"
PIPELINE_TYPE = "_pipeline_type"
PROJECT_NAME = "project_name"
RECORD_IDENTIFIER = "record_identifier"
RESULT_FORMATTER = "_result_formatter"
SAMPLE_NAME_ID_KEY = "_sample_name"
SCHEMA_KEY = "_schema"
SCHEMA_PATH = "_schema_path"
STATUS_FILE_DIR = "_status_file_dir"
STATUS_SCHEMA_KEY = "_status_schema"
STATUS_SCHEMA_SOURCE_KEY = "_status_schema_source"

# Keys of configurations, pipeline interfaces and schemas
CFG_DATABASE_KEY = "database"
OUTPUT_SCHEMA_KEY = "output_schema"
SCHEMA_DESC_KEY = "description"
SCHEMA_ITEMS_KEY = "items"
SCHEMA_PROP_KEY = "properties"
SCHEMA_TYPE_KEY = "type"

# Keys and columns of stored records
CREATED_TIME = "pipestat_created_time"
DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
EXTENDED_DATA = "pipestat_extended_data"
HISTORY_KEY = "history"
ID_KEY = "id"
META_KEY = "meta"
MODIFIED_TIME = "pipestat_modified_time"
SAMPLE_NAME = "sample_name"
STATUS = "status"

CFG_SCHEMA = str(files("pipestat_spec") / "schemas" / "config.schema.json")
OBJECT_TYPES = ["object", *_OBJECT_TYPES, "array"]
CANONICAL_TYPES = {
    name: {
        "type": "object",
        "properties": {key: {"type": "string"} for key in keys},
        "required": list(required),
    }
    for name, (keys, required) in _OBJECT_TYPES.items()
}
CLASSES_BY_TYPE: dict[str, Any] = {
    "object": dict,
    "number": float,
    "integer": int,
    "string": str,
    "path": Path,
    "boolean": bool,
    "bool": bool,
    "file": str,
    "image": str,
    "link": str,
    "array": list[dict],  # type: ignore[type-arg]
}
ENV_VARS = {
    "config": "PIPESTAT_CONFIG",
    **{
        name: KEYS[key].environment
        for name, key in {
            "project_name": "project_name",
            "results_file": "results_file_path",
            "schema": "schema_path",
            "status_schema": "status_schema_path",
            "sample_name": "sample_name",
            "record_identifier": "record_identifier",
            "pipeline_type": "pipeline_type",
        }.items()
    },
}

__all__ = [name for name in globals() if name.isupper() and name[0] != "_" and name != "KEYS"]

_INSIDE = "it belongs to the inside of pipestat"
_LATER = "the report brings its own"
_ABSENT = {
    **dict.fromkeys(("DATA_KEY", "DB_COLUMN_KEY", "DB_ENGINE_KEY", "DB_ORMS_KEY"), _INSIDE),
    **dict.fromkeys(("LOCK_PREFIX", "PIPESTAT_GENERIC_CONFIG", "PROFILE_COLNAMES"), _INSIDE),
    **dict.fromkeys(("APPEARANCE_BY_FLAG", "BUTTON_APPEARANCE_BY_FLAG"), _LATER),
    **dict.fromkeys(("NO_DATA_PLACEHOLDER", "TEMPLATES_DIRNAME"), _LATER),
    "STATUS_SCHEMA": "read the statuses from a manager's status_schema",
}


def __getattr__(name: str) -> Any:
    refuse_name(__name__, name, _ABSENT)
