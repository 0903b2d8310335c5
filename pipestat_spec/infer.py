"""An output schema from the results that a file already holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipestat_spec.backend import Backend, Capability
from pipestat_spec.configuration import merge_config
from pipestat_spec.errors import (
    MissingConfigDataError,
    PipelineTypeNotSuppliedError,
    PipestatDataError,
    SchemaError,
)
from pipestat_spec.json_values import JSONValue
from pipestat_spec.logs import logger
from pipestat_spec.models.identifiers import check_result_identifier
from pipestat_spec.models.record import DEFAULT_PIPELINE_NAME, LEVELS, Level, Record
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from pipestat_spec.models.schema.types import OBJECT_TYPES, json_type
from pipestat_spec.opening import check_exists, choose_backend, load_config, store_settings
from pipestat_spec.plugins.loading import plugins
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.yaml_writer import yaml_text
from pipestat_spec.whole_files import replace_file

__all__ = ["infer_results", "infer_schema", "schema_text"]

_IMAGES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp"),
)
_SECTIONS: dict[Level, str] = {"project": "project", "sample": "samples"}


def infer_schema(
    results_file: str | os.PathLike[str] | None,
    output_file: str | os.PathLike[str] | None = None,
    level: str | None = None,
    strict: bool = False,
    pipeline_name: str | None = None,
) -> dict[str, Any]:
    """Return an output schema that the stored results fit; write it too when a file is named.

    `results_file` is the path or the address of a store, None for the one that is configured.
    `{"pipeline_name": ..., "project": {...}, "samples": {...}}`, a section only for a level
    that has results. Where the values of one result differ in type, the most common type is
    taken, with a warning; `strict` refuses. Integers and numbers together are numbers.
    `pipeline_name` chooses among several namespaces, or renames the only one. Raises
    SchemaError, StoreNotFoundError, and PipelineTypeNotSuppliedError for an unknown level.
    """
    if level is not None and level not in LEVELS:
        raise PipelineTypeNotSuppliedError(
            f"level {shorten(level)!r} is not one of {', '.join(LEVELS)}", level=level
        )
    namespace, backend = _open(results_file, pipeline_name)
    sections: dict[str, dict[str, Any]] = {}
    try:
        for known, section in _SECTIONS.items():
            if level in (None, known) and _offers(backend, known):
                results = infer_results(backend.scan(known), strict=strict)
                if results:
                    sections[section] = results
    finally:
        backend.close()
    if not sections:
        what = f"{level}-level results" if level else "results"
        place = backend.file or backend.url or f"namespace {namespace!r}"
        raise SchemaError(f"{place}: holds no {what} to infer a schema from")
    schema = _document(pipeline_name or namespace, sections)
    if output_file is not None:
        replace_file(output_file, schema_text(schema).encode())
    return schema


def _open(address: str | os.PathLike[str] | None, name: str | None) -> tuple[str, Backend]:
    """Open one namespace of a store for reading, whatever schema and name are configured."""
    given = {"results_file_path": address}
    config = merge_config(given, load_config(None), backends=plugins().backends)
    factory = choose_backend(config)
    rules = {"statuses": DEFAULT_STATUS_SCHEMA, "multi_namespaces": True}
    settings = store_settings(config, factory, **rules)
    found = factory.namespaces(settings)
    if name not in found and len(found) > 1:
        raise MissingConfigDataError(
            "the store holds several namespaces: " + ", ".join(found),
            hint="say which one with pipeline_name (--pipeline-name)",
        )
    namespace = name if name in found else next(iter(found), DEFAULT_PIPELINE_NAME)
    assert namespace is not None
    settings = replace(settings, namespace=namespace)
    backend = factory.open(settings)
    try:
        check_exists(backend, settings, factory.name)
    except BaseException:
        backend.close()
        raise
    return namespace, backend


def _offers(backend: Backend, level: Level) -> bool:
    return level == "sample" or Capability.PROJECT_LEVEL in backend.capabilities


def _document(pipeline_name: str, sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the flat form, or the JSON Schema form where a result's name would mislead it."""
    flat = {"pipeline_name": pipeline_name, **sections}
    try:
        levels = parse_output_schema(flat).levels
        found = {section: levels[level].results for level, section in _SECTIONS.items()}
        if all(found[section].keys() == sections.get(section, {}).keys() for section in found):
            return flat
    except SchemaError:
        pass
    nested = {name: {"type": "object", "properties": results} for name, results in sections.items()}
    document = {"type": "object", "properties": {"pipeline_name": pipeline_name, **nested}}
    parse_output_schema(document)
    return document


def infer_results(records: Iterable[Record], *, strict: bool = False) -> dict[str, dict[str, Any]]:
    """Return a definition of each result that the records have, in the order of appearance.

    Raises SchemaError when `strict` and the values of one differ in type.
    """
    shapes: dict[str, _Shape] = {}
    refused: set[str] = set()
    for record in records:
        for name, value in record.results.items():
            if name in shapes or _can_be_declared(name, refused):
                shapes.setdefault(name, _Shape()).add(value, record.key.identifier)
    return {
        name: {
            **shape.schema(f"result {name!r}", strict),
            "description": f"Inferred from {shape.count} record" + "s" * (shape.count > 1),
        }
        for name, shape in shapes.items()
    }


def _can_be_declared(name: str, refused: set[str]) -> bool:
    """Tell whether a schema can declare the result; warn of each that it cannot, once."""
    try:
        check_result_identifier(name)
    except PipestatDataError as error:
        if name not in refused:
            refused.add(name)
            logger().warning("%s is left out: %s", shorten(repr(name)), error.message)
        return False
    return True


@dataclass
class _Shape:
    """What was seen at one place: the records of each type, and what stands below."""

    count: int = 0
    seen: dict[str, dict[str, None]] = field(default_factory=dict)
    properties: dict[str, _Shape] = field(default_factory=dict)
    items: _Shape | None = None

    def add(self, value: JSONValue, record: str) -> None:
        self.count += 1
        self.seen.setdefault(_kind(value), {})[record] = None
        if isinstance(value, Mapping):
            for key, item in value.items():
                self.properties.setdefault(key, _Shape()).add(item, record)
        elif isinstance(value, list):
            self.items = self.items or _Shape()
            for item in value:
                self.items.add(item, record)

    def schema(self, name: str, strict: bool) -> dict[str, Any]:
        """Return the JSON Schema of the place; `name` is what messages call it."""
        kinds = self._kinds()
        if len(kinds) > 1:
            kinds = {_most_common(kinds, name, strict): []}
        return self._schema(next(iter(kinds), "null"), name, strict)

    def _schema(self, kind: str, name: str, strict: bool) -> dict[str, Any]:
        nullable = "null" in self.seen and kind != "null"
        schema: dict[str, Any] = {"type": [kind, "null"] if nullable else kind}
        if kind == "object" and self.properties:
            schema["properties"] = {
                key: shape.schema(f"{name}, key {key!r}", strict)
                for key, shape in self.properties.items()
            }
        elif kind == "array" and self.items is not None and self.items.count:
            items = self.items._item_schema(f"{name}, items", strict)
            if items:
                schema["items"] = items
        return schema

    def _item_schema(self, name: str, strict: bool) -> dict[str, Any]:
        """Return what all items are: several types in one array are no conflict."""
        kinds = self._kinds()
        if len(kinds) < 2:
            return self.schema(name, strict)
        if kinds.keys() & {"array", "object", *OBJECT_TYPES}:
            return {}
        return {"type": [*kinds, *(["null"] if "null" in self.seen else [])]}

    def _kinds(self) -> dict[str, list[str]]:
        """Return the records by type, null aside, types that include others joined with them."""
        kinds = {kind: list(records) for kind, records in self.seen.items() if kind != "null"}
        for wider, narrower in (("number", "integer"), ("image", "file")):
            if wider in kinds and narrower in kinds:
                kinds[wider] += kinds.pop(narrower)
        for narrower in OBJECT_TYPES:
            if "object" in kinds and narrower in kinds:
                kinds["object"] += kinds.pop(narrower)
        return kinds


def _kind(value: JSONValue) -> str:
    kind = json_type(value)
    if kind != "object":
        return kind
    path = value.get("path")
    if not isinstance(path, str) or not isinstance(value.get("title"), str):
        return kind
    if isinstance(value.get("thumbnail_path"), str) or os.path.splitext(path)[1].lower() in _IMAGES:
        return "image"
    return "file"


def _most_common(kinds: Mapping[str, list[str]], name: str, strict: bool) -> str:
    """Return the type that most records have, of equals the first; `strict` raises SchemaError."""
    told = ", ".join(f"{kind} in {_records(records)}" for kind, records in kinds.items())
    if strict:
        raise SchemaError(
            f"{name} has several types: {told}",
            hint="report one type, or infer without strict",
            types={kind: tuple(records) for kind, records in kinds.items()},
        )
    chosen = max(kinds, key=lambda kind: len(kinds[kind]))
    logger().warning("%s has several types: %s; %s is taken", name, told, chosen)
    return chosen


def _records(records: list[str]) -> str:
    names = ", ".join(repr(shorten(name, 40)) for name in records[:3])
    return names + (f" and {len(records) - 3} more" if len(records) > 3 else "")


def schema_text(schema: Mapping[str, Any]) -> str:
    """Return the schema as YAML that all parsers read alike (spec/writers.md)."""
    return yaml_text(dict(schema)) + "\n"
