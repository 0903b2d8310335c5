"""The two names of an image's thumbnail become one (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipestat_spec.domain.validation.engine import of_item, of_key
from pipestat_spec.domain.validation.types import show
from pipestat_spec.errors import SchemaValidationErrorDuringReport
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.models.schema.result_schema import in_place

__all__ = ["with_thumbnail_paths"]


def with_thumbnail_paths(value: JSONValue, schema: ResultSchema) -> JSONValue:
    """Return `value` with the key renamed wherever the schema says image, at any depth.

    Both keys with one value become one; raises SchemaValidationErrorDuringReport when the
    values differ.
    """
    return _renamed(value, [schema.schema], schema)


def _renamed(value: JSONValue, schemas: Iterable[object], schema: ResultSchema) -> JSONValue:
    if not isinstance(value, dict | list):
        return value
    applied = in_place(schemas, schema.definitions)
    if not applied:
        return value
    if isinstance(value, list):
        return [
            _renamed(item, [of_item(part, index) for part in applied], schema)
            for index, item in enumerate(value)
        ]
    if "thumbnail" in value and any(part.get("object_type") == "image" for part in applied):
        value = _with_one_thumbnail(value, schema)
    return {
        key: _renamed(item, [s for part in applied for s in of_key(part, key)], schema)
        for key, item in value.items()
    }


def _with_one_thumbnail(image: dict[str, Any], schema: ResultSchema) -> dict[str, Any]:
    thumbnail = image["thumbnail"]
    path = image.get("thumbnail_path", thumbnail)
    if not same_value(path, thumbnail):
        raise SchemaValidationErrorDuringReport(
            f"result {schema.identifier!r}: thumbnail is {show(thumbnail)} and thumbnail_path is "
            f"{show(path)}",
            hint="they are two names of one thing: give thumbnail_path alone",
            result_identifier=schema.identifier,
            value=image,
            schema=schema.declared,
        )
    return {"thumbnail_path" if key == "thumbnail" else key: v for key, v in image.items()}
