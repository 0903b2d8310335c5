"""Paths of files in results, as they are called where the results are read (`--path-prefix`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema
from pipestat_spec.models.schema.result_schema import in_place
from pipestat_spec.models.schema.types import OBJECT_TYPES
from pipestat_spec.text.strings import shorten

__all__ = ["PathPrefixes", "map_paths", "parse_path_prefix"]

# `thumbnail` is the other name of a thumbnail's path that reports may use.
_PATH_KEYS = ("path", "thumbnail_path", "thumbnail")


def parse_path_prefix(text: str) -> tuple[str, str]:
    """Return OLD and NEW of a text `OLD=NEW`; raises PipestatDataError."""
    old, sign, new = text.partition("=")
    if not sign or not old:
        raise PipestatDataError(
            f"{shorten(repr(text))} is not a path prefix", hint="write OLD=NEW", text=text
        )
    return old, new


class PathPrefixes:
    """Replaces the longest matching prefix of a path; prefixes end where a component ends."""

    def __init__(self, prefixes: Iterable[tuple[str, str]]) -> None:
        pairs = [(old.removesuffix("/"), new) for old, new in prefixes if old]
        self._pairs = sorted(pairs, key=lambda pair: len(pair[0]), reverse=True)

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def replace(self, path: str) -> str:
        """Return the mapped path, or `path` itself when no prefix fits."""
        for old, new in self._pairs:
            if path == old or path.startswith(old + "/"):
                rest = path[len(old) :]
                if not new:
                    return rest.lstrip("/") or "."
                return (new.removesuffix("/") + rest) or "/"
        return path


def map_paths(
    values: Mapping[str, JSONValue], level: LevelSchema | None, prefixes: PathPrefixes
) -> dict[str, JSONValue]:
    """Return results with the paths of their files and images mapped.

    A declared result is searched for what its schema calls a file or an image, at any
    depth; another one for objects that have the strings `path` and `title`.
    """
    return {name: _mapped(value, _schema(level, name), prefixes) for name, value in values.items()}


def _schema(level: LevelSchema | None, name: str) -> ResultSchema | None:
    if level is None:
        return None
    return level.results.get(name) or level.additional_schema(name)


def _mapped(value: JSONValue, schema: ResultSchema | None, prefixes: PathPrefixes) -> JSONValue:
    if schema is None:
        return _by_shape(value, prefixes)
    return _by_schema(value, [schema.schema], schema.definitions, prefixes)


def _by_shape(value: JSONValue, prefixes: PathPrefixes) -> JSONValue:
    if isinstance(value, list | tuple):
        return [_by_shape(item, prefixes) for item in value]
    if not isinstance(value, Mapping):
        return value
    is_file = isinstance(value.get("path"), str) and isinstance(value.get("title"), str)
    return {
        key: prefixes.replace(item)
        if is_file and key in _PATH_KEYS and isinstance(item, str)
        else _by_shape(item, prefixes)
        for key, item in value.items()
    }


def _by_schema(
    value: JSONValue,
    schemas: Iterable[object],
    definitions: Mapping[str, Any],
    prefixes: PathPrefixes,
) -> JSONValue:
    """Map the paths in a value to which `schemas` apply, each string once at most."""
    applicable = in_place(schemas, definitions)
    if not applicable:
        return value
    if isinstance(value, list | tuple):
        return [
            _by_schema(item, list(_of_item(applicable, i)), definitions, prefixes)
            for i, item in enumerate(value)
        ]
    if not isinstance(value, Mapping):
        return value
    is_file = any(schema.get("object_type") in OBJECT_TYPES for schema in applicable)
    return {
        key: prefixes.replace(item)
        if is_file and key in _PATH_KEYS and isinstance(item, str)
        else _by_schema(item, list(_of_property(applicable, str(key))), definitions, prefixes)
        for key, item in value.items()
    }


def _of_item(schemas: Iterable[Mapping[str, Any]], index: int) -> Iterator[Any]:
    for schema in schemas:
        first = schema.get("prefixItems")
        if isinstance(first, list) and index < len(first):
            yield first[index]
        else:
            yield schema.get("items")


def _of_property(schemas: Iterable[Mapping[str, Any]], key: str) -> Iterator[Any]:
    for schema in schemas:
        named = schema.get("properties", {}).get(key)
        patterns = schema.get("patternProperties", {})
        matching = [patterns[pattern] for pattern in patterns if re.search(pattern, key)]
        yield from [named, *matching] if named or matching else [schema.get("additionalProperties")]
