"""How often a schema looks at one part of a value: bounded, or a few lines would never end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipestat_spec.domain.validation.engine import of_item, of_key
from pipestat_spec.errors import SchemaValidationErrorDuringReport
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.schema.keywords import IN_PLACE, MAX_APPLIED, parts
from pipestat_spec.models.schema.output_schema import ResultSchema
from pipestat_spec.text.strings import shorten

__all__ = ["check_texts", "check_work", "is_bounded"]

# What the squares of the lengths of all texts in a value may add up to: one of 10,000 characters.
_MAX_SQUARES = 10_000**2


def is_bounded(schema: ResultSchema) -> bool:
    """Tell whether the schema is small, with all its references written out."""
    sizes: dict[int, int] = {}

    def size(place: object) -> int:
        if not isinstance(place, Mapping):
            return 1
        if id(place) not in sizes:
            sizes[id(place)] = MAX_APPLIED  # where it is met again inside itself
            found = 1 + sum(size(part) for inside, part in parts(place) if inside[0] != "$defs")
            if "$ref" in place:
                found += size(schema.definitions.get(place["$ref"]))
            sizes[id(place)] = min(found, MAX_APPLIED)
        return sizes[id(place)]

    return size(schema.schema) < MAX_APPLIED


def check_texts(value: JSONValue, schema: ResultSchema) -> None:
    """Raise SchemaValidationErrorDuringReport for texts too long for look-around."""
    if sum(len(text) ** 2 for text in _texts(value)) > _MAX_SQUARES:
        raise SchemaValidationErrorDuringReport(
            f"result {schema.identifier!r}: its texts are too long for a pattern with look-around "
            "or back-references: more than 10000 characters, or many long ones",
            hint="write the pattern without them",
            result_identifier=schema.identifier,
            value=value,
            schema=schema.declared,
        )


def _texts(value: JSONValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
        yield from (value if isinstance(value, dict) else ())


def check_work(value: JSONValue, schema: ResultSchema) -> None:
    """Raise SchemaValidationErrorDuringReport where a part would be looked at too often.

    Each schema that applies to a part counts, as often as it is reached.
    """
    _Work(schema).check(value, [(schema.schema, 1)], "")


_Applied = dict[int, tuple[Mapping[str, Any], int]]


class _Work:
    """Counts along one value."""

    def __init__(self, schema: ResultSchema) -> None:
        self._schema = schema
        self._in_place: dict[int, _Applied] = {}

    def check(self, value: JSONValue, reached: Iterable[tuple[Any, int]], place: str) -> None:
        applied: _Applied = {}
        for schema, times in reached:
            _add(applied, self._all_in_place(schema), times)
        if sum(times for _, times in applied.values()) > MAX_APPLIED:
            raise SchemaValidationErrorDuringReport(
                f"result {self._schema.identifier!r} at {shorten(place)}: more than {MAX_APPLIED} "
                "schemas apply to this part of the value",
                hint="refer to a definition once, not in several branches",
                result_identifier=self._schema.identifier,
                value=value,
                schema=self._schema.declared,
            )
        if isinstance(value, dict):
            for name, item in value.items():
                self.check(item, _times(applied, _of_key, name), f"{place}.{name}".lstrip("."))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.check(item, _times(applied, _of_item, index), f"{place}[{index}]")

    def _all_in_place(self, schema: Any) -> _Applied:
        """Return what a schema applies to one value, itself included, and how often."""
        if not isinstance(schema, Mapping):
            return {}
        found = self._in_place.get(id(schema))
        if found is None:
            found = self._in_place[id(schema)] = {id(schema): (schema, 1)}
            for inside, part in parts(schema):
                if inside[0] in IN_PLACE:
                    _add(found, self._all_in_place(part), 1)
            if "$ref" in schema:
                target = self._schema.definitions.get(schema["$ref"])
                _add(found, self._all_in_place(target), 1)
        return found


def _add(applied: _Applied, more: _Applied, times: int) -> None:
    for key, (schema, count) in more.items():
        applied[key] = (schema, applied.get(key, (schema, 0))[1] + count * times)


def _times(applied: _Applied, inside: Any, key: Any) -> Iterator[tuple[Any, int]]:
    return ((part, times) for schema, times in applied.values() for part in inside(schema, key))


def _of_item(schema: Mapping[str, Any], index: int) -> list[object]:
    return [of_item(schema, index), schema.get("contains"), schema.get("unevaluatedItems")]


def _of_key(schema: Mapping[str, Any], name: str) -> list[object]:
    return [*of_key(schema, name), schema.get("unevaluatedProperties")]
