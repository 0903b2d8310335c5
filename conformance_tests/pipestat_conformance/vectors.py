"""Vectors: scenarios with the answers that the specification asks for.

A file below `vectors/` holds one vector or an array of them; `protocol/vector.schema.json`
says what a vector is, and `protocol/README.md` explains it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

from pipestat_conformance.data_files import data_files, protocol_schema, read_data
from pipestat_conformance.special_values import parse_json

__all__ = [
    "FILE_STEPS",
    "TABLE_STEPS",
    "Opening",
    "Step",
    "Vector",
    "VectorError",
    "digest",
    "load_vectors",
    "parse_vectors",
]

DEFAULT_NAMESPACE = "ns"
# Vectors about answers run where local time is not UTC, so that one is not taken for the other.
ZONE = "Etc/GMT-5"
# Steps that another program makes, and not the target.
FILE_STEPS = ("put_file", "remove_file")
TABLE_STEPS = ("make_table", "insert_rows", "update_rows", "add_column")


class VectorError(Exception):
    """A vector is wrong; the text names its file and what is wrong."""


@dataclass(frozen=True)
class Opening:
    """What a store is opened with: an output schema (None: without) and settings."""

    schema: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, args: Mapping[str, Any]) -> Opening:
        """Return the opening of a `reopen` step that brings a schema or settings."""
        schema = load_schema(args["schema"]) if "schema" in args else self.schema
        return Opening(schema, {**self.settings, **args.get("settings", {})})


@dataclass(frozen=True)
class Step:
    """One operation and what it has to answer; `connection` names who asks."""

    id: str
    op: str
    args: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=lambda: {"ok": True})
    connection: str = "main"
    save: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the step as it stands in a vector."""
        shown: dict[str, Any] = {"id": self.id, "op": self.op}
        if self.args:
            shown["args"] = self.args
        if self.connection != "main":
            shown["connection"] = self.connection
        return {**shown, "expect": self.expect}


@dataclass(frozen=True)
class Vector:
    """One scenario. What follows `source` belongs to interchange vectors only."""

    id: str
    requirements: tuple[str, ...]
    steps: tuple[Step, ...]
    opening: Opening = Opening()
    open_expect: Mapping[str, Any] = field(default_factory=lambda: {"ok": True})
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    profile: str = "core"
    since: str = "1.0"
    title: str = ""
    source: str = ""
    files: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    path: str = "results.yaml"
    timezone: str = ZONE
    tables: Mapping[str, Any] | None = None
    dialects: tuple[str, ...] = ()

    @property
    def interchange(self) -> bool:
        """Whether it is about the files or tables of a store, and not only about answers."""
        return bool(
            self.files is not None
            or self.after is not None
            or self.about_tables
            or any(step.op in FILE_STEPS for step in self.steps)
        )

    @property
    def about_tables(self) -> bool:
        """Whether it is about the tables of a database."""
        return bool(
            self.tables is not None
            or {"tables", "only_tables"} & (self.after or {}).keys()
            or any(step.op in TABLE_STEPS for step in self.steps)
        )


@cache
def load_vectors() -> tuple[Vector, ...]:
    """Return all vectors, by id; raises VectorError.

    They are taken to have the form that `parse_vectors` checks, which takes seconds for all of
    them: whoever changes one runs the tests of the suite.
    """
    vectors: dict[str, Vector] = {}
    for path, file in data_files("vectors", ".json"):
        for vector in _parsed(_read(path, file), path):
            if vector.id in vectors:
                raise VectorError(f"{path}: the id {vector.id!r} is in {vectors[vector.id].source}")
            vectors[vector.id] = vector
    return tuple(vectors[id] for id in sorted(vectors))


def _read(path: str, file: Traversable) -> Any:
    try:
        return parse_json(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise VectorError(f"{path}: {error}") from None


def parse_vectors(document: Any, source: str) -> list[Vector]:
    """Check one vector, or an array of them; raises VectorError."""
    validator = _validator()
    for entry in _entries(document):
        problems = sorted(validator.iter_errors(entry), key=lambda e: list(map(str, e.path)))
        if problems:
            name = entry.get("id", "?") if isinstance(entry, dict) else "?"
            where = "/".join(map(str, problems[0].absolute_path))
            raise VectorError(f"{source}: {name}: {where}: {problems[0].message}")
    return _parsed(document, source)


def _entries(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _parsed(document: Any, source: str) -> list[Vector]:
    return [_vector(entry, source) for entry in _entries(document)]


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(protocol_schema("vector")))


def _vector(entry: Mapping[str, Any], source: str) -> Vector:
    steps = _steps(entry.get("steps", []), f"{source}: {entry['id']}")
    vector = Vector(
        id=entry["id"],
        requirements=tuple(entry["requirements"]),
        steps=steps,
        opening=_opening(entry, f"{source}: {entry['id']}"),
        open_expect=entry.get("open", {"ok": True}),
        needs=tuple(entry.get("needs", [])),
        unless=tuple(entry.get("unless", [])),
        profile=entry.get("profile", ""),
        since=entry.get("since", "1.0"),
        title=entry.get("title", ""),
        source=source,
        files=entry.get("files"),
        after=entry.get("after"),
        path=entry.get("path", "results.yaml"),
        timezone=entry.get("timezone", ""),
        tables=entry.get("tables"),
        dialects=tuple(entry.get("dialects", [])),
    )
    if vector.about_tables:
        _check_tables(vector, f"{source}: {vector.id}")
    default = "yaml-layout" if vector.interchange else "core"
    default = "sql-layout" if vector.about_tables or vector.dialects else default
    zone = "UTC" if vector.interchange else ZONE
    return replace(vector, profile=vector.profile or default, timezone=vector.timezone or zone)


def _check_tables(vector: Vector, where: str) -> None:
    """Raise VectorError unless the parts that are about tables fit together."""
    after = vector.after or {}
    about_files = {"files", "only", "bytes_unchanged"} & after.keys()
    if vector.files is not None or about_files or _ops(vector) & set(FILE_STEPS):
        raise VectorError(f"{where}: it is about files as well as about tables")
    for name, table in (vector.tables or {}).items():
        used = [c for row in table.get("rows", []) for c in row]
        used += [c for group in table.get("unique", []) for c in group]
        unknown = [column for column in used if column not in table["columns"]]
        if unknown:
            raise VectorError(f"{where}: tables/{name}: there is no column {unknown[0]!r}")


def _ops(vector: Vector) -> set[str]:
    return {step.op for step in vector.steps}


def _opening(entry: Mapping[str, Any], where: str) -> Opening:
    settings = dict(entry.get("settings", {}))
    try:
        schema = load_schema(entry.get("schema"))
    except (OSError, ValueError) as error:
        raise VectorError(f"{where}: schema: {error}") from None
    if "namespace" not in settings and not _names_pipeline(schema):
        settings["namespace"] = DEFAULT_NAMESPACE
    return Opening(schema, settings)


def _names_pipeline(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    inner = schema.get("properties")
    return "pipeline_name" in schema or (isinstance(inner, dict) and "pipeline_name" in inner)


def load_schema(schema: Any) -> Any:
    """Return a schema's document: a string names a file in `schemas/`, all else is one itself."""
    if not isinstance(schema, str):
        return schema
    return deepcopy(_schema_file(schema))


@cache
def _schema_file(name: str) -> Any:
    text = read_data("schemas", name)
    if name.endswith(".json"):
        return parse_json(text)
    import yaml

    return yaml.safe_load(text)


def _steps(entries: Sequence[Mapping[str, Any]], where: str) -> tuple[Step, ...]:
    steps = tuple(
        Step(
            id=str(entry.get("id", number)),
            op=entry["op"],
            args=entry.get("args", {}),
            expect=entry.get("expect", {"ok": True}),
            connection=entry.get("connection", "main"),
            save=entry.get("save"),
        )
        for number, entry in enumerate(entries, 1)
    )
    ids = [step.id for step in steps]
    twice = {id for id in ids if ids.count(id) > 1}
    if twice:
        raise VectorError(f"{where}: two steps have the id {min(twice)!r}")
    return steps


def digest(vectors: Iterable[Vector]) -> str:
    """Return what identifies a set of vectors: ids, steps, expectations, schemas, files, tables."""
    content = [
        [
            *(vector.id, vector.requirements, vector.profile, vector.since),
            *(vector.needs, vector.unless),
            *(vector.opening.schema, vector.opening.settings, vector.open_expect),
            [[*step.as_json().items(), step.save] for step in vector.steps],
            *(vector.files, vector.after, vector.path, vector.timezone),
            *(vector.tables, vector.dialects),
        ]
        for vector in sorted(vectors, key=lambda vector: vector.id)
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()
