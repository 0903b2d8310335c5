"""Does a value fit its result? Decided before anything is stored (SPEC.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pipestat_spec.domain.validate_images import with_thumbnail_paths
from pipestat_spec.domain.validate_text import converted, readings, unreadable
from pipestat_spec.domain.validate_types import (
    as_admitted_type,
    describe_types,
    found_instead_of,
    show,
)
from pipestat_spec.domain.values import same_value
from pipestat_spec.errors import (
    InvalidTypeError,
    SchemaError,
    SchemaValidationErrorDuringReport,
)
from pipestat_spec.models.output_schema import ResultSchema
from pipestat_spec.models.record import JSONValue
from pipestat_spec.models.schema_errors import schema_error
from pipestat_spec.models.text import shorten

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["check_schema_keywords", "conform", "from_text"]

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


def check_schema_keywords(schema: ResultSchema) -> None:
    """Check the schema of a result against JSON Schema 2020-12; raises SchemaError."""
    from jsonschema.exceptions import SchemaError as KeywordError
    from jsonschema.validators import Draft202012Validator

    try:
        Draft202012Validator.check_schema(schema.schema)
    except KeywordError as error:
        inside = tuple(map(str, error.absolute_path))
        path = inside if inside[:1] == ("$defs",) else (*schema.path, *inside)
        hint = "see the keyword in JSON Schema 2020-12"
        if inside[-1:] == ("required",) and error.validator == "type":
            hint = "list the properties that must be there: required: [name]"
        elif inside[-1:] == ("items",) and isinstance(error.instance, list):
            hint = "write prefixItems for a list of schemas"
        raise schema_error(schema.source, path, shorten(error.message, 160), hint) from None


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
