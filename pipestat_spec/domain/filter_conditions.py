"""Filters as a list of conditions, the form that programs pass (spec/queries.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipestat_spec.domain.filters import check_path, check_pattern
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import FilterSyntaxError, InvalidValueError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.query import (
    And,
    Comparison,
    FieldPath,
    Filter,
    In,
    IsNull,
    Like,
    Not,
    Operator,
    Or,
)
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["filter_from_conditions"]

_ENTRIES = ("key", "operator", "value")


def filter_from_conditions(
    conditions: Sequence[Mapping[str, Any]] | None, bool_operator: str = "AND"
) -> Filter | None:
    """Return the filter that a list of `{"key", "operator", "value"}` stands for, None for none.

    Operators are eq, ne, lt, le, gt, ge, in and like. A key that is a string names one
    result, dots included; a list is a path into an object. `eq` null asks for null or
    missing, and so does null among the values of `in`. The conditions are joined by
    `bool_operator`, AND or OR. Raises FilterSyntaxError (spec/queries.md).
    """
    joins: dict[str, type[And | Or]] = {"AND": And, "OR": Or}
    join = joins.get(str(bool_operator).upper())
    if join is None:
        raise FilterSyntaxError(
            f"bool_operator {shorten(bool_operator, 40)!r} is not known", hint="write AND or OR"
        )
    if not conditions:
        return None
    if isinstance(conditions, str | Mapping) or not isinstance(conditions, Sequence):
        raise FilterSyntaxError(
            "the conditions of a filter are not a list",
            hint="give [{'key': ..., 'operator': ..., 'value': ...}]",
        )
    filters = tuple(_condition(item, f"condition {i}") for i, item in enumerate(conditions, 1))
    return filters[0] if len(filters) == 1 else join(filters)


def _condition(condition: Mapping[str, Any], where: str) -> Filter:
    if not isinstance(condition, Mapping):
        raise FilterSyntaxError(
            f"{where} is not a mapping", hint="give {'key': ..., 'operator': ..., 'value': ...}"
        )
    for entry in condition:
        if entry not in _ENTRIES:
            raise _unknown(where, "entry", entry, _ENTRIES)
    for entry in _ENTRIES:
        if entry not in condition:
            raise FilterSyntaxError(f"{where} has no {entry!r}", hint=f"add {entry!r}", entry=entry)
    operator = condition["operator"]
    build = _BUILDERS.get(operator) if isinstance(operator, str) else None
    if build is None:
        raise _unknown(where, "operator", operator, _BUILDERS)
    try:
        value = canonical(condition["value"], f"{where}: value")
    except InvalidValueError as error:
        raise FilterSyntaxError(error.message, hint=error.hint) from None
    return build(_path(condition["key"], where), value, where)


def _unknown(
    where: str, what: str, name: object, known: Mapping[str, Any] | Sequence[str]
) -> Exception:
    near = nearest(name.lower(), known) if isinstance(name, str) else None
    return FilterSyntaxError(
        f"{where}: the {what} {shorten(name, 40)!r} is not known",
        hint=f"did you mean {near!r}?" if near else "known are " + ", ".join(known),
        **{what: name},
    )


def _path(key: object, where: str) -> FieldPath:
    segments = [key] if isinstance(key, str) else key
    if (
        not isinstance(segments, list | tuple)
        or not segments
        or not all(isinstance(segment, str) for segment in segments)
        or not segments[0]
    ):
        raise FilterSyntaxError(
            f"{where}: the key {shorten(key, 40)} is neither a name nor a path",
            hint="give a string, or a list of strings that leads into an object",
            key=key,
        )
    return check_path(tuple(segments))


def _equal(path: FieldPath, value: JSONValue, where: str) -> Filter:  # noqa: ARG001
    return IsNull(path) if value is None else Comparison(path, "eq", value)


def _unequal(path: FieldPath, value: JSONValue, where: str) -> Filter:
    return Not(_equal(path, value, where))


def _ordered(operator: Operator) -> Callable[[FieldPath, JSONValue, str], Filter]:
    def build(path: FieldPath, value: JSONValue, where: str) -> Filter:
        if value is None:
            raise FilterSyntaxError(
                f"{where}: the operator {operator!r} cannot compare with null",
                hint="eq and ne can",
            )
        return Comparison(path, operator, value)

    return build


def _in(path: FieldPath, value: JSONValue, where: str) -> Filter:
    if not isinstance(value, list):
        raise FilterSyntaxError(
            f"{where}: the operator 'in' needs a list of values", hint="or use 'eq' for one"
        )
    values = In(path, tuple(item for item in value if item is not None))
    return Or((values, IsNull(path))) if None in value else values


def _like(path: FieldPath, value: JSONValue, where: str) -> Filter:
    if not isinstance(value, str):
        raise FilterSyntaxError(
            f"{where}: the operator 'like' needs a string", hint="for example 'chr%'"
        )
    return Like(path, check_pattern(value))


_BUILDERS: dict[str, Callable[[FieldPath, JSONValue, str], Filter]] = {
    "eq": _equal,
    "ne": _unequal,
    "lt": _ordered("lt"),
    "le": _ordered("le"),
    "gt": _ordered("gt"),
    "ge": _ordered("ge"),
    "in": _in,
    "like": _like,
}
