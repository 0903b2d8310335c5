"""What searches have in common that differ by values alone: they share a statement.

The shape of a filter is all that its translation looks at: fields, operators, and of each value
the kind. Values that a database may treat in a way of their own belong to the shape themselves:
numbers that no double holds for sure, text that no store holds, times, arrays and objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from pipestat_spec.domain.filters import check_pattern
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
    Or,
)
from pipestat_sql.queries.fields import TIMES
from pipestat_sql.queries.given import Derivation, Given
from pipestat_sql.queries.literals import is_storable, pattern_form

__all__ = ["Joined", "Leaf", "Negated", "Node", "Shape"]

T = TypeVar("T")

# Integers below equal a double each.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition on one field; equality is `in`, and the value of `in` is all its values."""

    field: FieldPath
    operator: Literal["in", "lt", "le", "gt", "ge", "like", "null"]
    value: Given[Any]


@dataclass(frozen=True, slots=True)
class Negated:
    operand: Node


@dataclass(frozen=True, slots=True)
class Joined:
    """True when all operands are, or, without `every`, when one is."""

    operands: tuple[Node, ...]
    every: bool


Node: TypeAlias = Leaf | Negated | Joined


class Shape:
    """One filter as its shape and its values.

    Filters of equal `key` have the same `root` but for values, and the same `fields`. Raises
    FilterSyntaxError for a `like` pattern that ends in its escape character.
    """

    def __init__(self, filter: Filter) -> None:
        self._key: list[object] = []
        self._values: list[Any] = []
        self._parameters: dict[str, Derivation] = {}
        self.fields: set[FieldPath] = set()
        self.root = self._node(filter)
        # Flat, so that its text is made without recursion.
        self.key = tuple(self._key)

    def derivations(self, parameters: Mapping[str, Any]) -> dict[str, Derivation]:
        """Return how those of the parameters are made that depend on values."""
        found = self._parameters
        return {name: found[name] for name in parameters if name in found}

    def values(self, derivations: Mapping[str, Derivation]) -> dict[str, Any]:
        """Return the values of parameters, which a filter of the same shape may have named."""
        values = self._values
        return {name: derive(values[number]) for name, (number, derive) in derivations.items()}

    def _node(self, filter: Filter) -> Node:
        match filter:
            case And(operands):
                return self._joined(operands, every=True)
            case Or(operands):
                return self._joined(_with_lists(operands), every=False)
            case Not(Not(operand)):
                return self._node(operand)
            case Not(operand):
                self._key.append("not")
                return Negated(self._node(operand))
            case Comparison(path, "eq", value):
                return self._one_of(path, (value,))
            case In(path, values):
                return self._one_of(path, values)
            case Comparison(path, operator, value):
                assert operator != "eq"
                return Leaf(path, operator, self._given(path, operator, _kind(value), value))
            case Like(path, pattern):
                check_pattern(pattern)
                form = pattern_form(pattern).kind if is_storable(pattern) else None
                return Leaf(path, "like", self._given(path, "like", form, pattern))
            case IsNull(path):
                return Leaf(path, "null", self._given(path, "null", None, None))

    def _joined(self, operands: Sequence[Filter], *, every: bool) -> Joined:
        self._key.append(("and" if every else "or", len(operands)))
        return Joined(tuple(map(self._node, operands)), every)

    def _one_of(self, path: FieldPath, values: tuple[JSONValue, ...]) -> Leaf:
        return Leaf(path, "in", self._given(path, "in", _kind_of_all(values), values))

    def _given(self, path: FieldPath, operator: str, kind: str | None, value: T) -> Given[T]:
        self.fields.add(path)
        if kind is None or path[0] in TIMES:
            self._key.append((path, operator, None, value))
            return Given(value)
        self._key.append((path, operator, kind))
        self._values.append(value)
        return Given(value, self._parameters, Derivation(len(self._values) - 1, _itself))


def _itself(value: Any) -> Any:
    return value


def _with_lists(operands: Sequence[Filter]) -> list[Filter]:
    """Return `x = 1 or x = 2 or ...` as `x in (1, 2, ...)`, which is one leaf."""
    values: dict[FieldPath, list[JSONValue]] = {}
    others: list[Filter] = []
    for operand in operands:
        match operand:
            case Comparison(path, "eq", value):
                values.setdefault(path, []).append(value)
            case _:
                others.append(operand)
    return [*(In(path, tuple(listed)) for path, listed in values.items()), *others]


def _kind(value: JSONValue) -> str | None:
    """Return the kind of a value that is translated as all of its kind are, None for others."""
    if type(value) is str:
        return "text" if is_storable(value) else None
    if type(value) is int:
        return "integer" if abs(value) < _EXACT else None
    if type(value) is float and abs(value) < _EXACT:
        return "whole" if value.is_integer() else "fraction"
    return None


def _kind_of_all(values: tuple[JSONValue, ...]) -> str | None:
    """Return the kind of one value, or of several of one kind that are not all the same."""
    if len(values) == 1:
        return _kind(values[0])
    kinds = set(map(_kind, values))
    if kinds in ({"text"}, {"integer"}) and any(value != values[0] for value in values):
        return f"{kinds.pop()}s"
    return None
