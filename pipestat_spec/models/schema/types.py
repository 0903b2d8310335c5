"""The types of results: JSON's, `file` and `image` (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from pipestat_spec.errors import SchemaError
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "JSON_TYPES",
    "OBJECT_TYPES",
    "QC",
    "VALIDATION_KEYWORDS",
    "SchemaPath",
    "admitted_types",
    "declared_types",
    "is_result_definition",
    "json_type",
    "schema_error",
]

# The keyword of QC rules, at a result or a level; `pipestat_spec.models.schema.qc` reads them.
QC = "qc"
# The keys and indexes that lead to a place in the document.
SchemaPath = tuple[str, ...]


def schema_error(
    source: str | None, path: SchemaPath, problem: str, hint: str | None = None
) -> SchemaError:
    """Return the error for what stands at `path`; `source` is the file or address."""
    inside = shorten(".".join(path), 200)
    where = f"{source or 'output schema'}: {inside}: " if path else f"{source or 'output schema'}: "
    return SchemaError(where + problem, hint=hint, source=source, path=inside)


JSON_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
# Shorthands for objects; the properties of each and those that must be there.
OBJECT_TYPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "file": (("path", "title"), ("path", "title")),
    "image": (("path", "title", "thumbnail_path"), ("path", "title")),
}

# Every keyword of JSON Schema 2020-12 (and of its vocabulary before) that can refuse a
# value. All others describe; `format` does, since it is not asserted.
# fmt: off
VALIDATION_KEYWORDS = frozenset((
    "$ref", "additionalItems", "additionalProperties", "allOf", "anyOf", "const", "contains",
    "dependencies", "dependentRequired", "dependentSchemas", "else", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "if", "items", "maxContains", "maxItems", "maxLength", "maxProperties",
    "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf",
    "not", "oneOf", "pattern", "patternProperties", "prefixItems", "properties", "propertyNames",
    "required", "then", "type", "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
))
# fmt: on

# What authors write for a type, and what they mean.
_MEANT = {
    **dict.fromkeys(("int", "long", "bigint", "count", "int64"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "real", "numeric", "percent"), "number"),
    **dict.fromkeys(("str", "text", "char", "varchar", "url", "uri"), "string"),
    **dict.fromkeys(("date", "datetime", "time", "timestamp"), "string"),
    **dict.fromkeys(("bool", "flag", "logical"), "boolean"),
    **dict.fromkeys(("list", "tuple", "set", "sequence", "vector"), "array"),
    **dict.fromkeys(("dict", "map", "mapping", "hash", "struct", "record"), "object"),
    **dict.fromkeys(("none", "nil", "nonetype", "na"), "null"),
    **dict.fromkeys(("figure", "plot", "picture", "img", "png", "thumbnail"), "image"),
}
_PATHS = frozenset(("path", "link", "filepath", "filename", "directory", "folder", "dir"))


def is_result_definition(value: object) -> bool:
    """Tell whether `value` defines a result, and not something that holds results."""
    return isinstance(value, Mapping) and (
        isinstance(value.get("type"), str | list)
        or isinstance(value.get("$ref"), str)
        or any(isinstance(value.get(key), list) for key in ("anyOf", "oneOf", "allOf", "enum"))
        or ("const" in value and not isinstance(value["const"], Mapping))
    )


def declared_types(declared: object, source: str | None, path: SchemaPath) -> tuple[str, ...]:
    """Return the types that a `type` keyword names; raises SchemaError for an unknown one.

    A null in a list of types means the type `null`: YAML reads it so without quotes.
    """
    if isinstance(declared, str):
        return (_known(declared, source, path),)
    if isinstance(declared, list | tuple) and declared:
        names = ("null" if item is None else item for item in declared)
        return tuple(dict.fromkeys(_known(name, source, path) for name in names))
    hint = "write type: 'null' in quotes" if declared is None else "name a type or a list of types"
    raise schema_error(source, path, f"{shorten(repr(declared))} is not a type", hint)


def _known(name: object, source: str | None, path: SchemaPath) -> str:
    if isinstance(name, str) and (name in JSON_TYPES or name in OBJECT_TYPES):
        return name
    problem = f"{shorten(repr(name))} is not a type"
    every = (*JSON_TYPES, *OBJECT_TYPES)
    if not isinstance(name, str):
        raise schema_error(source, path, problem, "types are " + ", ".join(every))
    plain = name.strip().lower()
    if plain in _PATHS:
        raise schema_error(
            source, path, problem, "write string, or file for an object with path and title"
        )
    meant = plain if plain in every else _MEANT.get(plain) or nearest(plain, every)
    hint = f"write {meant}" if meant else "types are " + ", ".join(every)
    raise schema_error(source, path, problem, hint)


def json_type(value: object) -> str:
    """Return the type of a canonical value; a whole number is `number` when it is a double."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list | tuple) else "object"


def admitted_types(
    schema: object, definitions: Mapping[str, Any], seen: frozenset[str] = frozenset()
) -> frozenset[str] | None:
    """Return the JSON types that a self-contained schema admits at its top, or None: any.

    `type`, `$ref`, `allOf`, `anyOf` and `oneOf` are looked at, and where they tell nothing
    `enum` and `const`. `definitions` maps references to what they lead to.
    """
    if not isinstance(schema, Mapping):
        return frozenset() if schema is False else None
    parts: list[frozenset[str] | None] = []
    if "type" in schema:
        declared = schema["type"]
        parts.append(frozenset((declared,) if isinstance(declared, str) else declared))
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        parts.append(admitted_types(definitions.get(reference), definitions, seen | {reference}))
    parts += [admitted_types(b, definitions, seen) for b in _listed(schema, "allOf")]
    for keyword in ("anyOf", "oneOf"):
        if branches := _listed(schema, keyword):
            parts.append(_union([admitted_types(b, definitions, seen) for b in branches]))
    known = [part for part in parts if part is not None]
    if known:
        return reduce(_common, known)
    values = _listed(schema, "enum") or [schema[key] for key in ("const",) if key in schema]
    return frozenset(map(json_type, values)) or None


def _listed(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _union(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


def _common(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    both = left & right
    # An integer is a number: `integer` here and `number` there leave `integer`.
    if ("integer" in left and "number" in right) or ("number" in left and "integer" in right):
        return both | {"integer"}
    return both
