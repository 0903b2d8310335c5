"""A result's schema, compiled once to judge many values (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from jsonschema_rs import ValidationError, Validator

from pipestat_spec.domain.validation.engine import compiled, engine_form
from pipestat_spec.domain.validation.limits import check_work, is_bounded
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.models.schema.types import schema_error
from pipestat_spec.text.strings import shorten

__all__ = ["Judge", "judge_of"]


@dataclass(frozen=True, slots=True)
class Judge:
    """A compiled schema.

    `patterns` maps those that the engine knows to those of the author. `bounded` says that no
    value needs more work than its size tells.
    """

    validator: Validator
    patterns: Mapping[str, str]
    bounded: bool

    def check(self, value: JSONValue, schema: ResultSchema) -> None:
        """Raise SchemaValidationErrorDuringReport for a value that does not fit."""
        if not self.bounded:
            check_work(value, schema)
        if self.validator.is_valid(value):
            return
        from pipestat_spec.domain.validation.refusal import refusal

        try:
            self.validator.validate(value)
        except ValidationError as error:
            raise refusal(error, value, schema, self.patterns) from None


_JUDGES: WeakKeyDictionary[ResultSchema, Judge] = WeakKeyDictionary()


def judge_of(schema: ResultSchema) -> Judge:
    """Return what judges values of a result; raises SchemaError when the schema is wrong."""
    key = schema.template or schema
    found = _JUDGES.get(key)
    if found is None:
        found = _JUDGES[key] = _compiled(key)
    return found


def _compiled(schema: ResultSchema) -> Judge:
    patterns: dict[str, str] = {}
    try:
        validator = compiled(engine_form(schema.schema, patterns))
    except ValueError as error:
        from pipestat_spec.domain.validation.keywords import check_schema_keywords

        check_schema_keywords(schema)  # says all that is wrong with a schema, and where
        raise schema_error(schema.source, schema.path, *_engine_problem(error)) from None
    return Judge(validator, patterns, is_bounded(schema))


def _engine_problem(error: ValueError) -> tuple[str, str | None]:
    """Return what the engine alone refuses, and what mends it."""
    if isinstance(error, ValidationError) and error.kind.name in ("format", "pattern"):
        return "a pattern is too large or looks too far behind", "write a simpler one"
    return shorten(str(error).partition("\n")[0], 160), None
