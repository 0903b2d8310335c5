"""When two numbers of a result count as equal, and which of them is better (spec/schema.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, NamedTuple, TypeAlias

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.record import Level
from pipestat_spec.models.schema.keywords import subschemas
from pipestat_spec.models.schema.output_schema import OutputSchema
from pipestat_spec.models.schema.result_schema import ResultSchema
from pipestat_spec.models.schema.types import SchemaPath, schema_error
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "BETTER",
    "Better",
    "Criteria",
    "Criterion",
    "Place",
    "check_criteria",
    "is_close",
    "parse_tolerance",
]

Better: TypeAlias = Literal["higher", "lower"]
BETTER: tuple[Better, ...] = ("higher", "lower")
Number: TypeAlias = int | float
# What leads to a value inside a result: keys of objects, places in arrays.
Place: TypeAlias = tuple[str | int, ...]
_PERCENT = re.compile(r"(\d+\.?\d*(?:[eE][+-]?\d+)?)\s*%", re.ASCII)
_KEYS = ("atol", "rtol", "better")
# Where the doubles cannot tell, as much of a bound.
_DOUBT = 1e-9


class Criterion(NamedTuple):
    """How two numbers are compared: `after` equals `before` within `atol + rtol * |before|`.

    Both None: they are compared like other values. `better` None: no number is the better one.
    """

    atol: float | None = None
    rtol: float | None = None
    better: Better | None = None


def is_close(before: Number, after: Number, criterion: Criterion) -> bool:
    """Tell whether two numbers are equal within the tolerance; without one they are not.

    Their decimal texts count, as everywhere (PS-SCH-020): 0.52 is 0.51 within 0.01.
    """
    if criterion.atol is None and criterion.rtol is None:
        return False
    if not (isfinite(before) and isfinite(after)):
        return before == after
    atol, rtol = criterion.atol or 0.0, criterion.rtol or 0.0
    distance, bound = abs(float(after) - float(before)), atol + rtol * abs(before)
    if isfinite(distance) and abs(distance - bound) > _DOUBT * max(distance, bound):
        return distance < bound
    exact = _decimal(atol) + _decimal(rtol) * abs(_decimal(before))
    return abs(_decimal(after) - _decimal(before)) <= exact


def _decimal(number: Number) -> Decimal:
    return Decimal(repr(number))


def parse_tolerance(given: object, name: str) -> Criterion:
    """Return the tolerance that a person gives: `0.01` absolute, `1%` relative.

    Raises MissingConfigDataError.
    """
    found = _PERCENT.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is not None:
        # 1.1 % is 0.011, which 1.1 / 100 is not.
        return Criterion(rtol=float(Decimal(found[1]) / 100))
    try:
        number = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = -1.0
    if not _is_tolerance(number):
        raise MissingConfigDataError(
            f"{name}: {shorten(given, 40)!r} is no tolerance",
            hint="give a number, 0.01, or a part of the value before, 1%",
        )
    return Criterion(atol=number)


def _is_tolerance(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and isfinite(value) and value >= 0  # type: ignore[arg-type, operator]


class Criteria:
    """The criteria of all results: what is given for one is stronger than its schema.

    `general` holds for results of which nothing else says a tolerance; `schemas` are asked in
    their order. Raises SchemaError for a key that has no such value.
    """

    def __init__(
        self,
        schemas: tuple[OutputSchema | None, ...] = (),
        general: Criterion = Criterion(),  # noqa: B008 (immutable)
        given: Mapping[str, Criterion] | None = None,
    ) -> None:
        self._schemas = [schema for schema in schemas if schema is not None]
        self._general = general
        self._given = given or {}
        self._known: dict[tuple[Level, str, Place], Criterion] = {}

    def of(self, level: Level, result: str, place: Place = ()) -> Criterion:
        """Return what holds for a number at a place in a result."""
        # All items of an array have one schema.
        key = (level, result, tuple(0 if isinstance(step, int) else step for step in place))
        if key not in self._known:
            self._known[key] = self._find(level, result, place)
        return self._known[key]

    def _find(self, level: Level, result: str, place: Place) -> Criterion:
        given, declared = self._given.get(result, Criterion()), Criterion()
        for schema in self._schemas:
            if (found := schema.result(level, result)) is not None:
                path = (schema.source, found.path)
                declared = _declared(found.written_out, place, *path)
                break
        better = given.better or declared.better
        for one in (given, declared, self._general):
            if one.atol is not None or one.rtol is not None:
                return Criterion(one.atol, one.rtol, better)
        return Criterion(better=better)


def _declared(
    schema: Mapping[str, Any], place: Place, source: str | None, path: SchemaPath
) -> Criterion:
    """Return what a schema says of a place; what stands nearer to it is stronger."""
    found: dict[str, Any] = {}
    node: object = schema
    for step in (None, *place):
        if step is not None:
            node = _below(node, step)
        if not isinstance(node, Mapping):
            break
        own = {key: node[key] for key in _KEYS if node.get(key) is not None}
        for key, value in own.items():
            _check(key, value, source, path)
        if own.keys() & {"atol", "rtol"}:
            # A tolerance is one thing: half of another one does not count.
            found = {key: value for key, value in found.items() if key == "better"}
        found |= own
    return Criterion(found.get("atol"), found.get("rtol"), found.get("better"))


def check_criteria(result: ResultSchema, problems: Problems = AT_ONCE) -> None:
    """Raise SchemaError for a tolerance or a direction of a result that is none.

    `problems` may collect the errors.
    """
    for path, part in subschemas(result.schema):
        own = part if isinstance(part, Mapping) else {}
        for key in _KEYS:
            if own.get(key) is not None:
                with problems:
                    _check(key, own[key], result.source, (*result.path, *path))


def _below(node: object, step: str | int) -> object:
    if not isinstance(node, Mapping):
        return None
    if isinstance(step, int):
        return node.get("items")
    properties = node.get("properties")
    return properties.get(step) if isinstance(properties, Mapping) else None


def _check(key: str, value: object, source: str | None, path: SchemaPath) -> None:
    if key == "better":
        if value not in BETTER:
            near = nearest(value, BETTER) if isinstance(value, str) else None
            raise schema_error(
                source,
                (*path, key),
                f"{shorten(value, 40)!r} is no direction",
                f"write {near or 'higher or lower'}",
            )
    elif not _is_tolerance(value):
        raise schema_error(
            source,
            (*path, key),
            f"{shorten(value, 40)!r} is no tolerance",
            "write a number, 0 or more",
        )
