"""Mutants of spec/schema.md: output schemas that are read in another way than they are meant."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, opening, operation
from pipestat_spec.errors import SchemaError, SchemaValidationErrorDuringReport
from pipestat_spec.text.patterns import PatternError, translated

_Settings = dict[str, Any]


def everywhere(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return the document with each of its objects changed, the inner ones first."""
    if isinstance(value, dict):
        return change({key: everywhere(item, change) for key, item in value.items()})
    if isinstance(value, list):
        return [everywhere(item, change) for item in value]
    return value


def _sections(schema: Any) -> list[dict[str, Any]]:
    """Return the sections of both levels, in the forms that have any."""
    if not isinstance(schema, dict):
        return []
    top = schema.get("properties", schema)
    found = [top.get(name) for name in ("samples", "project")] if isinstance(top, dict) else []
    return [section for section in found if isinstance(section, dict)]


@opening("PS-SCH-001")
def array_form_unknown(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A section that is an array, as in form 2, is refused."""
    if any(section.get("type") == "array" for section in _sections(schema)):
        raise SchemaError("a section is an object")
    return schema


@opening("PS-SCH-002")
def samples_is_always_a_section(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A top-level `samples` is a section, also where it is a result's definition."""
    if isinstance(schema, dict) and "properties" not in schema and "samples" in schema:
        section = schema["samples"]
        if isinstance(section, dict) and isinstance(section.get("type"), str):
            raise SchemaError("samples: a section holds results")
    return schema


@opening("PS-SCH-003")
def unknown_keys_skipped(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """In the minimal form, keys whose values are no definitions are skipped."""
    if not isinstance(schema, dict) or "properties" in schema or _sections(schema):
        return schema
    kept = ("additionalProperties", "pipeline_name")
    return {k: v for k, v in schema.items() if isinstance(v, dict) or k in kept}


@opening("PS-SCH-016")
def misplaced_results_are_lost(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Results beside the sections, or beside `properties`, are left out without a word."""
    if not isinstance(schema, dict):
        return schema
    parts = ("samples", "project", "pipeline_name", "status", "additionalProperties", "$defs")
    inside = schema.get("properties")
    if isinstance(inside, dict):
        if "samples" in inside or "project" in inside:
            inside = {key: inside[key] for key in inside if key in parts}
        return {**{key: schema[key] for key in schema if key in parts[2:]}, "properties": inside}
    section = schema.get("samples", {"type": ""})
    is_flat = isinstance(section, dict) and not isinstance(section.get("type"), str)
    return {key: schema[key] for key in schema if key in parts} if is_flat else schema


@opening("PS-SCH-017")
def sections_need_properties(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """In form 1 a section that holds its results directly is refused."""
    inside = schema.get("properties") if isinstance(schema, dict) else None
    sections = [(inside or {}).get(key) for key in ("samples", "project")]
    if any(
        isinstance(one, dict) and not one.keys() & {"properties", "items", "$ref"}
        for one in sections
    ):
        raise SchemaError("a section has properties")
    return schema


@opening("PS-SCH-018")
def misplaced_sections_are_results(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A section that is misspelt, with a type, is a result that is an object."""
    names = ("sample", "samples", "projects")
    if not isinstance(schema, dict) or schema.keys() & {"properties", "samples", "project"}:
        return schema
    return {f"the {k}" if k.lower() in names else k: v for k, v in schema.items()}


@opening("PS-SCH-004", "PS-CFG-005")
def namespace_of_the_schema_is_stronger(schema: Any, settings: _Settings) -> Any:
    """The schema's `pipeline_name` is stronger than the caller's namespace."""
    if isinstance(schema, dict):
        inner = schema.get("properties")
        named = inner if isinstance(inner, dict) else schema
        if isinstance(named.get("pipeline_name"), str):
            settings.pop("namespace", None)
    return schema


@opening("PS-SCH-005")
def unknown_types_are_strings(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A type that does not exist is taken for `string`."""
    known = ("null", "boolean", "integer", "number", "string", "array", "object", "file", "image")

    def change(found: dict[str, Any]) -> dict[str, Any]:
        wrong = isinstance(found.get("type"), str) and found["type"] not in known
        return {**found, "type": "string"} if wrong else found

    return everywhere(schema, change)


@opening("PS-SCH-006", "PS-RES-002")
def only_types_validated(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """All keywords but those for types and structure are ignored."""
    ignored = {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
        *("if", "then", "else", "not", "contains", "dependentRequired", "propertyNames"),
    }
    return everywhere(schema, lambda found: {k: v for k, v in found.items() if k not in ignored})


@opening("PS-SCH-007")
def keywords_beside_references_ignored(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Keywords beside a `$ref` are ignored, as in old drafts of JSON Schema."""
    return everywhere(schema, lambda found: {"$ref": found["$ref"]} if "$ref" in found else found)


def _patterns(schema: Any, change: Callable[[str], str | None]) -> Any:
    """Return the schema with each `pattern` changed, or left out for None."""

    def changed(found: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(found.get("pattern"), str):
            return found
        pattern = change(found["pattern"])
        rest = {key: value for key, value in found.items() if key != "pattern"}
        return rest if pattern is None else {**rest, "pattern": pattern}

    return everywhere(schema, changed)


@opening("PS-SCH-019")
def end_before_a_line_feed(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """`$` is also the place before a last line feed."""
    return _patterns(schema, lambda p: f"{p[:-1]}\\n?$" if p.endswith("$") else p)


@opening("PS-SCH-019")
def words_of_unicode(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """The characters of words are those of all scripts."""
    return _patterns(schema, lambda p: p.replace("[\\w", "[\\w\\p{L}"))


@opening("PS-SCH-019")
def unknown_patterns_fit_anything(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A pattern that ECMA-262 does not know is left out."""

    def known(pattern: str) -> str | None:
        try:
            translated(pattern)
        except PatternError:
            return None
        return pattern

    return _patterns(schema, known)


@operation("PS-SCH-020", on="report")
def multiples_by_doubles(call: Call) -> Any:
    """A multiple is one whose remainder as a double is 0."""
    samples = (call.session.opening.schema or {}).get("samples") or {}
    for name, value in call.values.items():
        step = samples.get(name, {}).get("multipleOf")
        if step and isinstance(value, float) and math.fmod(value, step):
            raise SchemaValidationErrorDuringReport(f"{value} is no multiple of {step}")
    return call.go()


@opening("PS-SCH-020")
def bounds_as_doubles(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Integers are compared with a bound as doubles."""

    def change(found: dict[str, Any]) -> dict[str, Any]:
        bound: Any = found.get("maximum")
        wide = isinstance(bound, int) and bound >= 2**53
        return {**found, "maximum": bound + 1} if wide else found

    return everywhere(schema, change)


@opening("PS-SCH-021")
def doubled_work_is_done(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """However often definitions double, the schema is taken."""

    def change(found: dict[str, Any]) -> dict[str, Any]:
        branches: Any = found.get("allOf")
        doubled = isinstance(branches, list) and branches == branches[:1] * 2
        return {**found, "allOf": branches[:1]} if doubled else found

    return everywhere(schema, change)


@opening("PS-SCH-007")
def references_lead_anywhere(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A reference out of the document, or to nothing, admits anything."""
    defs = schema.get("$defs", {}) if isinstance(schema, dict) else {}

    def change(found: dict[str, Any]) -> dict[str, Any]:
        target = found.get("$ref")
        if isinstance(target, str) and target.removeprefix("#/$defs/").split("/")[0] not in defs:
            return {"anyOf": [{}]}
        return found

    return everywhere(schema, change)


@opening("PS-SCH-008")
def shorthands_only_at_the_top(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """`file` and `image` inside of a definition are any object."""

    def inside(found: dict[str, Any]) -> dict[str, Any]:
        return {**found, "type": "object"} if found.get("type") in ("file", "image") else found

    def change(found: dict[str, Any]) -> dict[str, Any]:
        parts = ("properties", "items", "anyOf", "oneOf", "allOf", "prefixItems")
        if found.get("type") in ("object", "array"):
            return {k: everywhere(v, inside) if k in parts else v for k, v in found.items()}
        return found

    if isinstance(schema, dict) and "properties" not in schema and not _sections(schema):
        return {k: change(v) if isinstance(v, dict) else v for k, v in schema.items()}
    return schema


@opening("PS-SCH-009")
def required_beside_a_shorthand_ignored(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """What a definition requires beside the shorthand is forgotten."""

    def change(found: dict[str, Any]) -> dict[str, Any]:
        if found.get("type") in ("file", "image"):
            return {k: v for k, v in found.items() if k != "required"}
        return found

    return everywhere(schema, change)


@operation("PS-SCH-010", on="retrieve value")
def thumbnail_not_renamed(call: Call) -> Any:
    """The thumbnail of an image is kept under `thumbnail`."""

    def change(found: dict[str, Any]) -> dict[str, Any]:
        return {"thumbnail" if k == "thumbnail_path" else k: v for k, v in found.items()}

    return everywhere(call.go(), change)


@operation("PS-SCH-010", on="retrieve value")
def thumbnail_fallback_stored(call: Call) -> Any:
    """An image without thumbnail has its path for one."""
    schema = call.store.settings.schema
    results = schema.levels["sample"].results if schema else {}
    images = {name for name, result in results.items() if result.object_type == "image"}

    def change(name: str, value: Any) -> Any:
        if name in images and isinstance(value, dict) and "path" in value:
            return {"thumbnail_path": value["path"], **value}
        return value

    found = call.go()
    if call.op == "value":
        return change(call.args["result"], found)
    return {name: change(name, value) for name, value in found.items()}


@operation("PS-SCH-011", on="highlighted")
def highlights_in_alphabetical_order(call: Call) -> Any:
    """Highlighted results are listed in alphabetical order."""
    return sorted(call.go())


@operation("PS-SCH-011", on="highlighted")
def everything_is_highlighted(call: Call) -> Any:
    """Every result of the schema is highlighted."""
    schema = call.store.settings.schema
    return list(schema.levels[call.level].results) if schema else []  # type: ignore[index]


@operation("PS-SCH-012", on="select")
def indexed_text_compared_without_case(call: Call) -> Any:
    """The index of a result holds lower-case text, and so do its answers."""
    indexed = _indexed(call.session.opening.schema)
    where = call.args.get("where")
    if indexed and where is not None and any(name in where for name in indexed):
        return call.go(where=where.lower())
    return call.go()


def _indexed(schema: Any) -> list[str]:
    found: list[str] = []

    def change(value: dict[str, Any]) -> dict[str, Any]:
        found.extend(k for k, v in value.items() if isinstance(v, dict) and v.get("index") is True)
        return value

    everywhere(schema, change)
    return found


@operation("PS-SCH-012", on="report")
def indexed_text_cut(call: Call) -> Any:
    """Text of an indexed result is cut to what the index holds."""
    indexed = _indexed(call.session.opening.schema)
    values = {k: v[:255] if k in indexed and type(v) is str else v for k, v in call.values.items()}
    return call.go(values=values)


@operation("PS-SCH-022", on="report")
def close_values_are_equal(call: Call) -> Any:
    """A number within the absolute tolerance of the stored one is not stored."""
    schema = call.session.opening.schema
    stored = call.current.results if call.current else {}

    def is_close(name: str, value: Any) -> bool:
        rules = schema.get(name) if isinstance(schema, dict) else None
        atol = rules.get("atol") if isinstance(rules, dict) else None
        numbers = atol is not None and isinstance(value, float) and name in stored
        return numbers and abs(value - stored[name]) <= atol

    return call.go(values={k: stored[k] if is_close(k, v) else v for k, v in call.values.items()})


@opening("PS-SCH-013", "PS-RES-004")
def closed_levels_are_open(schema: Any, settings: _Settings) -> Any:
    """`additionalProperties: false` is ignored, in the schema and in the settings."""
    settings.pop("additional_properties", None)
    for section in (schema, *_sections(schema)):
        for place in (section, section.get("items")) if isinstance(section, dict) else ():
            if isinstance(place, dict) and place.get("additionalProperties") is False:
                place["additionalProperties"] = True
    return schema


@opening("PS-SCH-014", "PS-STA-002")
def status_section_ignored(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """The status section of an output schema is ignored."""
    if isinstance(schema, dict):
        for place in (schema, schema.get("properties")):
            if isinstance(place, dict):
                place.pop("status", None)
    return schema


@opening("PS-CFG-005")
def namespace_of_the_caller_ignored(schema: Any, settings: _Settings) -> Any:
    """A namespace that the caller gives is ignored."""
    settings["namespace"] = "default_pipeline_name"
    return schema


@opening("PS-CFG-007", "PS-RES-002")
def validation_off_by_default(schema: Any, settings: _Settings) -> Any:
    """Values are validated only when the caller asks for it."""
    settings.setdefault("validate_results", False)
    return schema
