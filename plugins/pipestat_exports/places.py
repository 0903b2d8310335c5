"""What the output schema says of the places inside results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pipestat_spec.json_values import JSONValue

if TYPE_CHECKING:
    from pipestat_spec.models.query import FieldPath
    from pipestat_spec.models.schema.output_schema import LevelSchema

__all__ = ["FoundFile", "Places", "file_kind"]


class FoundFile(NamedTuple):
    """A file or an image in a value: the keys and indexes that lead to it, and what is there."""

    keys: tuple[str | int, ...]
    kind: str
    value: Mapping[str, JSONValue]

    @property
    def path(self) -> str:
        path = self.value["path"]
        return path if isinstance(path, str) else ""


class Places:
    """The schemas of the results of one level, references followed."""

    def __init__(self, schema: LevelSchema | None) -> None:
        self._level = schema
        self._results: dict[str, Mapping[str, Any]] = {}

    def schema(self, path: FieldPath) -> Mapping[str, Any] | None:
        """Return the schema of a result, or of a key inside it; None where there is none."""
        name, *keys = path
        part: Any = self._whole(name)
        for key in keys:
            properties = part.get("properties") if isinstance(part, Mapping) else None
            part = properties.get(key) if isinstance(properties, Mapping) else None
        return part if isinstance(part, Mapping) else None

    def _whole(self, name: str) -> Mapping[str, Any] | None:
        result = self._level.results.get(name) if self._level else None
        if result is None:
            return None
        if name not in self._results:
            self._results[name] = result.written_out
        return self._results[name]

    def text(self, path: FieldPath, key: str) -> str | None:
        """Return one of the texts about a place, such as its title."""
        found = (self.schema(path) or {}).get(key)
        return found if isinstance(found, str) and found else None

    def files(self, result: str, value: JSONValue) -> Iterator[FoundFile]:
        """Yield the files and images in a result's value.

        They are those that the schema calls so, and objects with a path and a title.
        """
        yield from _files(value, self._whole(result), ())


def file_kind(schema: object) -> str | None:
    """Return `file` or `image` where a schema is that of one."""
    kind = schema.get("object_type") if isinstance(schema, Mapping) else None
    return kind if kind in ("file", "image") else None


def _files(value: JSONValue, schema: Any, keys: tuple[str | int, ...]) -> Iterator[FoundFile]:
    schema = schema if isinstance(schema, Mapping) else {}
    if isinstance(value, Mapping):
        kind = file_kind(schema)
        titled = isinstance(value.get("title"), str)
        if isinstance(value.get("path"), str) and (kind is not None or titled):
            small = isinstance(value.get("thumbnail_path"), str)
            yield FoundFile(keys, kind or ("image" if small else "file"), value)
            return
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        for key, inner in value.items():
            yield from _files(inner, properties.get(key), (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _files(inner, schema.get("items"), (*keys, index))
