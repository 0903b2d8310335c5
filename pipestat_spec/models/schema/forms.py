"""The four forms of an output schema, brought to one (spec/schema.md).

1. the JSON Schema form: `properties.samples.properties`, `properties.pipeline_name`;
2. the same with `samples` as an array, the results in `items.properties`;
3. the flat form: `pipeline_name`, `samples`, `project` and `status` at the top;
4. the minimal form: the keys at the top are the results.

A document in which `properties` holds the results themselves is read as form 1 with
these as the results of samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.record import Level
from pipestat_spec.models.schema.types import (
    QC,
    VALIDATION_KEYWORDS,
    SchemaPath,
    is_result_definition,
    schema_error,
)
from pipestat_spec.problems import Problems
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "ABOUT",
    "ADDITIONAL",
    "EMPTY_SECTION",
    "KEYWORDS",
    "Declaration",
    "LevelSection",
    "Sections",
    "containers",
    "declarations",
    "direct_results",
    "find_sections",
    "held_result",
    "read_section",
    "refuse_section",
    "rules",
]

ADDITIONAL = "additionalProperties"
# Keys beside results that describe the document or the level; a result may bear such a
# name all the same when what stands there defines one.
ABOUT = frozenset((
    "author", "authors", "definitions", "description", "license", "pipeline_name", "qc",
    "required", "schema_version", "title", "type", "url", "version",
))  # fmt: skip


class Declaration(NamedTuple):
    """A result as written, and where it stands."""

    name: object
    schema: object
    path: SchemaPath


class LevelSection(NamedTuple):
    """The results of one level; `rules` holds its other keywords, each with its place."""

    results: tuple[Declaration, ...] = ()
    rules: Mapping[Any, tuple[Any, SchemaPath]] = MappingProxyType({})

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
    named = isinstance(key, str) and (key in ABOUT or key.startswith(("$", "x-")))
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
    is_empty = value.get("type") in ("object", ["object"]) and value.keys() <= EMPTY_SECTION
    if not found and (held := held_result(document, value)) is not None:
        raise schema_error(
            source,
            (*path, held),
            "stands beside keywords of a schema",
            "indent what belongs to it, and put the results under properties",
        )
    if not found and not is_empty:
        raise schema_error(
            source,
            path,
            "the section has a type but no properties",
            "put the results under properties",
        )
    return LevelSection(results, rules(*found, (value, path)))


# What a section without any result may hold.
EMPTY_SECTION = frozenset((ADDITIONAL, "description", "qc", "required", "title", "type"))


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


_SECTIONS: Mapping[str, Level] = {"samples": "sample", "project": "project"}


class Sections(NamedTuple):
    """The parts of an output schema; `status_path` is None where there is no such section."""

    levels: Mapping[Level, LevelSection]
    pipeline_name: object = None
    pipeline_name_path: SchemaPath | None = None
    status: object = None
    status_path: SchemaPath | None = None


def find_sections(document: Mapping[Any, Any], source: str | None, problems: Problems) -> Sections:
    """Return the parts of `document`, whatever its form; raises SchemaError."""
    properties = document.get("properties")
    if isinstance(properties, Mapping):
        return _json_schema_form(document, properties, source, problems)
    if _is_flat(document):
        _refuse_strays(document, (), source, _SECTIONS, problems, wrapped=False)
        levels = _levels(document, document, (), source, problems)
        return _sections(levels, ((document, ()),))
    status = _status_section(document, (), wrapped=False)
    level = direct_results(document, (), ("status",) if status else ())
    return _sections({"sample": level}, ((document, ()),))


def _is_flat(document: Mapping[Any, Any]) -> bool:
    """Tell sections with results from results that are called `samples` or `project`."""
    named = [document[key] for key in _SECTIONS if key in document]
    return any(
        not is_result_definition(value)
        or containers(document, value, ())
        or held_result(document, value) is not None
        for value in named
    )


def _json_schema_form(
    document: Mapping[Any, Any],
    properties: Mapping[Any, Any],
    source: str | None,
    problems: Problems,
) -> Sections:
    root: SchemaPath = ("properties",)
    has_sections = any(key in properties for key in _SECTIONS)
    _refuse_strays(document, (), source, root, problems, is_level=not has_sections)
    if has_sections:
        _refuse_strays(properties, root, source, _SECTIONS, problems)
        levels = _levels(document, properties, root, source, problems)
    elif is_result_definition(properties):
        levels = {}
        with problems:
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
    problems: Problems,
    *,
    wrapped: bool = True,
    is_level: bool = False,
) -> None:
    """Refuse results and QC rules beside the keys that hold them, where they would get lost.

    `is_level` says that rules of a level may stand here. Any other key means nothing.
    """
    known = {*holders, ADDITIONAL}
    if _status_section(mapping, path, wrapped=wrapped):
        known.add("status")
    for key, value in mapping.items():
        if key in known:
            continue
        is_result = is_result_definition(value)
        near = None
        if isinstance(key, str) and (is_result or held_result(mapping, value)):
            near = nearest(key.lower(), _SECTIONS)
        with problems:
            if is_result or near:
                raise _stray(str(key), path, source, near, in_sections="samples" in holders)
            if key == QC and not is_level:
                problem = "the QC rules of a level stand in its section"
                raise schema_error(source, (*path, QC), problem, "move them into samples")


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
    elif key.startswith("x-"):
        fix = "put what several results share under $defs; anchors may stand there too"
    return schema_error(source, (*path, key), f"stands beside {beside}", fix)


# What is refused in the place of a result when it holds results, in any case of letters.
_SECTION_NAMES = {
    **dict.fromkeys(("sample", "samples"), "samples"),
    **dict.fromkeys(("project", "projects"), "project"),
}
# What may stand in a result's definition and is no result there.
KEYWORDS = VALIDATION_KEYWORDS | ABOUT | {
    "contentEncoding", "contentMediaType", "contentSchema", "default", "deprecated", "examples",
    "format", "highlight", "index", "object_type", "readOnly", "writeOnly",
}  # fmt: skip


def refuse_section(
    document: Mapping[Any, Any], name: str, schema: object, path: SchemaPath, source: str | None
) -> None:
    """Raise SchemaError for a section in the place of a result: misspelt, or indented wrongly."""
    section = _SECTION_NAMES.get(name.lower())
    if section is None and not is_result_definition(schema):
        section = nearest(name.lower(), _SECTIONS)
    held = held_result(document, schema)
    if section is None or held is None:
        return
    fix = f"did you mean {section}?"
    if name == section:
        fix = "indent it as the section that it is, or give the result another name"
    problem = f"holds the result {shorten(held)!r} as a section does, in the place of a result"
    raise schema_error(source, path, problem, fix)


def held_result(document: Mapping[Any, Any], value: object) -> str | None:
    """Return a result that a mapping holds as a section does, or None.

    Where lines have lost their indentation it stands beside keywords, with nothing in it.
    """
    if not isinstance(value, Mapping):
        return None
    value = _target(document, value)
    items = value.get("items")
    holders = [value, _target(document, items)] if isinstance(items, Mapping) else [value]
    for holder in holders:
        properties = holder.get("properties")
        for key, member in (properties if isinstance(properties, Mapping) else {}).items():
            if is_result_definition(member):
                return str(key)
        for key, member in holder.items():
            lost = member is None and is_result_definition(holder)
            if (lost or is_result_definition(member)) and not _is_keyword(key, holder):
                return str(key)
    return None


def _is_keyword(key: object, holder: Mapping[Any, Any]) -> bool:
    """Tell whether a key says something of its holder; without a type all may be results."""
    named = isinstance(key, str) and (key in KEYWORDS or key.startswith(("$", "x-")))
    return named and is_result_definition(holder)


def _levels(
    document: Mapping[Any, Any],
    mapping: Mapping[Any, Any],
    path: SchemaPath,
    source: str | None,
    problems: Problems,
) -> dict[Level, LevelSection]:
    levels: dict[Level, LevelSection] = {}
    for key, level in _SECTIONS.items():
        if key in mapping:
            with problems:
                levels[level] = read_section(document, mapping[key], (*path, key), source)
    return levels
