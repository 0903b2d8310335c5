"""Does a value fit its result? Decided before anything is stored (spec/schema.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pipestat_spec.domain.validate_text import converted, readings, unreadable
from pipestat_spec.domain.validate_types import (
    as_admitted_type,
    describe_types,
    found_instead_of,
    show,
)
from pipestat_spec.errors import InvalidTypeError, SchemaError, SchemaValidationErrorDuringReport
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.models.schema.result_schema import in_place
from pipestat_spec.models.schema.types import schema_error
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["check_schema_keywords", "conform", "from_text", "with_thumbnail_paths"]

_VALIDATORS: WeakKeyDictionary[ResultSchema, Validator] = WeakKeyDictionary()


def conform(value: JSONValue, schema: ResultSchema, *, strict: bool = True) -> JSONValue:
    """Return the canonical `value` in the form to store; `strict` False converts it first.

    A number takes the one type that is declared, and an image's `thumbnail` is called
    `thumbnail_path`.
    Raises InvalidTypeError for a wrong type, SchemaValidationErrorDuringReport for anything
    else that the schema refuses, SchemaError when the schema itself is wrong.
    """
    value = _typed(value, schema) if strict else as_admitted_type(converted(value, schema), schema)
    if schema.only_types and not schema.has_images:
        return value
    validator = _validator(schema)  # first of all: the schema itself may be wrong
    if schema.has_images:
        value = with_thumbnail_paths(value, schema)
    _validate(value, schema, validator)
    return value


def from_text(text: str, schema: ResultSchema | None) -> JSONValue:
    """Return what a command line's text means for a result.

    Without a schema, and for a result that is a string only, the text itself. Otherwise the
    first reading that the schema admits of: null, boolean, integer, number, array or object
    (JSON), string. For a `file` or `image` a plain text is its path. Raises
    InvalidTypeError when there is no reading.
    """
    if schema is None or schema.types == frozenset(("string",)):
        return text
    meanings = list(readings(text, schema))
    if not meanings:
        raise unreadable(text, schema)
    if len(meanings) > 1 and not schema.only_types:
        return next((value for value in meanings if _fits(value, schema)), meanings[0])
    return meanings[0]


def check_schema_keywords(schema: ResultSchema, problems: Problems = AT_ONCE) -> None:
    """Check the schema of a result against JSON Schema 2020-12; raises SchemaError.

    `problems` may collect the errors.
    """
    from jsonschema.validators import Draft202012Validator

    rules = Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for error in rules.iter_errors(schema.schema):
        with problems:
            raise _wrong_keyword(error, schema)


def _wrong_keyword(error: ValidationError, schema: ResultSchema) -> SchemaError:
    inside = tuple(map(str, error.absolute_path))
    path = inside if inside[:1] == ("$defs",) else (*schema.path, *inside)
    hint = "see the keyword in JSON Schema 2020-12"
    if inside[-1:] == ("required",) and error.validator == "type":
        hint = "list the properties that must be there: required: [name]"
    elif inside[-1:] == ("items",) and isinstance(error.instance, list):
        hint = "write prefixItems for a list of schemas"
    return schema_error(schema.source, path, shorten(error.message, 160), hint)


def _typed(value: JSONValue, schema: ResultSchema) -> JSONValue:
    try:
        return as_admitted_type(value, schema)
    except InvalidTypeError as error:
        meant = converted(value, schema)
        if error.hint is None and not same_value(meant, value):
            error.hint = f"report {show(meant)}"
        raise


def _fits(value: JSONValue, schema: ResultSchema) -> bool:
    try:
        conform(value, schema)
    except SchemaValidationErrorDuringReport:
        return False
    return True


def _validate(value: JSONValue, schema: ResultSchema, validator: Validator) -> None:
    from jsonschema.exceptions import best_match

    try:
        error = best_match(validator.iter_errors(value))
    except RecursionError:
        raise SchemaValidationErrorDuringReport(
            f"result {schema.identifier!r}: the value is nested too deep for its schema",
            hint="flatten the value",
            result_identifier=schema.identifier,
        ) from None
    if error is not None:
        raise _refusal(error, value, schema)


def _validator(schema: ResultSchema) -> Validator:
    from jsonschema.validators import Draft202012Validator

    key = schema.template or schema
    validator = _VALIDATORS.get(key)
    if validator is None:
        check_schema_keywords(key)
        validator = _VALIDATORS[key] = Draft202012Validator(dict(schema.schema))
    return validator


def _refusal(error: ValidationError, value: JSONValue, schema: ResultSchema) -> SchemaError:
    path = tuple(error.absolute_path)
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    at = f" at {shorten(place.removeprefix('.'))}" if path else ""
    kind = InvalidTypeError if error.validator == "type" else SchemaValidationErrorDuringReport
    return kind(
        f"result {schema.identifier!r}{at}: {_problem(error)}",
        result_identifier=schema.identifier,
        value=value,
        schema=schema.declared,
        path=path,
    )


def _problem(error: ValidationError) -> str:
    """Return what is wrong, with the value shortened and in JSON."""
    wanted: Any = error.validator_value
    found: Any = error.instance
    if error.validator == "type":
        types = (wanted,) if isinstance(wanted, str) else wanted
        return f"{show(found)} is {found_instead_of(found, describe_types(types))}"
    if error.validator == "required":
        missing = ", ".join(repr(name) for name in wanted if name not in found)
        return f"{show(found)} lacks {shorten(missing)}"
    if error.validator == "enum":
        return f"{show(found)} is none of {show(wanted)}"
    if error.validator == "const":
        return f"{show(found)} is not {show(wanted)}"
    message = error.message
    rest = message.removeprefix(repr(found))
    text = f"{show(found)}{rest}" if rest != message else f"{show(found)}: {message}"
    return shorten(text, 240)


def with_thumbnail_paths(value: JSONValue, schema: ResultSchema) -> JSONValue:
    """Return `value` with the key renamed wherever the schema says image, at any depth.

    Both keys with one value become one; raises SchemaValidationErrorDuringReport when the
    values differ.
    """
    return _renamed(value, [schema.schema], schema)


def _renamed(value: JSONValue, schemas: Iterable[object], schema: ResultSchema) -> JSONValue:
    if not isinstance(value, dict | list):
        return value
    applied = in_place(schemas, schema.definitions)
    if not applied:
        return value
    if isinstance(value, list):
        return [
            _renamed(item, [s for part in applied for s in _of_item(part, index)], schema)
            for index, item in enumerate(value)
        ]
    if "thumbnail" in value and any(part.get("object_type") == "image" for part in applied):
        value = _with_one_thumbnail(value, schema)
    return {
        key: _renamed(item, [s for part in applied for s in _of_property(part, key)], schema)
        for key, item in value.items()
    }


def _with_one_thumbnail(image: dict[str, Any], schema: ResultSchema) -> dict[str, Any]:
    thumbnail = image["thumbnail"]
    path = image.get("thumbnail_path", thumbnail)
    if not same_value(path, thumbnail):
        raise SchemaValidationErrorDuringReport(
            f"result {schema.identifier!r}: thumbnail is {show(thumbnail)} and thumbnail_path is "
            f"{show(path)}",
            hint="they are two names of one thing: give thumbnail_path alone",
            result_identifier=schema.identifier,
            value=image,
            schema=schema.declared,
        )
    return {"thumbnail_path" if key == "thumbnail" else key: v for key, v in image.items()}


def _of_item(schema: Mapping[str, Any], index: int) -> list[object]:
    first = schema.get("prefixItems", [])
    return [first[index] if index < len(first) else schema.get("items")]


def _of_property(schema: Mapping[str, Any], name: str) -> list[object]:
    found = [s for s in (schema.get("properties", {}).get(name),) if s is not None]
    patterns = schema.get("patternProperties", {})
    found += [s for pattern, s in patterns.items() if re.search(pattern, name)]
    return found or [schema.get("additionalProperties")]
