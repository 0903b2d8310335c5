"""A result's schema, compiled once to judge many values (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from jsonschema_rs import ValidationError, Validator

from pipestat_spec.domain.validation.engine import compiled, engine_form
from pipestat_spec.domain.validation.limits import check_texts, check_work, is_bounded
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.text.patterns import backtracks

__all__ = ["Judge", "judge_of"]


@dataclass(frozen=True, slots=True)
class Judge:
    """A compiled schema.

    `patterns` maps those that the engine knows to those of the author. `bounded` says that no
    value needs more work than its size tells, `backtracks` that some pattern takes the square.
    """

    validator: Validator
    patterns: Mapping[str, str]
    bounded: bool
    backtracks: bool

    def check(self, value: JSONValue, schema: ResultSchema) -> None:
        """Raise SchemaValidationErrorDuringReport for a value that does not fit."""
        if not self.bounded:
            check_work(value, schema)
        if self.backtracks:
            check_texts(value, schema)
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
    except ValueError:
        from pipestat_spec.domain.validation.keywords import check_schema_keywords

        check_schema_keywords(schema)  # says what is wrong, and where
        raise
    slow = any(map(backtracks, patterns.values()))
    return Judge(validator, patterns, is_bounded(schema), slow)
