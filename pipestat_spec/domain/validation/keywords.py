"""What is wrong with the schema of a result, said place by place (spec/schema.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jsonschema_rs import ValidationError as EngineError

from pipestat_spec.domain.validation.engine import compiled, engine_form
from pipestat_spec.domain.validation.types import describe_types, found_instead_of, show
from pipestat_spec.errors import SchemaError
from pipestat_spec.models.schema.keywords import subschemas
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.models.schema.types import SchemaPath, json_type, schema_error
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["check_members", "check_schema_keywords"]


def check_schema_keywords(schema: ResultSchema, problems: Problems = AT_ONCE) -> None:
    """Check the schema of a result against JSON Schema 2020-12; raises SchemaError.

    `problems` may collect the errors.
    """
    try:
        compiled(engine_form(schema.schema, {}))
    except ValueError as failure:
        refused = failure
    else:
        return
    from jsonschema.validators import Draft202012Validator

    rules = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    wrong = [_wrong_keyword(error, schema) for error in rules.iter_errors(schema.schema)]
    for error in wrong or [_refused_by_the_engine(refused, schema)]:
        with problems:
            raise error


def _refused_by_the_engine(error: ValueError, schema: ResultSchema) -> SchemaError:
    kind = error.kind.name if isinstance(error, EngineError) else ""
    problem, hint = shorten(str(error).partition("\n")[0], 160), None
    if kind in ("format", "pattern"):
        problem, hint = "a pattern is too large or looks too far behind", "write a simpler one"
    return schema_error(schema.source, schema.path, problem, hint)


def _wrong_keyword(error: ValidationError, schema: ResultSchema) -> SchemaError:
    inside = tuple(map(str, error.absolute_path))
    problem, hint = shorten(error.message, 160), "see the keyword in JSON Schema 2020-12"
    if inside[-1:] == ("required",) and error.validator == "type":
        hint = "list the properties that must be there: required: [name]"
    elif inside[-1:] == ("items",) and isinstance(error.instance, list):
        hint = "write prefixItems for a list of schemas"
    elif error.validator == "type" and (meant := _number_hint(error.instance)):
        hint = meant
    return schema_error(schema.source, _path(inside, schema), problem, hint)


def _number_hint(value: object) -> str | None:
    """Return how to write the number that a string looks like, or None."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if number is None or number - number != 0:
        return None
    digits, _, power = str(value).strip().lower().partition("e")
    if not power:
        return f"write {value} without quotes"
    written = f"{digits if '.' in digits else digits + '.0'}e{int(power):+d}"
    return f"write {written}: to YAML {value} is a string"


def _path(inside: SchemaPath, schema: ResultSchema) -> SchemaPath:
    return inside if inside[:1] == ("$defs",) else (*schema.path, *inside)


# What YAML makes of words without quotes, by the type that the author did not mean.
_UNQUOTED = {
    "boolean": "quote it: YAML takes yes, no, on and off for true and false",
    "integer": "quote it: YAML takes 001, 12:30 and 0x1F for numbers",
    "number": "quote it: YAML takes 1.50 and 1_0.5 for numbers",
    "null": "quote it ('null'), or add 'null' to the type",
}


def check_members(schema: ResultSchema, problems: Problems = AT_ONCE) -> None:
    """Find members of `enum` and `const` that the type beside them excludes; raises SchemaError.

    No value ever equals them, and most often quotes are missing. `problems` may collect the
    errors.
    """
    for inside, part in subschemas(schema.schema):
        if not isinstance(part, Mapping) or "type" not in part:
            continue
        types = part["type"] if isinstance(part["type"], list) else [part["type"]]
        for keyword, member in _members(part):
            kind = json_type(member)
            if kind in types or _is_number_of(member, kind, types):
                continue
            with problems:
                path = _path((*inside, keyword), schema)
                raise schema_error(schema.source, path, *_excluded(member, kind, types))


def _members(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    listed = schema.get("enum")
    yield from (("enum", member) for member in (listed if isinstance(listed, list) else ()))
    if "const" in schema:
        yield "const", schema["const"]


def _is_number_of(member: Any, kind: str, types: list[str]) -> bool:
    return (kind == "integer" and "number" in types) or (
        kind == "number" and "integer" in types and float(member).is_integer()
    )


def _excluded(member: Any, kind: str, types: list[str]) -> tuple[str, str | None]:
    problem = f"{show(member)} is {found_instead_of(member, describe_types(types))}: no value fits"
    if kind == "string" and {"integer", "number"} & {*types}:
        return problem, _number_hint(member)
    return problem, _UNQUOTED.get(kind) if "string" in types else None
