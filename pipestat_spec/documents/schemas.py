"""The JSON Schemas of the files that people write: configurations, output and status schemas.

Their readers stand on the path of every report and use no pydantic (docs/adr/0003), so there
is no model to make these from. They say as much of the readers' rules as JSON Schema can, for
editors and for other implementations; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

from pipestat_spec.configuration import BOOLEANS
from pipestat_spec.documents.fields import IDENTIFIER_SCHEMA, RESULT_IDENTIFIER_SCHEMA
from pipestat_spec.models.config import KEYS, LOOPER_KEYS, Kind
from pipestat_spec.models.layout import LAYOUTS
from pipestat_spec.models.record import LEVELS
from pipestat_spec.models.schema.forms import ABOUT, ADDITIONAL, EMPTY_SECTION, KEYWORDS
from pipestat_spec.models.schema.keywords import ONE_SCHEMA, SCHEMA_LISTS, SCHEMA_MAPS
from pipestat_spec.models.schema.types import JSON_TYPES, OBJECT_TYPES, QC

__all__ = ["configuration", "output_schema", "status_schema"]

# What a file may say in each; a text may hold variables in place of what is meant.
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_WORDS = "|".join("".join(f"[{c}{c.upper()}]" for c in word) for word in BOOLEANS)
_VALUES: dict[Kind, dict[str, Any]] = {
    "string": {"type": ["string", "integer", "null"], "minLength": 1},
    "path": {"type": ["string", "null"]},
    "address": {"type": ["string", "null"]},
    "boolean": {
        "anyOf": [
            {"enum": [True, False, 0, 1, None]},
            {"type": "string", "pattern": f"^({_WORDS})$"},
            _VARIABLE,
        ]
    },
    "count": {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "null"},
            {"type": "string", "pattern": "^[0-9]{1,18}$"},
            _VARIABLE,
        ]
    },
    "mapping": {"type": ["object", "null"]},
    "level": {"anyOf": [{"enum": [*LEVELS, None]}, _VARIABLE]},
    "layout": {"anyOf": [{"enum": [*LAYOUTS, None]}, _VARIABLE]},
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
        "type": ["object", "null"],
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


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _has(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: schema}, "required": [key]}


_SECTIONS = ("samples", "project")
_PREFIX = r"^(\$|x-)"
# No result when it holds results: a section that is misspelt, or indented wrongly.
_SECTION_NAME = "^([Ss][Aa][Mm][Pp][Ll][Ee][Ss]?|[Pp][Rr][Oo][Jj][Ee][Cc][Tt][Ss]?)$"
_RESULT, _DEFINES = _ref("Result"), _ref("Definition")
_DEFINES_NOTHING = {"not": _DEFINES}
_SOME_RESULT = {"not": {"additionalProperties": {"not": _RESULT}}}
_OPEN = _has(ADDITIONAL, {"not": {"const": False}})
_TYPED = _has("type", {"type": ["string", "array"]})
# The results of a section stand in `items`, beside a type, or are its own keys.
_IN_ITEMS = _has("type", {"enum": ["array", ["array"]]})
_IN_ITEMS["properties"]["items"] = {"type": "object", "required": ["properties"]}
_IN_ITEMS["required"].append("items")
_IN_PROPERTIES = {
    **_has("properties", {"not": {"type": "null"}}),
    "anyOf": [_TYPED, _has("properties", _DEFINES_NOTHING)],
}
_NESTED = {"anyOf": [_IN_ITEMS, _IN_PROPERTIES]}


def output_schema() -> dict[str, Any]:
    """Return the schema of an output schema; what it holds tells which of the forms it has."""
    some_section = {"anyOf": [_has(section, {}) for section in _SECTIONS]}
    # Beside what holds the results there must be no other one: it would get lost.
    around = {"properties": {}, ADDITIONAL: {}, **_NAME, "status": _ref("Status")}
    return {
        "title": "Output schema",
        "description": "The results that a pipeline reports, in any of the four forms.",
        "type": "object",
        "if": _has("properties", {"type": "object"}),
        "then": {
            "properties": around,
            "additionalProperties": _DEFINES_NOTHING,
            "if": _has("properties", some_section),
            "then": _has("properties", _sections("Status")),
            "else": _results_in_properties(),
        },
        "else": {"if": _is_flat(), "then": _sections("Statuses"), "else": _minimal()},
        "$defs": {
            "Definition": _definition(),
            "Type": {"enum": [*JSON_TYPES, *OBJECT_TYPES]},
            "Schema": _schema(),
            "Result": {
                "type": "object",
                "anyOf": [_has("type", {}), _has("const", {}), _DEFINES],
                "allOf": [_ref("Schema")],
            },
            "Name": RESULT_IDENTIFIER_SCHEMA,
            "Rules": _rules(),
            "Results": _direct(),
            "Holder": {
                "allOf": [_ref("Rules")],
                **_has("properties", {"type": "object", **_results({})}),
            },
            "Holding": _holding(),
            "Qc": _qc(),
            "Section": _section(),
            "Useful": _useful(),
            "Statuses": _statuses(),
            "Status": {
                "if": _has("properties", {"additionalProperties": _DEFINES_NOTHING}),
                "then": _has("properties", _ref("Statuses")),
                "else": {"allOf": [_DEFINES_NOTHING, _ref("Statuses")]},
            },
        },
    }


_NAME = {"pipeline_name": IDENTIFIER_SCHEMA}


def _definition() -> dict[str, Any]:
    """Tell what defines a result from what holds results."""
    lists = [_has(key, {"type": "array"}) for key in ("anyOf", "oneOf", "allOf", "enum")]
    others = [_has("$ref", {"type": "string"}), _has("const", {"not": {"type": "object"}})]
    return {"anyOf": [_TYPED, *others, *lists]}


def _schema() -> dict[str, Any]:
    """Return what a schema inside a result may be: JSON Schema with `file` and `image`."""
    one, many = _ref("Schema"), {"type": "array", "items": _ref("Schema")}
    named = {"type": "object", "additionalProperties": one}
    types = {"type": "array", "minItems": 1, "items": {"anyOf": [_ref("Type"), {"type": "null"}]}}
    return {
        "type": ["object", "boolean"],
        "properties": {
            "type": {"anyOf": [_ref("Type"), types]},
            "description": {"description": "what the result is"},
            "highlight": {"description": "true: show it first"},
            "index": {"description": "true: make searching by it fast"},
            "atol": {"description": "absolute tolerance of a comparison"},
            "rtol": {"description": "relative tolerance: 0.01 is 1 % of the value before"},
            "better": {"description": "higher or lower: which number is the better one"},
            "object_type": {"description": "file or image, for an object that is one"},
            "qc": {**_ref("Qc"), "description": "at a result: which values are good"},
            "$ref": {"type": "string"},
            "$dynamicRef": False,
            "$recursiveRef": False,
            **dict.fromkeys(sorted(ONE_SCHEMA), one),
            **dict.fromkeys(sorted(SCHEMA_LISTS), many),
            **dict.fromkeys(sorted(SCHEMA_MAPS), named),
            "items": {"anyOf": [one, many]},
        },
    }


def _rules() -> dict[str, Any]:
    """Return what a level may say beside its results."""
    names = {"type": ["array", "object", "null"], "items": {"type": "string"}}
    additional = {"anyOf": [{"type": "boolean"}, _RESULT]}
    checks = {"if": _DEFINES, "else": _ref("Qc")}
    return {"properties": {"required": names, ADDITIONAL: additional, QC: checks}}


def _qc() -> dict[str, Any]:
    """Return the schema of QC rules: a check, or a list of checks."""
    text = {"type": "string", "pattern": r"\S"}
    parts = {
        "fail": {**text, "description": "a filter: such a record is not good"},
        "warn": {**text, "description": "a filter: such a record needs a look"},
        "reason": {**text, "description": "what to tell people then"},
    }
    check = {
        "type": "object",
        "properties": parts,
        "additionalProperties": False,
        "anyOf": [{"required": ["fail"]}, {"required": ["warn"]}],
    }
    return {"anyOf": [check, {"type": "array", "items": check}]}


def _results(others: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of results by their names, beside other keys."""
    return {
        "allOf": [{"patternProperties": {_SECTION_NAME: {"not": _ref("Holding")}}}],
        "propertyNames": {"anyOf": [_ref("Name"), {"enum": [*others]}]},
        "properties": others,
        "additionalProperties": _RESULT,
    }


def _direct() -> dict[str, Any]:
    """Return results among keys that tell something else, unless these define results too."""
    about = {"if": _DEFINES, "then": _RESULT}
    known = {**dict.fromkeys(sorted(ABOUT), about), ADDITIONAL: {}}
    results = _results(known | dict.fromkeys(("pipeline_name", "status"), _DEFINES_NOTHING))
    results["propertyNames"]["anyOf"].append({"pattern": _PREFIX})
    results["allOf"].append(_ref("Rules"))
    return {**results, "patternProperties": {_PREFIX: about}}


def _section() -> dict[str, Any]:
    """Return the schema of `samples` and `project`."""
    empty = {
        **_has("type", {"enum": ["object", ["object"]]}),
        "propertyNames": {"enum": sorted(EMPTY_SECTION)},
    }
    nested = [
        {"if": _IN_ITEMS, "then": _has("items", _ref("Holder"))},
        {"if": _IN_PROPERTIES, "then": _ref("Holder")},
        _ref("Rules"),
    ]
    return {
        "type": ["object", "null"],
        "if": {"anyOf": [{"type": "null"}, *_NESTED["anyOf"]]},
        "then": {"allOf": nested},
        "else": {
            "if": _DEFINES,
            "then": {"allOf": [empty, _ref("Rules")]},
            "else": {"allOf": [_ref("Results")], "not": {"required": ["status"]}},
        },
    }


def _useful() -> dict[str, Any]:
    """Tell a section with results, or one that is open on purpose, from an empty one."""
    some = {"anyOf": [_OPEN, _has("properties", {"minProperties": 1})]}
    in_items = {"allOf": [_IN_ITEMS, _has("items", some)]}
    direct = {"allOf": [_DEFINES_NOTHING, _SOME_RESULT]}
    return {
        "type": "object",
        "if": _NESTED,
        "then": {"anyOf": [some, in_items]},
        "else": {"anyOf": [_OPEN, direct]},
    }


def _sections(status: str) -> dict[str, Any]:
    """Return the schema of what holds the sections."""
    sections = {section: _ref("Section") for section in _SECTIONS}
    return {
        "properties": {**sections, ADDITIONAL: {}, QC: False, **_NAME, "status": _ref(status)},
        "additionalProperties": _DEFINES_NOTHING,
        "anyOf": [_has(section, _ref("Useful")) for section in _SECTIONS],
    }


def _results_in_properties() -> dict[str, Any]:
    """Return the JSON Schema form without sections: `properties` holds the results."""
    results = {**_results({**_NAME, "status": _ref("Status")}), **_DEFINES_NOTHING}
    some = {"anyOf": [_OPEN, _has("properties", _SOME_RESULT)]}
    return {"allOf": [_ref("Rules"), _has("properties", results), some]}


def _is_flat() -> dict[str, Any]:
    """Tell sections with results from results that are called `samples` or `project`."""
    section = {"anyOf": [_DEFINES_NOTHING, _NESTED, _ref("Holding")]}
    return {"anyOf": [_has(key, section) for key in _SECTIONS]}


def _holding() -> dict[str, Any]:
    """Return what holds results as a section does, be it with its indentation lost."""
    member = {"type": "object", "not": {"additionalProperties": _DEFINES_NOTHING}}
    beside = {
        "properties": {key: {} for key in sorted(KEYWORDS)},
        "patternProperties": {_PREFIX: {}},
        "additionalProperties": {"allOf": [_DEFINES_NOTHING, {"not": {"type": "null"}}]},
    }
    lost = {"if": _DEFINES, "then": {"not": beside}, "else": member}
    inside = [_has("properties", member), lost]
    return {"anyOf": [*inside, _has("items", {"anyOf": inside})]}


def _minimal() -> dict[str, Any]:
    """Return the minimal form: the keys at the top are the results."""
    known = {"properties": {**_NAME, "status": _ref("Statuses")}}
    return {"allOf": [_ref("Results"), known], "anyOf": [_OPEN, _SOME_RESULT]}
