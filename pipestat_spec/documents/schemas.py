"""The JSON Schemas of the files that people write: configurations, output and status schemas.

Their readers stand on the path of every report and use no pydantic (docs/adr/0003), so there
is no model to make these from. They say as much of the readers' rules as JSON Schema can, for
editors and for other implementations; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

from pipestat_spec.documents.fields import IDENTIFIER_SCHEMA, RESULT_IDENTIFIER_SCHEMA
from pipestat_spec.models.config import KEYS, LAYOUTS, LOOPER_KEYS, Kind
from pipestat_spec.models.identifiers import RESERVED
from pipestat_spec.models.record import LEVELS
from pipestat_spec.models.schema.types import JSON_TYPES, OBJECT_TYPES

__all__ = ["configuration", "output_schema", "status_schema"]

# Variables stand for any of these as text.
_VALUES: dict[Kind, dict[str, Any]] = {
    "string": {"type": ["string", "number", "null"]},
    "path": {"type": ["string", "null"]},
    "boolean": {"type": ["boolean", "string", "null"]},
    "mapping": {"type": ["object", "null"]},
    "level": {"enum": [*LEVELS, None]},
    "layout": {"enum": [*LAYOUTS, None]},
}


def configuration() -> dict[str, Any]:
    """Return the schema of a configuration, made from the table of its keys."""
    properties: dict[str, Any] = {
        name: {"description": key.description, **_VALUES[key.kind]} for name, key in KEYS.items()
    }
    for name in sorted(LOOPER_KEYS - KEYS.keys()):
        properties[name] = {"description": "a key of looper's own, passed over"}
    return {
        "title": "Configuration",
        "description": "Settings by key, and the sections of backends by name.",
        "type": "object",
        "properties": properties,
        # The section of a backend stands under its name.
        "additionalProperties": {"type": "object"},
    }


def status_schema() -> dict[str, Any]:
    """Return the schema of a status schema."""
    return {
        "title": "Status schema",
        "description": "The statuses that a run can have, by identifier.",
        **_statuses(),
    }


def _statuses() -> dict[str, Any]:
    channel = {"type": "integer", "minimum": 0, "maximum": 255}
    color = {
        "description": "red, green, blue",
        "type": "array",
        "items": channel,
        "minItems": 3,
        "maxItems": 3,
    }
    status = {
        "title": "Status",
        "description": "What a status means, and the colour that it is shown in.",
        "type": "object",
        "properties": {"description": {"type": "string"}, "color": color},
        "required": ["description", "color"],
    }
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
        "additionalProperties": status,
    }


def output_schema() -> dict[str, Any]:
    """Return the schema of an output schema; `properties`, or a section, tells which form it is."""
    is_object = {"type": "object"}
    sections = {section: _ref("Section") for section in ("samples", "project")}
    parts = {"pipeline_name": IDENTIFIER_SCHEMA, **sections, "status": _ref("StatusSection")}
    one_section = {"anyOf": [{"required": [section]} for section in sections]}
    not_a_result = {"anyOf": [_holds(key) for key in sections]}
    parted = {"if": one_section, "then": {"properties": parts}, "else": _ref("ResultsAtTop")}
    return {
        "title": "Output schema",
        "description": "The results that a pipeline reports, in any of the four forms.",
        "type": "object",
        "if": {"properties": {"properties": is_object}, "required": ["properties"]},
        "then": {"properties": {"properties": parted}},
        "else": {
            "if": not_a_result,
            "then": {"properties": parts},
            "else": _ref("ResultsAtTop"),
        },
        "$defs": {
            "ResultsAtTop": _results_at_top(),
            "Type": {"enum": [*JSON_TYPES, *OBJECT_TYPES]},
            "Schema": _schema(),
            "Result": {"allOf": [_ref("Schema"), {"type": "object", "anyOf": _IS_RESULT}]},
            "Results": {
                "type": "object",
                "propertyNames": RESULT_IDENTIFIER_SCHEMA,
                "additionalProperties": _ref("Result"),
            },
            "Section": _section_schema(),
            "StatusSection": _status_section(),
        },
    }


_IS_RESULT: list[dict[str, Any]] = [
    {"required": [key]} for key in ("type", "$ref", "enum", "const", "anyOf", "oneOf", "allOf")
]


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _holds(section: str) -> dict[str, Any]:
    """Say that a key is a section with results, and not a result of that name."""
    inside = {"anyOf": [{"required": ["properties"]}, {"required": ["items"]}]}
    plain = {"type": "object", "not": {"anyOf": _IS_RESULT}}
    return {"properties": {section: {"anyOf": [inside, plain]}}, "required": [section]}


def _results_at_top() -> dict[str, Any]:
    """Return the schema of results at the top; what defines nothing is about the document."""
    definition = {"type": "object", "anyOf": _IS_RESULT}
    reserved: dict[str, Any] = {name: {"not": definition} for name in RESERVED}
    about = {"pipeline_name": IDENTIFIER_SCHEMA, "status": _ref("StatusSection")}
    return {
        "properties": {**reserved, **about, "definitions": True, "additionalProperties": True},
        "patternProperties": {r"^(\$defs$|x-)": True},
        "additionalProperties": {"if": definition, "then": _ref("Result")},
    }


def _schema() -> dict[str, Any]:
    """Return what a schema inside a result may be: JSON Schema with `file` and `image`."""
    many = {"type": "array", "items": _ref("Schema")}
    named = {"type": "object", "additionalProperties": _ref("Schema")}
    types = {"type": "array", "minItems": 1, "items": {"anyOf": [_ref("Type"), {"type": "null"}]}}
    return {
        "type": ["object", "boolean"],
        "properties": {
            "type": {"anyOf": [_ref("Type"), types]},
            "description": {"description": "what the result is"},
            "highlight": {"type": "boolean", "description": "show it first"},
            "index": {"type": "boolean", "description": "make searching by it fast"},
            "object_type": {"description": "file or image, for an object that is one"},
            "properties": named,
            "items": {"anyOf": [_ref("Schema"), many]},
            **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), many),
            **{key: _ref("Schema") for key in ("additionalProperties", "not")},
            "$defs": named,
        },
    }


def _section_schema() -> dict[str, Any]:
    """Return the schema of `samples` and `project`, nested as in JSON Schema or flat."""
    about: dict[str, Any] = {
        key: {} for key in ("additionalProperties", "description", "required", "title")
    }
    inside = {"properties": {"properties": _ref("Results")}}
    nested = {"anyOf": [{"required": [key]} for key in ("properties", "items", "$ref", "type")]}
    return {
        "type": ["object", "null"],
        "if": nested,
        "then": {"properties": {"properties": _ref("Results"), "items": inside}},
        "else": {
            "propertyNames": RESULT_IDENTIFIER_SCHEMA,
            "properties": about,
            "additionalProperties": _ref("Result"),
        },
    }


def _status_section() -> dict[str, Any]:
    statuses = _statuses()
    wrapped = {"type": "object", "properties": {"properties": statuses}, "required": ["properties"]}
    return {"anyOf": [statuses, wrapped]}
