"""What a text means for a result, and conversion when it is asked for (spec/schema.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from pipestat_spec.domain.validation.types import in_range, type_error
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import InvalidTypeError, InvalidValueError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.models.schema.result_schema import in_place
from pipestat_spec.models.schema.types import JSON_TYPES, admitted_types, json_type
from pipestat_spec.text.json_reader import read_json
from pipestat_spec.text.unreadable import UnreadableText

__all__ = ["converted", "readings", "unreadable"]

_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}


def readings(text: str, schema: ResultSchema) -> Iterator[JSONValue]:
    """Yield what `text` can mean for a result, the most specific meaning first.

    For a `file` or `image` a text that is not JSON is the path; the title is then the
    result's title, its description or its identifier.
    """
    types = frozenset(JSON_TYPES) if schema.types is None else schema.types
    is_path = schema.object_type and "object" in types and "string" not in types
    for value in _readings(text, types - {"string"} if is_path else types):
        yield value
        is_path = is_path and not isinstance(value, dict)
    if is_path and text.strip() and not text.lstrip().startswith("{"):
        title = schema.title or schema.description or schema.identifier
        yield {"path": text, "title": title}


def _readings(text: str, types: frozenset[str]) -> Iterator[JSONValue]:
    plain = text.strip()
    if "null" in types and plain == "null":
        yield None
    if "boolean" in types and plain.lower() in _BOOLEANS:
        yield _BOOLEANS[plain.lower()]
    if "integer" in types and (integer := _integer(plain)) is not None:
        yield integer
    if "number" in types and (number := _number(plain)) is not None:
        yield number
    if plain[:1] in ("[", "{") and ("array" if plain[0] == "[" else "object") in types:
        with suppress(ValueError, InvalidValueError):
            yield canonical(read_json(plain))
    if "string" in types:
        yield text


def _integer(text: str) -> int | None:
    if len(text) > 400 or not _INTEGER.fullmatch(text):
        return None
    integer = int(text)
    return integer if in_range(integer) else None


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if number - number != 0:  # infinite
        return None
    exact = not _INTEGER.fullmatch(text) or number == int(text)
    return number if exact else None


def unreadable(text: str, schema: ResultSchema) -> InvalidTypeError:
    """Return the refusal of a text without a meaning for the result."""
    plain = text.strip()
    types = schema.types or frozenset()
    if plain[:1] in ("[", "{") and {"array", "object"} & types:
        try:
            return type_error(schema, canonical(read_json(plain), "the value"))
        except UnreadableText as error:
            is_json = error.line is None
            return type_error(schema, text, f"{'' if is_json else 'no JSON, '}{error}")
        except InvalidValueError as error:
            return type_error(schema, text, str(error))
    if {"array", "object"} & types and not schema.object_type:
        example = "[1, 2]" if "array" in types else '{"key": 1}'
        return type_error(schema, text, hint=f"give JSON, for example '{example}'")
    if _INTEGER.fullmatch(plain) and {"integer", "number"} & types:
        reason = "it is outside the signed 64-bit range"
        return type_error(schema, text, reason if "integer" in types else "no double equals it")
    if {"integer", "number"} & types and (number := _meant_number(plain, types)) is not None:
        return type_error(schema, text, hint=f"write {json.dumps(number)}")
    return type_error(schema, text)


def _meant_number(text: str, types: frozenset[str]) -> int | float | None:
    """Return the number that other languages read, such as .94, +5 and 1_000, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    if number.is_integer() and in_range(int(number)):
        return int(number)
    return number if number - number == 0 and "number" in types else None


def converted(value: JSONValue, schema: ResultSchema) -> JSONValue:
    """Return `value` in the type that the schema declares where it can be converted.

    Texts are read as on a command line; scalars become strings. The declared properties of
    an object and the items of an array are converted too, but nothing deeper. What cannot be
    converted stays as it is.
    """
    value = _convert(value, schema.types, schema)
    if not isinstance(value, dict | list):
        return value
    applied = in_place([schema.schema], schema.definitions)
    if isinstance(value, list):
        for part in applied:
            if isinstance(items := part.get("items"), Mapping):
                types = admitted_types(items, schema.definitions)
                value = [_convert(item, types) for item in value]
        return value
    for part in applied:
        for name, declared in part.get("properties", {}).items():
            if name in value:
                types = admitted_types(declared, schema.definitions)
                value = {**value, name: _convert(value[name], types)}
    return value


def _convert(
    value: JSONValue, types: frozenset[str] | None, schema: ResultSchema | None = None
) -> JSONValue:
    if types is None:
        return value
    if isinstance(value, str):
        meanings = readings(value, schema) if schema else _readings(value, types)
        return next(meanings, value)
    kind = json_type(value)
    if kind in types or (kind == "integer" and "number" in types):
        return value
    if kind == "number" and "integer" in types and value.is_integer():
        return value  # the type rule makes an integer of it
    if kind in ("boolean", "integer", "number") and "string" in types:
        return json.dumps(value)
    return value
