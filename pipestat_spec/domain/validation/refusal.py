"""How the refusal of a value by its schema reads: result, place, value and rule, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipestat_spec.domain.validation.engine import MAX_STEPS
from pipestat_spec.domain.validation.types import describe_types, found_instead_of, show
from pipestat_spec.errors import InvalidTypeError, SchemaValidationErrorDuringReport
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

__all__ = ["refusal"]

_Path = Sequence[str | int]


def refusal(
    error: ValidationError, value: JSONValue, schema: ResultSchema, patterns: Mapping[str, str]
) -> SchemaValidationErrorDuringReport:
    """Return the refusal of `value`; `patterns` maps those of the engine to the author's."""
    error = _decisive(error)
    path = _real_path(value, error.instance_path)
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    at = f" at {shorten(place.removeprefix('.'))}" if path else ""
    found = _inside(value, path)
    keyword, rule = _rule(error, schema, patterns)
    kind = InvalidTypeError if keyword == "type" else SchemaValidationErrorDuringReport
    return kind(
        f"result {schema.identifier!r}{at}: {_problem(error, found, keyword, rule)}",
        result_identifier=schema.identifier,
        value=value,
        schema=schema.declared,
        path=path,
    )


def _decisive(error: ValidationError) -> ValidationError:
    """Return the error inside of alternatives where one of them alone is meant.

    That is the only one whose type the value has, or the only one there is.
    """
    while branches := _alternatives(error):
        depth = len(error.instance_path)
        meant = [
            errors
            for errors in branches
            if not any(e.kind.name == "type" and len(e.instance_path) == depth for e in errors)
        ]
        if len(meant) != 1 and len(branches) != 1:
            break
        error = (meant or branches)[0][0]
    return error


def _alternatives(error: ValidationError) -> list[list[ValidationError]]:
    if error.kind.name not in ("anyOf", "oneOf"):
        return []
    branches: list[list[ValidationError]] = error.kind.value or []
    return branches if all(branches) else []


def _rule(
    error: ValidationError, schema: ResultSchema, patterns: Mapping[str, str]
) -> tuple[str, Any]:
    """Return the keyword that refuses, and its value as the author wrote it."""
    rule: Any = schema.schema
    keyword = "false"
    for key in error.schema_path:
        if isinstance(rule, Mapping) and keyword == "patternProperties":
            key = patterns.get(str(key), key)
        rule = _step(rule, key)
        keyword = str(key)
    return keyword, rule


def _real_path(value: Any, path: _Path) -> tuple[str | int, ...]:
    """Return a way into a value; the engine takes a key such as '12' for an index."""
    real: list[str | int] = []
    for key in path:
        real.append(str(key) if isinstance(value, Mapping) else key)
        value = _step(value, key)
    return tuple(real)


def _inside(value: Any, path: _Path) -> Any:
    for key in path:
        value = _step(value, key)
    return value


def _step(place: Any, key: str | int) -> Any:
    if isinstance(place, Mapping):
        return place.get(str(key))
    if isinstance(place, list) and isinstance(key, int) and key < len(place):
        return place[key]
    return None


def _problem(error: ValidationError, found: Any, keyword: str, rule: Any) -> str:
    """Return what is wrong, with the value shortened and in JSON."""
    name = type(error.kind).__name__
    if name == "PropertyNames":
        return f"{show(found)} has a key that does not fit {keyword}: {show(rule)}"
    if name in ("BacktrackLimitExceeded", "RegexEngineFailure"):
        return (
            f"{show(found)} takes more than {MAX_STEPS} steps to compare with "
            f"{keyword}: {show(rule)}"
        )
    if keyword == "type":
        types = (rule,) if isinstance(rule, str) else rule
        return f"{show(found)} is {found_instead_of(found, describe_types(types))}"
    if name == "Required":
        wanted = rule if isinstance(rule, list) else [error.kind.value]
        return f"{show(found)} lacks {_names(name for name in wanted if name not in found)}"
    if keyword == "enum":
        return f"{show(found)} is none of {show(rule)}"
    if keyword == "const":
        return f"{show(found)} is not {show(rule)}"
    if rule is False:
        return f"{show(found)} {_forbidden(error, found, keyword)}"
    if name == "OneOfMultipleValid":
        return f"{show(found)} fits more than one of oneOf: {show(rule)}"
    return f"{show(found)} does not fit {keyword}: {show(rule)}"


def _forbidden(error: ValidationError, found: Any, keyword: str) -> str:
    """Return what a schema `false` refuses."""
    if keyword in ("additionalProperties", "unevaluatedProperties") and isinstance(found, dict):
        unexpected = error.kind.value or list(found)
        return f"must not have {_names(unexpected)} ({keyword}: false)"
    return f"must not be there ({keyword}: false)"


def _names(names: Any) -> str:
    return shorten(", ".join(map(repr, names)))
