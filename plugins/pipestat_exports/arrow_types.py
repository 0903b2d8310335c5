"""Arrow types of results, from what the output schema says of them.

A place whose type the schema does not tell holds JSON text, also inside a list or a struct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import pyarrow

from pipestat_exports.cells import json_text
from pipestat_exports.dates import date_of, time_of
from pipestat_spec.json_values import JSONValue

__all__ = ["JSON_TEXT", "Form", "Misfit", "declared_form", "plain_form", "time_form"]

# What an Arrow array takes for a value that is neither null nor missing.
Convert: TypeAlias = Callable[[Any], Any]

_TEXTS = ("title", "description", "unit")


class Misfit(Exception):
    """A value is not of the type that its place declares."""


class Form(NamedTuple):
    """The Arrow type of a place, how a value gets it, and what people have to know about it.

    `convert` raises Misfit.
    """

    type: Any
    convert: Convert
    metadata: Mapping[str, str] = {}


def declared_form(schema: Mapping[str, Any] | None) -> Form | None:
    """Return the form that a schema, references followed, declares; None: it tells no type.

    Objects are structs where their properties are declared, and lists need a type of their items.
    """
    if schema is None:
        return None
    told = {key: text for key in _TEXTS if isinstance(text := schema.get(key), str)}
    found = _form_of(_type(schema), schema)
    return found and found._replace(metadata={**told, **found.metadata})


def _type(schema: Mapping[str, Any]) -> str | None:
    """Return the one type of the values of a schema; null may be admitted besides."""
    given = schema.get("type")
    if given is None:
        members = schema.get("enum", [schema["const"]] if "const" in schema else [])
        types = {_CLASSES.get(type(member)) for member in members if member is not None}
    else:
        types = {given} if isinstance(given, str) else set(given)
    types.discard("null")
    if types == {"integer", "number"}:
        return "number"
    return types.pop() if len(types) == 1 else None


_CLASSES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _form_of(name: str | None, schema: Mapping[str, Any]) -> Form | None:
    match name:
        case "string" if schema.get("format") == "date":
            return Form(pyarrow.date32(), _told(date_of))
        case "string" if schema.get("format") == "date-time":
            return time_form()
        case "boolean" | "integer" | "number" | "string":
            return plain_form(name)
        case "array":
            return _list(schema)
        case "object":
            return _struct(schema)
    return None


def plain_form(kind: str) -> Form:
    """Return the form of plain values of one kind, and JSON text for every other kind."""
    match kind:
        case "boolean":
            return Form(pyarrow.bool_(), _of_class(bool))
        case "integer":
            return Form(pyarrow.int64(), _of_class(int))
        case "number":
            return Form(pyarrow.float64(), _number)
        case "string":
            return Form(pyarrow.string(), _of_class(str))
    return JSON_TEXT


def time_form() -> Form:
    """Return the form of times, which are UTC with microseconds."""
    return Form(pyarrow.timestamp("us", tz="UTC"), _told(time_of))


def _list(schema: Mapping[str, Any]) -> Form | None:
    items = schema.get("items")
    if not isinstance(items, Mapping) or "prefixItems" in schema:
        return None
    inner = _inside(items)

    def convert(value: object) -> list[Any]:
        if not isinstance(value, list):
            raise Misfit
        return [None if item is None else inner.convert(item) for item in value]

    return Form(pyarrow.list_(_field("item", inner)), convert)


def _struct(schema: Mapping[str, Any]) -> Form | None:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return None
    inner = {name: _inside(part) for name, part in properties.items()}

    def convert(value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not value.keys() <= inner.keys():
            raise Misfit
        return {
            name: None if item is None else inner[name].convert(item)
            for name, item in value.items()
        }

    return Form(pyarrow.struct([_field(name, form) for name, form in inner.items()]), convert)


def _inside(schema: object) -> Form:
    return (declared_form(schema) if isinstance(schema, Mapping) else None) or JSON_TEXT


def _field(name: str, form: Form) -> Any:
    return pyarrow.field(name, form.type, metadata=dict(form.metadata) or None)


def _of_class(wanted: type) -> Convert:
    def convert(value: object) -> object:
        if type(value) is not wanted:
            raise Misfit
        return value

    return convert


def _number(value: object) -> float:
    if type(value) is float:
        return value
    if type(value) is int and _is_double(value):
        return float(value)
    raise Misfit


def _is_double(value: int) -> bool:
    try:
        return float(value) == value
    except OverflowError:
        return False


def _told(read: Callable[[object], Any]) -> Convert:
    def convert(value: object) -> Any:
        found = read(value)
        if found is None:
            raise Misfit
        return found

    return convert


def _json(value: JSONValue) -> str:
    return json_text(value)


JSON_TEXT = Form(pyarrow.string(), _json, {"pipestat_encoding": "json"})
