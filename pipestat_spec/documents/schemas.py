"""Output schemas and status schemas as documents (SPEC.md sections 4 and 6).

Both are checked by the parsers that the run time uses. Their JSON Schemas say as much of
the same as that language can, for editors and for other implementations.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from pipestat_spec.documents.fields import (
    IDENTIFIER_SCHEMA,
    RESULT_IDENTIFIER_SCHEMA,
    checked,
)
from pipestat_spec.models.identifiers import RESERVED
from pipestat_spec.models.record import Level
from pipestat_spec.models.schema.output_schema import LevelSchema, OutputSchema, parse_output_schema
from pipestat_spec.models.schema.status_schema import StatusSchema, parse_status_schema
from pipestat_spec.models.schema.types import JSON_TYPES, OBJECT_TYPES

__all__ = ["OutputSchemaDocument", "StatusSchemaDocument"]

# The rule of `parse_status_schema`, as JSON Schema says it.
_STATUS = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_SECTIONS: dict[Level, str] = {"sample": "samples", "project": "project"}


class StatusDefinitionDocument(BaseModel):
    """What a status means, and the colour that it is shown in."""

    model_config = ConfigDict(frozen=True, title="Status")

    description: str
    color: Annotated[
        list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=3, max_length=3)
    ] = Field(description="red, green, blue")


class StatusSchemaDocument(RootModel[dict[str, StatusDefinitionDocument]]):
    """The statuses that a run can have, by identifier."""

    model_config = ConfigDict(
        frozen=True,
        title="Status schema",
        json_schema_extra={"minProperties": 1, "propertyNames": {"pattern": _STATUS}},
    )

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, document: Any) -> Any:
        return checked(parse_status_schema)(document).as_dict()

    def to_status_schema(self) -> StatusSchema:
        """Return the statuses as the run time holds them."""
        return parse_status_schema(self.model_dump())


class OutputSchemaDocument(RootModel[dict[str, Any]]):
    """The results that a pipeline reports, in any of the four forms."""

    model_config = ConfigDict(frozen=True, title="Output schema")

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, document: Any) -> Any:
        checked(parse_output_schema)(document)
        return document

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the JSON Schema of all forms; it is one piece and takes no settings."""
        about = {"title": cls.model_config["title"], "description": cls.__doc__}
        return {**about, **_any_form()}

    def to_output_schema(self, source: str | None = None) -> OutputSchema:
        """Return the schema as the run time holds it."""
        return parse_output_schema(self.root, source)

    @classmethod
    def from_output_schema(cls, schema: OutputSchema) -> Self:
        """Return the document in the JSON Schema form, whatever form it was written in."""
        properties: dict[str, Any] = {}
        if schema.pipeline_name is not None:
            properties["pipeline_name"] = schema.pipeline_name
        for level, section in _SECTIONS.items():
            if schema.levels[level].results or level == "sample":
                properties[section] = _section(schema.levels[level])
        if schema.status is not None:
            properties["status"] = schema.status.as_dict()
        about = {"title": schema.title, "description": schema.description}
        document = {key: text for key, text in about.items() if text is not None}
        definitions = {
            key: schema.document[key] for key in ("$defs", "definitions") if key in schema.document
        }
        return cls({**document, "type": "object", "properties": properties, **definitions})


def _section(level: LevelSchema) -> dict[str, Any]:
    section: dict[str, Any] = {
        "type": "object",
        "properties": {name: result.declared for name, result in level.results.items()},
    }
    if level.additional_properties is not True:
        section["additionalProperties"] = (
            level.additional.declared if level.additional else level.additional_properties
        )
    if level.required:
        section["required"] = list(level.required)
    return section


def _any_form() -> dict[str, Any]:
    """Return the schema of all forms; `properties`, or a section, tells which one it is."""
    is_object = {"type": "object"}
    sections = {section: _ref("Section") for section in _SECTIONS.values()}
    parts = {"pipeline_name": IDENTIFIER_SCHEMA, **sections, "status": _ref("StatusSection")}
    one_section = {"anyOf": [{"required": [section]} for section in sections]}
    not_a_result = {"anyOf": [_holds(key) for key in sections]}
    parted = {"if": one_section, "then": {"properties": parts}, "else": _ref("ResultsAtTop")}
    return {
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
    definition = StatusSchemaDocument.model_json_schema()
    entry = definition.pop("$defs")["StatusDefinitionDocument"]
    kept = {key: definition[key] for key in ("type", "minProperties", "propertyNames")}
    section = {**kept, "additionalProperties": entry}
    wrapped = {"type": "object", "properties": {"properties": section}, "required": ["properties"]}
    return {"anyOf": [section, wrapped]}
