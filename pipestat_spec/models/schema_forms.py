"""The four forms of an output schema, brought to one (SPEC.md section 4).

1. the JSON Schema form: `properties.samples.properties`, `properties.pipeline_name`;
2. the same with `samples` as an array, the results in `items.properties`;
3. the flat form: `pipeline_name`, `samples`, `project` and `status` at the top;
4. the minimal form: the keys at the top are the results.

A document in which `properties` holds the results themselves is read as form 1 with
these as the results of samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.record import Level
from pipestat_spec.models.result_types import is_result_definition
from pipestat_spec.models.schema_errors import SchemaPath, schema_error
from pipestat_spec.models.schema_sections import (
    ADDITIONAL,
    LevelSection,
    containers,
    declarations,
    direct_results,
    read_section,
    rules,
)
from pipestat_spec.models.text import nearest

__all__ = ["Sections", "find_sections"]

_SECTIONS: Mapping[str, Level] = {"samples": "sample", "project": "project"}


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
    if isinstance(properties, Mapping):
        return _json_schema_form(document, properties, source)
    if _is_flat(document):
        _refuse_strays(document, (), source, _SECTIONS, wrapped=False)
        levels = _levels(document, document, (), source)
        return _sections(levels, ((document, ()),))
    status = _status_section(document, (), wrapped=False)
    level = direct_results(document, (), ("status",) if status else ())
    return _sections({"sample": level}, ((document, ()),))


def _is_flat(document: Mapping[Any, Any]) -> bool:
    """Tell sections with results from results that are called `samples` or `project`.

    Where such a key could be both, it is a section unless other results stand beside it.
    """
    named = [document[key] for key in _SECTIONS if key in document]
    if not all(is_result_definition(value) for value in named):
        return True
    beside = (key for key in document if key not in (*_SECTIONS, ADDITIONAL))
    return any(
        isinstance(value, Mapping) and containers(document, value, ()) for value in named
    ) and not any(is_result_definition(document[key]) for key in beside)


def _json_schema_form(
    document: Mapping[Any, Any], properties: Mapping[Any, Any], source: str | None
) -> Sections:
    root: SchemaPath = ("properties",)
    _refuse_strays(document, (), source, root)
    if any(key in properties for key in _SECTIONS):
        _refuse_strays(properties, root, source, _SECTIONS)
        levels = _levels(document, properties, root, source)
    elif is_result_definition(properties):
        raise schema_error(
            source,
            root,
            "holds the results and is none itself",
            "give the result another name, or put it under samples",
        )
    else:
        levels = {"sample": _results_in_properties(properties, root, document)}
    return _sections(levels, ((properties, root), (document, ())), wrapped=True)


def _results_in_properties(
    properties: Mapping[Any, Any], path: SchemaPath, document: Mapping[Any, Any]
) -> LevelSection:
    parts = {"status"} if _status_section(properties, path, wrapped=True) else set()
    if not is_result_definition(properties.get("pipeline_name")):
        parts.add("pipeline_name")
    results = {key: value for key, value in properties.items() if key not in parts}
    return LevelSection(declarations(results, path), rules((document, ())))


_Holders = Iterable[tuple[Mapping[Any, Any], SchemaPath]]


def _sections(
    levels: Mapping[Level, LevelSection], holders: _Holders, *, wrapped: bool = False
) -> Sections:
    """Put the parts together; name and status are those of the first holder that has them."""
    name: tuple[object, SchemaPath] | None = None
    status: tuple[object, SchemaPath] | None = None
    for holder, path in holders:
        if name is None and "pipeline_name" in holder:
            name = holder["pipeline_name"], (*path, "pipeline_name")
        status = status or _status_section(holder, path, wrapped=wrapped)
    every = {level: levels.get(level, LevelSection()) for level in _SECTIONS.values()}
    return Sections(every, *(name or (None, None)), *(status or (None, None)))


def _status_section(
    mapping: Mapping[Any, Any], path: SchemaPath, *, wrapped: bool
) -> tuple[object, SchemaPath] | None:
    """Return the status section; a result called `status` is none, and refused as a result.

    `wrapped` says that the statuses may stand in its `properties`.
    """
    if "status" not in mapping:
        return None
    status = mapping["status"]
    inside = status.get("properties") if wrapped and isinstance(status, Mapping) else None
    if isinstance(inside, Mapping) and not any(map(is_result_definition, inside.values())):
        return inside, (*path, "status", "properties")
    return None if is_result_definition(status) else (status, (*path, "status"))


def _refuse_strays(
    mapping: Mapping[Any, Any],
    path: SchemaPath,
    source: str | None,
    holders: Collection[str],
    *,
    wrapped: bool = True,
) -> None:
    """Refuse results beside the keys that hold them, where they would get lost.

    Any other key there means nothing.
    """
    known = {*holders, ADDITIONAL}
    if _status_section(mapping, path, wrapped=wrapped):
        known.add("status")
    for key, value in mapping.items():
        if key in known:
            continue
        near = nearest(key.lower(), _SECTIONS) if isinstance(key, str) else None
        if is_result_definition(value) or (near and _holds_results(value)):
            raise _stray(str(key), path, source, near, in_sections="samples" in holders)


def _stray(
    key: str, path: SchemaPath, source: str | None, near: str | None, *, in_sections: bool
) -> SchemaError:
    if in_sections:
        beside = "the sections samples and project"
        fix = f"move it into {'.'.join((*path, 'samples'))}"
    else:
        beside = "properties, which holds the results"
        fix = f"move it to properties.{key if near else f'samples.properties.{key}'}"
    if near and near != key:
        fix = f"did you mean {near}?"
    return schema_error(source, (*path, key), f"stands beside {beside}", fix)


def _holds_results(value: object) -> bool:
    """Tell whether a mapping looks like a section."""
    if not isinstance(value, Mapping):
        return False
    places = [value, value.get("properties"), value.get("items")]
    if isinstance(value.get("items"), Mapping):
        places.append(value["items"].get("properties"))
    return any(
        is_result_definition(member)
        for place in places
        if isinstance(place, Mapping)
        for member in place.values()
    )


def _levels(
    document: Mapping[Any, Any], mapping: Mapping[Any, Any], path: SchemaPath, source: str | None
) -> dict[Level, LevelSection]:
    return {
        level: read_section(document, mapping[key], (*path, key), source)
        for key, level in _SECTIONS.items()
        if key in mapping
    }
