"""Field types that the models of documents share.

Each type calls the one function that holds its rule; what stands beside it for JSON
Schema is the same rule as far as that language can say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from pipestat_spec.documents.explain import checked
from pipestat_spec.domain.times import RFC_3339, read_time
from pipestat_spec.domain.values import canonical_result
from pipestat_spec.errors import DocumentError, InvalidTimeFormatError
from pipestat_spec.models.identifiers import (
    MAX_IDENTIFIER,
    RESERVED,
    check_namespace,
    check_record_identifier,
    check_result_identifier,
)
from pipestat_spec.problems import Problems
from pipestat_spec.text.strings import shorten

__all__ = [
    "IDENTIFIER_SCHEMA",
    "RESULT_IDENTIFIER_SCHEMA",
    "TIME_SCHEMA",
    "Namespace",
    "RecordIdentifier",
    "Results",
    "SpecModel",
    "Time",
]


class SpecModel(BaseModel):
    """A model of the specification: immutable, without keys of its own invention."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


_CONTROL = {"pattern": "[\\u0000-\\u001f\\u007f-\\u009f]"}
_IDENTIFIER: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_IDENTIFIER}
IDENTIFIER_SCHEMA: dict[str, Any] = {**_IDENTIFIER, "not": _CONTROL}
RESULT_IDENTIFIER_SCHEMA: dict[str, Any] = {
    **_IDENTIFIER,
    "not": {"anyOf": [_CONTROL, {"enum": [*RESERVED]}]},
}

RecordIdentifier: TypeAlias = Annotated[
    str, BeforeValidator(checked(check_record_identifier)), WithJsonSchema(IDENTIFIER_SCHEMA)
]
Namespace: TypeAlias = Annotated[
    str, BeforeValidator(checked(check_namespace)), WithJsonSchema(IDENTIFIER_SCHEMA)
]


def _results(value: Any) -> Any:
    """Check the results one by one; an error names the result."""
    if type(value) is not dict and not isinstance(value, Mapping):
        return value
    results: dict[str, Any] = {}
    problems = Problems()
    for name, item in value.items():
        with problems:
            results[check_result_identifier(name)] = canonical_result(item, name)
    if problems:
        raise DocumentError("results", problems=problems.lines)
    return results


Results: TypeAlias = Annotated[
    dict[str, Any],
    BeforeValidator(checked(_results)),
    WithJsonSchema({"type": "object", "propertyNames": RESULT_IDENTIFIER_SCHEMA}),
]


def _parse_time(value: object) -> datetime:
    """Return a time as UTC: RFC 3339, with `Z` or an offset; raises InvalidTimeFormatError."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    moment = read_time(value)
    if moment is None:
        raise InvalidTimeFormatError(
            f"{shorten(repr(value))} is not a time with an offset",
            hint="write it as 2026-01-31T12:00:00Z",
            text=value,
        )
    return moment


TIME_SCHEMA: dict[str, Any] = {
    "type": "string",
    "format": "date-time",
    "pattern": "^" + RFC_3339.pattern.replace("\\d", "[0-9]") + "$",
}
Time: TypeAlias = Annotated[
    datetime, BeforeValidator(checked(_parse_time)), WithJsonSchema(TIME_SCHEMA)
]
