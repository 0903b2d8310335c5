"""The four forms of an output schema, brought to one (SPEC.md section 4).

1. the JSON Schema form: `properties.samples.properties`, `properties.pipeline_name`;
2. the same with `samples` as an array, the results in `items.properties`;
3. the flat form: `pipeline_name`, `samples`, `project` and `status` at the top;
4. the minimal form: the keys at the top are the results.

A document in which `properties` holds the results themselves is read as form 1 with
these as the results of samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipestat_spec.models.record import Level
from pipestat_spec.models.result_types import is_result_definition
from pipestat_spec.models.schema_errors import SchemaPath, schema_error
from pipestat_spec.models.text import nearest, shorten

__all__ = ["LevelSection", "Sections", "find_sections"]

_SECTIONS: Mapping[str, Level] = {"samples": "sample", "project": "project"}
# Top-level keys that describe the document; a result may bear such a name all the same
# when what stands there defines one.
# fmt: off
_ABOUT = frozenset((
    "additionalProperties", "author", "authors", "definitions", "description", "license",
    "pipeline_id", "pipeline_name", "pipeline_type", "pipeline_version", "required",
    "schema_version", "title", "type", "url", "version",
))
# fmt: on
_NEVER_RESULTS = frozenset(("$defs", "additionalProperties", "definitions"))
# Keys beside the results of a level that speak of the level.
_LEVEL_KEYS = frozenset(("additionalProperties", "description", "required", "title"))


@dataclass(frozen=True, slots=True)
class LevelSection:
    """The results of one level as written, and where they stand."""

    results: Mapping[Any, Any] = field(default_factory=dict)
    path: SchemaPath = ()
    rules: Mapping[Any, Any] = field(default_factory=dict)
    rules_path: SchemaPath = ()

    @property
    def open_on_purpose(self) -> bool:
        """Whether the author says that results without a declaration are welcome."""
        return self.rules.get("additionalProperties", False) is not False


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts of an output schema; `status_path` is None where there is no such section."""

    levels: Mapping[Level, LevelSection]
    pipeline_name: object = None
    pipeline_name_path: SchemaPath | None = None
    status: object = None
    status_path: SchemaPath | None = None


def find_sections(document: Mapping[Any, Any], source: str | None) -> Sections:
    """Return the parts of `document`, whatever its form; raises SchemaError."""
    properties = document.get("properties")
    if isinstance(properties, Mapping) and not is_result_definition(properties):
        return _json_schema_form(document, properties, source)
    if _is_flat(document):
        return _flat_form(document, source)
    return _minimal_form(document)


def _is_flat(document: Mapping[Any, Any]) -> bool:
    """Tell sections with results from results that are called `samples` or `project`.

    Where such a key could be both, it is a section unless other results stand beside it.
    """
    named = [document[key] for key in _SECTIONS if key in document]
    if not all(is_result_definition(value) for value in named):
        return True
    beside = (value for key, value in document.items() if key not in _SECTIONS)
    return any(_container(document, value) is not None for value in named) and not any(
        map(is_result_definition, beside)
    )


def _json_schema_form(
    document: Mapping[Any, Any], properties: Mapping[Any, Any], source: str | None
) -> Sections:
    for key, value in document.items():
        if key in _SECTIONS or (is_result_definition(value) and not _is_about(key, value)):
            raise schema_error(
                source,
                (str(key),),
                "stands beside properties, which holds the results",
                f"move it to properties.{key if key in _SECTIONS else f'samples.properties.{key}'}",
            )
    root: SchemaPath = ("properties",)
    status = _status_section(properties, root)
    if any(key in properties for key in _SECTIONS):
        _refuse_strays(properties, root, source)
        levels = _levels(document, properties, root, source)
    else:
        results = _results_at_top(properties, status)
        levels = {"sample": LevelSection(results, root, document, ())}
    name: tuple[Mapping[Any, Any], SchemaPath] = (document, ("pipeline_name",))
    if "pipeline_name" in properties:
        name = (properties, (*root, "pipeline_name"))
    return _sections(levels, name, status or _status_section(document, ()))


def _flat_form(document: Mapping[Any, Any], source: str | None) -> Sections:
    _refuse_strays(document, (), source)
    levels = _levels(document, document, (), source)
    return _sections(levels, (document, ("pipeline_name",)), _status_section(document, ()))


def _minimal_form(document: Mapping[Any, Any]) -> Sections:
    status = _status_section(document, ())
    level = LevelSection(_results_at_top(document, status), (), document, ())
    return _sections({"sample": level}, (document, ("pipeline_name",)), status)


_Status = tuple[object, SchemaPath]


def _sections(
    levels: Mapping[Level, LevelSection],
    name: tuple[Mapping[Any, Any], SchemaPath],
    status: _Status | None,
) -> Sections:
    holder, path = name
    named = "pipeline_name" in holder and not is_result_definition(holder["pipeline_name"])
    return Sections(
        {level: levels.get(level, LevelSection()) for level in _SECTIONS.values()},
        pipeline_name=holder["pipeline_name"] if named else None,
        pipeline_name_path=path if named else None,
        status=status[0] if status else None,
        status_path=status[1] if status else None,
    )


def _results_at_top(mapping: Mapping[Any, Any], status: _Status | None) -> dict[Any, Any]:
    """Return what is neither the status section nor about the document."""
    return {
        key: value
        for key, value in mapping.items()
        if not (status and key == "status") and not _is_about(key, value)
    }


def _is_about(key: object, value: object) -> bool:
    if not isinstance(key, str):
        return False
    if key in _NEVER_RESULTS or key.startswith("x-"):
        return True
    return (key in _ABOUT or key.startswith("$")) and not is_result_definition(value)


def _status_section(mapping: Mapping[Any, Any], path: SchemaPath) -> _Status | None:
    """Return the status section; a result called `status` is none, and refused as a result."""
    if "status" not in mapping or is_result_definition(mapping["status"]):
        return None
    return mapping["status"], (*path, "status")


def _refuse_strays(mapping: Mapping[Any, Any], path: SchemaPath, source: str | None) -> None:
    """Refuse what looks like results outside of `samples` and `project`."""
    for key, value in mapping.items():
        known = key in _SECTIONS or (key == "status" and not is_result_definition(value))
        if known or _is_about(key, value) or not isinstance(value, Mapping):
            continue
        near = nearest(key, _SECTIONS) if isinstance(key, str) else None
        inside = ".".join((*path, "samples"))
        raise schema_error(
            source,
            (*path, str(key)),
            "stands beside the sections samples and project",
            f"did you mean {near}?" if near else f"move it into {inside}",
        )


def _levels(
    document: Mapping[Any, Any], mapping: Mapping[Any, Any], path: SchemaPath, source: str | None
) -> dict[Level, LevelSection]:
    return {
        level: _level(document, mapping[key], (*path, key), source)
        for key, level in _SECTIONS.items()
        if key in mapping
    }


def _level(
    document: Mapping[Any, Any], value: object, path: SchemaPath, source: str | None
) -> LevelSection:
    if value is None:
        return LevelSection({}, path)
    if not isinstance(value, Mapping):
        raise schema_error(
            source, path, f"{shorten(repr(value))} is not a mapping", "map results to their schemas"
        )
    container = _container(document, value)
    if container is not None:
        holder, steps = container
        inside = (*path, *steps)
        results = holder["properties"]
        if not isinstance(results, Mapping):
            raise schema_error(
                source, (*inside, "properties"), "not a mapping", "map results to their schemas"
            )
        return LevelSection(results, (*inside, "properties"), {**value, **holder}, inside)
    if is_result_definition(value):
        if value.keys() <= _LEVEL_KEYS | {"type"} and value.get("type") in ("object", ["object"]):
            return LevelSection({}, path, value, path)
        raise schema_error(
            source,
            path,
            "the section has a type but no properties",
            "put the results under properties",
        )
    results = {key: item for key, item in value.items() if not _is_level_rule(key, item)}
    return LevelSection(results, path, value, path)


def _is_level_rule(key: object, value: object) -> bool:
    return key in _LEVEL_KEYS and (key == "additionalProperties" or not isinstance(value, Mapping))


def _container(
    document: Mapping[Any, Any], value: Mapping[Any, Any]
) -> tuple[Mapping[Any, Any], SchemaPath] | None:
    """Return the mapping whose `properties` are the results of a level, and the way to it."""
    value = _target(document, value)
    items = value.get("items")
    if isinstance(items, Mapping) and value.get("type", "array") == "array":
        items = _target(document, items)
        if "properties" in items and not is_result_definition(items["properties"]):
            return items, ("items",)
    # Documentation also shows properties beside `type: array`.
    properties = value.get("properties")
    has_type = value.get("type") in ("object", "array", ["object"])
    if properties is not None and (has_type or not is_result_definition(properties)):
        return value, ()
    return None


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
