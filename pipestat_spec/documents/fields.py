"""Field types that the document models share, and how their errors read.

Each type calls the one function that holds its rule; what stands beside it for JSON
Schema is the same rule as far as that language can say it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from pipestat_spec.domain.times import RFC_3339, format_utc, read_time
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import InvalidTimeFormatError, PipestatError
from pipestat_spec.models.identifiers import (
    MAX_IDENTIFIER,
    RESERVED,
    check_namespace,
    check_record_identifier,
    check_result_identifier,
)
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "IDENTIFIER_SCHEMA",
    "RESULT_IDENTIFIER_SCHEMA",
    "TIME_SCHEMA",
    "Document",
    "Namespace",
    "RecordIdentifier",
    "ResultIdentifier",
    "Results",
    "Time",
    "TimeText",
    "Value",
    "checked",
    "explain",
    "parse_document_time",
]

_T = TypeVar("_T")


class Document(BaseModel):
    """A document of the specification: immutable, without keys of its own invention."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def checked(rule: Callable[[Any], _T]) -> Callable[[Any], _T]:
    """Return `rule` with its PipestatError turned into an error that pydantic collects."""

    def check(value: Any) -> _T:
        try:
            return rule(value)
        except PipestatError as error:
            raise PydanticCustomError("pipestat", "{problem}", {"problem": str(error)}) from None

    return check


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
# The key of a JSON object; the object's own schema says the rule, as `propertyNames`.
ResultIdentifier: TypeAlias = Annotated[str, BeforeValidator(checked(check_result_identifier))]
Value: TypeAlias = Annotated[Any, AfterValidator(checked(canonical)), WithJsonSchema({})]


def _results(value: Any) -> Any:
    """Name the result in the errors of its value, and check each name once."""
    if not isinstance(value, Mapping):
        return value
    return {
        check_result_identifier(name): canonical(item, f"result {name!r}")
        for name, item in value.items()
    }


Results: TypeAlias = Annotated[
    dict[str, Any],
    BeforeValidator(checked(_results)),
    WithJsonSchema({"type": "object", "propertyNames": RESULT_IDENTIFIER_SCHEMA}),
]


def parse_document_time(value: object) -> datetime:
    """Return a time of a document as UTC: RFC 3339, with `Z` or an offset.

    Raises InvalidTimeFormatError.
    """
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
    datetime,
    BeforeValidator(checked(parse_document_time)),
    PlainSerializer(format_utc, return_type=str),
    WithJsonSchema(TIME_SCHEMA),
]
# The key of a JSON object: the one text form of the time.
TimeText: TypeAlias = Annotated[
    str,
    BeforeValidator(checked(lambda value: format_utc(parse_document_time(value)))),
]


def explain(error: ValidationError, known: Iterable[str]) -> list[str]:
    """Return one line for each error: the key, what is wrong and what mends it.

    `known` are the keys of the document, to name the nearest of a misspelt one.
    """
    details = error.errors(include_url=False)
    return [_line(detail, list(known)) for detail in details]


def _line(detail: ErrorDetails, known: list[str]) -> str:
    key = ".".join(map(str, detail["loc"]))
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    given = shorten(repr(detail["input"]))
    kind = detail["type"]
    if kind == "missing":
        return f"the key {key!r} is missing"
    if kind == "extra_forbidden":
        near = nearest(last, known) or next((k for k in known if k.startswith(last)), None)
        mend = f"did you mean {near!r}?" if near else "known keys are " + ", ".join(known)
        return f"unknown key {shorten(key)!r}; {mend}"
    if kind in ("pipestat", "document"):
        message = detail["msg"]
        return message if not key or message.startswith(("result ", key)) else f"{key}: {message}"
    if kind in _EXPECTED:
        return f"{key}: {given} is not {_EXPECTED[kind]}"
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return f"{key or 'document'}: {message}, not {given}"


_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "dict_type": "an object",
    "model_type": "an object",
    "bool_type": "true or false",
    "list_type": "an array",
}
