"""What the report says about each result: from the output schema, else from the values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from pipestat_spec.tables import column_kind

if TYPE_CHECKING:
    from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema

__all__ = ["describe_fields"]


def describe_fields(
    level: LevelSchema | None, columns: Mapping[str, Collection[Any]]
) -> list[dict[str, Any]]:
    """Return a description of each declared result and of each one found, declared ones first.

    Highlighted results lead, the order is the schema's. `columns` has the values by result.
    """
    declared = dict(level.results) if level else {}
    ordered = sorted(declared.values(), key=lambda result: not result.highlight)
    described = [_declared(result, columns.get(result.identifier, ())) for result in ordered]
    for name in columns:
        if name not in declared:
            described.append({"name": name, "kind": _kind(None, columns[name])})
    return described


def _declared(result: ResultSchema, values: Collection[Any]) -> dict[str, Any]:
    schema = result.schema
    field: dict[str, Any] = {
        "name": result.identifier,
        "kind": _kind(schema, values),
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


def _kind(schema: Mapping[str, Any] | None, values: Collection[Any]) -> str:
    kind = column_kind(schema, values)
    return "mixed" if kind == "any" else kind
