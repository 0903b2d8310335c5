"""Where two values of a result differ, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from math import inf, isfinite
from typing import Literal, NamedTuple, TypeAlias

from pipestat_spec.domain.comparison.criteria import Criterion, Place, is_close
from pipestat_spec.json_values import JSONValue

__all__ = [
    "MISSING",
    "Part",
    "Trend",
    "differing",
    "is_missing",
    "is_number",
    "number_part",
    "same",
]

Trend: TypeAlias = Literal["worse", "better"]


class _Missing:
    """Stands where one side has no value; null is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


def is_missing(value: object) -> bool:
    """Tell whether there is no value; null is one."""
    return value is MISSING


def is_number(value: object) -> bool:
    """Tell whether a value is an integer or a number; a boolean is none."""
    return type(value) is int or type(value) is float


class Part(NamedTuple):
    """One place in which two values differ; MISSING where one of them has nothing.

    `trend` tells the direction where the schema says which numbers are better.
    """

    place: Place
    before: JSONValue
    after: JSONValue
    trend: Trend | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether both values are finite numbers, so that there is a delta."""
        values = (self.before, self.after)
        return all(is_number(value) and isfinite(value) for value in values)

    @property
    def delta(self) -> int | float | None:
        """What was added, by the decimal texts: 0.8 is 0.95 and -0.15; None without numbers."""
        if not self.is_numeric:
            return None
        if type(self.before) is int and type(self.after) is int:
            return self.after - self.before
        return float(Decimal(repr(self.after)) - Decimal(repr(self.before)))

    @property
    def percent(self) -> float | None:
        """The delta in percent of the value before; None without numbers, or from 0."""
        delta = self.delta
        if delta is None or self.before == 0:
            return None
        percent = 100.0 * (delta / abs(self.before))
        return percent if isfinite(percent) else None

    @property
    def effect(self) -> float:
        """How much a number changed in parts of itself; from 0 infinitely; -1 for other values."""
        before, after = self.before, self.after
        # As in `is_numeric`, and quick: it is asked of each part.
        kinds = (type(before), type(after))
        if kinds not in _NUMBERS or not (isfinite(before) and isfinite(after)):
            return -1.0
        distance = abs(float(after) - float(before))
        return distance / abs(before) if before else inf if distance else 0.0


_NUMBERS = frozenset(((int, int), (float, float), (int, float), (float, int)))
# Gives the criterion of a number at a place in the result.
Judge: TypeAlias = Callable[[Place], Criterion]
_SCALARS = frozenset((bool, int, float, str, type(None)))


def same(before: JSONValue, after: JSONValue) -> bool:
    """Tell whether two values of a result are equal, by PS-VAL-011; NaN, of a file that no rule
    has seen, equals itself.
    """
    if type(before) is not type(after):
        return False
    if type(before) in _SCALARS:
        return bool(before == after) or (before != before and after != after)
    return next(differing(before, after, lambda _: Criterion()), None) is None


def differing(before: JSONValue, after: JSONValue, judge: Judge, at: Place = ()) -> Iterator[Part]:
    """Yield each place in which two values differ; numbers are compared as `judge` says."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _inside(before.get(key, MISSING), after.get(key, MISSING), judge, (*at, key))
    elif isinstance(before, list) and isinstance(after, list):
        for number in range(max(len(before), len(after))):
            left = before[number] if number < len(before) else MISSING
            right = after[number] if number < len(after) else MISSING
            yield from _inside(left, right, judge, (*at, number))
    elif is_number(before) and is_number(after):
        if (part := number_part(before, after, judge(at), at)) is not None:
            yield part
    elif type(before) is not type(after) or before != after:
        yield Part(at, before, after)


def _inside(before: JSONValue, after: JSONValue, judge: Judge, at: Place) -> Iterator[Part]:
    if before is MISSING or after is MISSING:
        yield Part(at, before, after)
    else:
        yield from differing(before, after, judge, at)


def number_part(
    before: int | float, after: int | float, criterion: Criterion, at: Place = ()
) -> Part | None:
    """Return where two numbers differ; None for the same ones and within the tolerance."""
    if type(before) is type(after) and (before == after or (before != before and after != after)):
        return None
    if is_close(before, after, criterion):
        return None
    trend: Trend | None = None
    # NaN is neither higher nor lower; to lose the number is worse.
    if criterion.better is not None and before != after:
        is_better = after > before if criterion.better == "higher" else after < before
        trend = "better" if is_better or before != before else "worse"
    return Part(at, before, after, trend)
