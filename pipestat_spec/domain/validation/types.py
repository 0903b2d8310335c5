"""The type rule of a value, and how a refusal reads (spec/core.md and schema.md)."""

from __future__ import annotations

import json
from collections.abc import Collection

from pipestat_spec.errors import InvalidTypeError
from pipestat_spec.json_values import MAX_INTEGER, MIN_INTEGER, JSONValue
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.models.schema.types import JSON_TYPES, json_type
from pipestat_spec.text.strings import shorten

__all__ = [
    "as_admitted_type",
    "describe_types",
    "found_instead_of",
    "in_range",
    "show",
    "type_error",
]


def as_admitted_type(value: JSONValue, schema: ResultSchema) -> JSONValue:
    """Return `value` as its result's type has it; raises InvalidTypeError.

    For a result declared exactly `number` an integer becomes a double, and is refused when
    no double equals it; for one declared exactly `integer` a whole number becomes an
    integer. All others are stored as given.
    """
    kind = json_type(value)
    if kind == "integer" and schema.exact_type == "number":
        if float(value) != value:
            raise type_error(schema, value, "no double equals it", "declare the result as integer")
        kind, value = "number", float(value)
    elif kind == "number" and schema.exact_type == "integer" and value.is_integer():
        if not in_range(int(value)):
            raise type_error(schema, value, "it is outside the signed 64-bit range")
        kind, value = "integer", int(value)
    types = schema.types
    # JSON Schema sees an integer as a number, and a whole number as an integer.
    if types is None or kind in types or (kind == "integer" and "number" in types):
        return value
    if kind == "number" and "integer" in types and value.is_integer():
        return value
    raise type_error(schema, value)


def in_range(value: int) -> bool:
    """Tell whether the data model holds this integer."""
    return MIN_INTEGER <= value <= MAX_INTEGER


def type_error(
    schema: ResultSchema, value: JSONValue, reason: str | None = None, hint: str | None = None
) -> InvalidTypeError:
    """Return the refusal of a value of the wrong type."""
    wanted = wanted_of(schema)
    problem = f"{show(value)} is {found_instead_of(value, wanted)}"
    if reason:
        problem = f"{show(value)} cannot be stored as {wanted}: {reason}"
    return InvalidTypeError(
        f"result {schema.identifier!r}: {problem}",
        hint=hint,
        result_identifier=schema.identifier,
        value=value,
        schema=schema.declared,
        path=(),
    )


def found_instead_of(value: JSONValue, wanted: str) -> str:
    """Return `a string, not an integer` and the like."""
    return (
        f"not {wanted}" if value is None else f"{describe_types((json_type(value),))}, not {wanted}"
    )


def wanted_of(schema: ResultSchema) -> str:
    """Return what a result wants, in words."""
    types = schema.types or frozenset()
    if schema.object_type and "object" in types:
        others = [f" or {describe_types(types - {'object'})}"] if len(types) > 1 else []
        article = "an" if schema.object_type == "image" else "a"
        shape = f"{article} {schema.object_type} (an object with path and title)"
        return shape + "".join(others)
    return describe_types(types)


def describe_types(types: Collection[str]) -> str:
    """Return `an integer or null` and the like."""
    names = (name for name in (*JSON_TYPES[1:], "null") if name in types)
    with_article = (
        name if name == "null" else f"{'an' if name[0] in 'aio' else 'a'} {name}" for name in names
    )
    return " or ".join(with_article) or "of any type that the schema admits"


def show(value: JSONValue) -> str:
    """Return a value for messages: a string in quotes, all else as JSON, shortened."""
    return shorten(
        repr(value)
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=str)
    )
