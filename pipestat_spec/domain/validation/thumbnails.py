"""The two names of an image's thumbnail become one (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipestat_spec.domain.validation.engine import matches
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
            _renamed(item, [s for part in applied for s in _of_item(part, index)], schema)
            for index, item in enumerate(value)
        ]
    if "thumbnail" in value and any(part.get("object_type") == "image" for part in applied):
        value = _with_one_thumbnail(value, schema)
    return {
        key: _renamed(item, [s for part in applied for s in _of_property(part, key)], schema)
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


def _of_item(schema: Mapping[str, Any], index: int) -> list[object]:
    first = schema.get("prefixItems", [])
    return [first[index] if index < len(first) else schema.get("items")]


def _of_property(schema: Mapping[str, Any], name: str) -> list[object]:
    found = [s for s in (schema.get("properties", {}).get(name),) if s is not None]
    patterns = schema.get("patternProperties", {})
    found += [s for pattern, s in patterns.items() if matches(pattern, name)]
    return found or [schema.get("additionalProperties")]
