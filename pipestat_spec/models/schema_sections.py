"""One section of an output schema, `samples` or `project` (SPEC.md section 4).

Its results stand in its `properties`, as an array in `items.properties`, or directly in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipestat_spec.models.result_types import is_result_definition
from pipestat_spec.models.schema_errors import SchemaPath, schema_error
from pipestat_spec.models.text import shorten

__all__ = [
    "ADDITIONAL",
    "Declaration",
    "LevelSection",
    "containers",
    "declarations",
    "direct_results",
    "read_section",
    "rules",
]

ADDITIONAL = "additionalProperties"
# Keys beside results that describe the document or the level; a result may bear such a
# name all the same when what stands there defines one.
_ABOUT = frozenset((
    "author", "authors", "definitions", "description", "license", "pipeline_name", "required",
    "schema_version", "title", "type", "url", "version",
))  # fmt: skip


class Declaration(NamedTuple):
    """A result as written, and where it stands."""

    name: object
    schema: object
    path: SchemaPath


@dataclass(frozen=True, slots=True)
class LevelSection:
    """The results of one level; `rules` holds its other keywords, each with its place."""

    results: tuple[Declaration, ...] = ()
    rules: Mapping[Any, tuple[Any, SchemaPath]] = field(default_factory=dict)

    @property
    def open_on_purpose(self) -> bool:
        """Whether the author says that results without a declaration are welcome."""
        return ADDITIONAL in self.rules and self.rules[ADDITIONAL][0] is not False


def direct_results(
    mapping: Mapping[Any, Any], path: SchemaPath, parts: Collection[str] = ()
) -> LevelSection:
    """Return the results among the keys of a section, or of the minimal form.

    `parts` are keys that are known to be something else.
    """
    results = {
        key: value
        for key, value in mapping.items()
        if key not in parts and not _is_about(key, value)
    }
    return LevelSection(declarations(results, path), rules((mapping, path)))


def _is_about(key: object, value: object) -> bool:
    if key == ADDITIONAL:
        return True
    named = isinstance(key, str) and (key in _ABOUT or key.startswith(("$", "x-")))
    return named and not is_result_definition(value)


def declarations(results: Mapping[Any, Any], path: SchemaPath) -> tuple[Declaration, ...]:
    return tuple(Declaration(key, value, (*path, str(key))) for key, value in results.items())


def rules(*holders: tuple[Mapping[Any, Any], SchemaPath]) -> dict[Any, tuple[Any, SchemaPath]]:
    """Return the keywords of a level; of several holders the first one decides."""
    return {
        key: (value, (*path, str(key)))
        for holder, path in reversed(holders)
        for key, value in holder.items()
    }


def read_section(
    document: Mapping[Any, Any], value: object, path: SchemaPath, source: str | None
) -> LevelSection:
    """Return what the section at `path` of the document declares; raises SchemaError."""
    if value is None:
        return LevelSection()
    if not isinstance(value, Mapping):
        raise schema_error(
            source, path, f"{shorten(repr(value))} is not a mapping", "map results to their schemas"
        )
    found = containers(document, value, path)
    value = _target(document, value)
    if not found and not is_result_definition(value):
        return direct_results(value, path)
    results: tuple[Declaration, ...] = ()
    for holder, inside in found:
        if not isinstance(holder["properties"], Mapping):
            raise schema_error(
                source, (*inside, "properties"), "not a mapping", "map results to their schemas"
            )
        results += declarations(holder["properties"], (*inside, "properties"))
    is_empty = value.get("type") in ("object", ["object"]) and value.keys() <= _EMPTY_SECTION
    if not found and not is_empty:
        raise schema_error(
            source,
            path,
            "the section has a type but no properties",
            "put the results under properties",
        )
    return LevelSection(results, rules(*found, (value, path)))


# What a section without any result may hold.
_EMPTY_SECTION = frozenset((ADDITIONAL, "description", "required", "title", "type"))


def containers(
    document: Mapping[Any, Any], value: Mapping[Any, Any], path: SchemaPath
) -> list[tuple[Mapping[Any, Any], SchemaPath]]:
    """Return the mappings whose `properties` are results of a section, and the ways to them."""
    value = _target(document, value)
    is_typed = isinstance(value.get("type"), str | list)
    found: list[tuple[Mapping[Any, Any], SchemaPath]] = []
    items = value.get("items")
    if isinstance(items, Mapping) and value.get("type") in ("array", ["array"]):
        items = _target(document, items)
        if "properties" in items:
            found.append((items, (*path, "items")))
    # Documentation also shows properties beside `type: array`.
    properties = value.get("properties")
    if properties is not None and (is_typed or not is_result_definition(properties)):
        found.append((value, path))
    return found


def _target(document: Mapping[Any, Any], value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Follow the references that a section may consist of, as far as they are plain."""
    for _ in range(10):
        reference = value.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        place: object = document
        for segment in reference[2:].split("/"):
            place = place.get(segment) if isinstance(place, Mapping) else None
        if not isinstance(place, Mapping):
            break
        value = place
    return value
