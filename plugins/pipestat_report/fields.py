"""What the report says about each result: from the output schema, else from the values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema

__all__ = ["describe_fields"]

_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def describe_fields(
    level: LevelSchema | None, columns: Mapping[str, Iterable[Any]]
) -> list[dict[str, Any]]:
    """Return a description of each declared result and of each one found, declared ones first.

    Highlighted results lead, the order is the schema's. `columns` has the values by result.
    """
    declared = dict(level.results) if level else {}
    ordered = sorted(declared.values(), key=lambda result: not result.highlight)
    described = [_declared(result, columns.get(result.identifier, ())) for result in ordered]
    for name in columns:
        if name not in declared:
            described.append({"name": name, "kind": _kind_of(columns[name])})
    return described


def _declared(result: ResultSchema, values: Iterable[Any]) -> dict[str, Any]:
    schema = result.schema
    field: dict[str, Any] = {
        "name": result.identifier,
        "kind": _declared_kind(result) or _kind_of(values),
        "declared": True,
    }
    if result.highlight:
        field["highlight"] = True
    for key, text in (("title", result.title), ("description", result.description)):
        if text:
            field[key] = text
    limits = {key: schema[key] for key in ("enum", "minimum", "maximum") if key in schema}
    if limits:
        field["limits"] = limits
    properties = schema.get("properties")
    if result.object_type is None and isinstance(properties, Mapping) and properties:
        field["keys"] = {
            str(name): part.get("type") if isinstance(part, Mapping) else None
            for name, part in properties.items()
        }
    return field


def _declared_kind(result: ResultSchema) -> str | None:
    if result.object_type:
        return result.object_type
    types = (result.types or frozenset()) - {"null"}
    if types == {"integer", "number"}:
        return "number"
    return next(iter(types)) if len(types) == 1 else None


def _kind_of(values: Iterable[Any]) -> str:
    """Return the type that all values have, `mixed` when they differ or there is none."""
    found = {_TYPES.get(type(value), "mixed") for value in values if value is not None}
    if found == {"integer", "number"}:
        return "number"
    return found.pop() if len(found) == 1 else "mixed"
