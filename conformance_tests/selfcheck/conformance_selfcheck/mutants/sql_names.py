"""Names, types and texts of SQL tables, as spec/sql.md says them; for SQLite."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipestat_conformance.special_values import parse_json

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.schema.output_schema import ResultSchema

__all__ = [
    "SIZES",
    "SYSTEM",
    "TYPES",
    "cell_of",
    "column_time",
    "cut",
    "fits",
    "json_text",
    "kind_of",
    "quoted",
    "read_cell",
    "type_kind",
]

TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE PRECISION",
    "string": "TEXT",
    "boolean": "BOOLEAN",
    "json": "JSON TEXT",
}
# What a column takes of a row, where it is not 24 bytes.
SIZES = {"integer": 16, "number": 16, "boolean": 1}
SYSTEM: Mapping[str, str] = {
    "id": "INTEGER PRIMARY KEY",
    "record_identifier": "TEXT NOT NULL",
    "project_name": "TEXT",
    "pipeline_name": "TEXT",
    "status": "TEXT",
    "pipestat_created_time": "TEXT",
    "pipestat_modified_time": "TEXT",
    "pipestat_extended_data": "JSON TEXT",
    "meta": "JSON TEXT",
}


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def cut(name: str) -> str:
    """Return the other name that PS-SQL-010 gives."""
    prefix = name.encode()[:46].decode("utf-8", "ignore")
    return f"{prefix}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def kind_of(result: ResultSchema) -> str:
    """Return the kind of a declared result's column."""
    exact = result.exact_type
    return exact if exact is not None and exact in TYPES else "json"


def type_kind(declared: str) -> str:
    """Return the kind that a column in a database has."""
    type = declared.upper()
    if "JSON" in type:
        return "json"
    kinds = {"BOOLEAN": "boolean", "DOUBLE PRECISION": "number", "FLOAT": "number"}
    return kinds.get(type, "integer" if "INT" in type else "string")


def fits(kind: str, value: Any) -> bool:
    """Tell whether a column gives back exactly this value; SQLite loses negative zeros."""
    if kind == "number":
        return type(value) is float and (value != 0 or math.copysign(1, value) > 0)
    types = {"integer": int, "string": str, "boolean": bool}
    return kind == "json" or type(value) is types[kind]


def cell_of(kind: str, value: Any) -> Any:
    """Return what stands in a column for a value that fits."""
    return json_text(value) if kind == "json" else value


def read_cell(kind: str, cell: Any) -> Any:
    """Return the value of a cell that is not NULL; raises PipestatDataError."""
    if kind == "json":
        try:
            return parse_json(cell)
        except (TypeError, ValueError) as error:
            raise PipestatDataError(f"no JSON text: {cell!r}") from error
    return bool(cell) if kind == "boolean" else cell


def json_text(value: Any) -> str:
    """Return JSON text."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def column_time(time: datetime) -> str:
    """Return a time as it stands in a column."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
