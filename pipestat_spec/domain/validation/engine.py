"""The engine that judges values: schemas in the form that it has to read them in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema_rs import Draft202012Validator, FancyRegexOptions, Validator

from pipestat_spec.models.schema.keywords import ONE_SCHEMA, SCHEMA_LISTS, SCHEMA_MAPS
from pipestat_spec.text.patterns import translated

__all__ = ["MAX_STEPS", "compiled", "engine_form", "of_item", "of_key"]

# Steps back that the engine takes for one pattern with look-around and one text.
MAX_STEPS = 100_000


def compiled(form: Any) -> Validator:
    """Return the validator of what `engine_form` returns; raises ValueError for a wrong schema."""
    return Draft202012Validator(
        form,
        validate_formats=False,
        pattern_options=FancyRegexOptions(backtrack_limit=MAX_STEPS),
        mask="",
        offline=True,
    )


def engine_form(schema: Any, patterns: dict[str, str]) -> Any:
    """Return a copy of a schema with its patterns as the engine has to read them.

    `patterns` is filled: theirs to the author's. `dependencies` is no keyword of the draft, and
    the engine honours it. Raises PatternError.
    """
    if not isinstance(schema, Mapping):
        return schema
    written: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "pattern" and isinstance(value, str):
            written[key] = _engine_pattern(value, patterns)
        elif key == "patternProperties" and isinstance(value, Mapping):
            written[key] = {
                _engine_pattern(pattern, patterns): engine_form(item, patterns)
                for pattern, item in value.items()
            }
        elif (key in SCHEMA_MAPS or key == "$defs") and isinstance(value, Mapping):
            written[key] = {name: engine_form(item, patterns) for name, item in value.items()}
        elif key in SCHEMA_LISTS and isinstance(value, list):
            written[key] = [engine_form(item, patterns) for item in value]
        elif key in ONE_SCHEMA:
            written[key] = engine_form(value, patterns)
        elif key != "dependencies":
            written[key] = value
    return written


def _engine_pattern(pattern: str, patterns: dict[str, str]) -> str:
    found = translated(pattern)
    while patterns.setdefault(found, pattern) != pattern:
        found = f"(?:{found})"  # two patterns that mean the same stay two keys
    return found


def _matches(pattern: str, text: str) -> bool:
    """Tell whether a pattern of a checked schema is found in a text."""
    return _one_pattern(pattern).is_valid(text)


def of_item(schema: Mapping[str, Any], index: int) -> object:
    """Return the schema that one applies to an item of an array, None for none."""
    first = schema.get("prefixItems", [])
    return first[index] if index < len(first) else schema.get("items")


def of_key(schema: Mapping[str, Any], name: str) -> list[object]:
    """Return the schemas that one applies to the value of an object's key."""
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    found = [properties[name]] if name in properties else []
    found += [part for pattern, part in patterns.items() if _matches(pattern, name)]
    return found or [schema.get("additionalProperties")]


@lru_cache(maxsize=256)
def _one_pattern(pattern: str) -> Validator:
    return compiled({"pattern": translated(pattern)})
