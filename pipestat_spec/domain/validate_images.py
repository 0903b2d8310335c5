"""`thumbnail` of an image is stored as `thumbnail_path` (SPEC.md section 4).

The published specification uses both names for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipestat_spec.models.output_schema import ResultSchema
from pipestat_spec.models.record import JSONValue
from pipestat_spec.models.result_schema import in_place

__all__ = ["with_thumbnail_paths"]


def with_thumbnail_paths(value: JSONValue, schema: ResultSchema) -> JSONValue:
    """Return `value` with the key renamed wherever the schema says image, at any depth.

    An image whose schema declares a property `thumbnail` keeps it, and so does one that has
    both keys.
    """
    return _renamed(value, [schema.schema], schema.definitions)


def _renamed(
    value: JSONValue, schemas: Iterable[object], definitions: Mapping[str, Any]
) -> JSONValue:
    if not isinstance(value, dict | list):
        return value
    applied = in_place(schemas, definitions)
    if not applied:
        return value
    if isinstance(value, list):
        return [
            _renamed(item, [s for part in applied for s in _of_item(part, index)], definitions)
            for index, item in enumerate(value)
        ]
    is_image = any(part.get("object_type") == "image" for part in applied)
    declared = any("thumbnail" in part.get("properties", {}) for part in applied)
    if is_image and not declared and "thumbnail" in value and "thumbnail_path" not in value:
        value = {
            "thumbnail_path" if key == "thumbnail" else key: item for key, item in value.items()
        }
    return {
        key: _renamed(item, [s for part in applied for s in _of_property(part, key)], definitions)
        for key, item in value.items()
    }


def _of_item(schema: Mapping[str, Any], index: int) -> list[object]:
    first = schema.get("prefixItems", [])
    return [first[index] if index < len(first) else schema.get("items")]


def _of_property(schema: Mapping[str, Any], name: str) -> list[object]:
    found = [s for s in (schema.get("properties", {}).get(name),) if s is not None]
    patterns = schema.get("patternProperties", {})
    found += [s for pattern, s in patterns.items() if re.search(pattern, name)]
    return found or [schema.get("additionalProperties")]
