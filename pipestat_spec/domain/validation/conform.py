"""Does a value fit its result? Decided before anything is stored (spec/schema.md)."""

from __future__ import annotations

from pipestat_spec.domain.validation.text import converted, readings, unreadable
from pipestat_spec.domain.validation.types import as_admitted_type, show
from pipestat_spec.errors import InvalidTypeError, SchemaValidationErrorDuringReport
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.schema.output_schema import ResultSchema

__all__ = ["conform", "from_text"]


def conform(value: JSONValue, schema: ResultSchema, *, strict: bool = True) -> JSONValue:
    """Return the canonical `value` in the form to store; `strict` False converts it first.

    A number takes the one type that is declared, and an image's `thumbnail` is called
    `thumbnail_path`.
    Raises InvalidTypeError for a wrong type, SchemaValidationErrorDuringReport for anything
    else that the schema refuses, SchemaError when the schema itself is wrong.
    """
    if strict and type(value) is schema.plain_class:
        return value
    value = _typed(value, schema) if strict else as_admitted_type(converted(value, schema), schema)
    if schema.only_types and not schema.has_images:
        return value
    from pipestat_spec.domain.validation.judge import judge_of

    judge = judge_of(schema)  # first of all: the schema itself may be wrong
    if schema.has_images:
        from pipestat_spec.domain.validation.thumbnails import with_thumbnail_paths

        value = with_thumbnail_paths(value, schema)
    judge.check(value, schema)
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
