"""Values of a search that are bound when its statement runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa

__all__ = ["Derivation", "Given"]

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


class Derivation(NamedTuple):
    """How the value of a parameter follows from one value of a filter."""

    number: int
    derive: Callable[[Any], Any]


class Given(Generic[T_co]):
    """A value of a filter, or what follows from it.

    `value` is that of one filter of the shape. Decide by what all of them have in common; what a
    statement compares with is `bound`.
    """

    __slots__ = ("_derivation", "_parameters", "value")

    def __init__(
        self,
        value: T_co,
        parameters: dict[str, Derivation] | None = None,
        derivation: Derivation | None = None,
    ) -> None:
        self.value = value
        self._parameters = parameters
        self._derivation = derivation

    def of(self, derive: Callable[[T_co], U]) -> Given[U]:
        """Return what follows from the value."""
        value = derive(self.value)
        if self._derivation is None:
            return Given(value)
        number, before = self._derivation
        both = Derivation(number, lambda first: derive(before(first)))
        return Given(value, self._parameters, both)

    def bound(self, type_: Any) -> sa.BindParameter[Any]:
        """Return the value as a parameter of a statement."""
        if self._parameters is None or self._derivation is None:
            return sa.bindparam(None, self.value, type_=type_, unique=True)
        name = f"given_{len(self._parameters)}"
        self._parameters[name] = self._derivation
        return sa.bindparam(name, self.value, type_=type_)
