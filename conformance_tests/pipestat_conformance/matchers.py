"""Comparing what a target answered with what a vector expects.

An expected value is the value itself, or a matcher, an object whose first key is one of
these, at any depth:

    {"$any": true}               anything
    {"$type": "string"}          a value of that kind, or of one of a list of kinds
    {"$number": 1}               this number, as integer or double
    {"$one_of": [...]}           one of these, where a rule leaves the choice
    {"$unordered": [...]}        an array with these items in any order
    {"$includes": {...}}         an object with at least these entries
    {"$document": {...}}         the text of a report document with at least these entries
    {"$timestamp": true}         a time as PS-REC-003 writes it ("local": the local form)
    {"$history": {"n": [1, 2]}}  these old values in the order of their times, which grow;
                                 with a second key `"form": "local"` times in local form
    {"$saved": ["a", "key"]}     what the step saved as `a` answered, there
    {"$later": ["a", "key"]}     a time after that one
    {"$now": true}               a time as PS-REC-003 writes it, of the last minute by the clock;
                                 `"now": true` beside `$history`: all times are such
    {"$literal": X}              X, whatever it looks like
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from pipestat_conformance.special_values import decode, parse_json

__all__ = ["Comparison", "NotSaved", "kind_of", "resolve_saved"]


class NotSaved(Exception):
    """An earlier answer lacks what a later step needs of it."""


_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
# A clock of another machine, such as a database's, may be off by so many seconds.
_MINUTE = 60.0
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def kind_of(value: Any) -> str:
    """Return the kind of a value, in the words of spec/core.md."""
    if value is None:
        return "null"
    for kind, types in _KINDS:
        if isinstance(value, types):
            return kind
    return type(value).__name__


_KINDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("boolean", bool),
    ("integer", int),
    ("number", float),
    ("string", str),
    ("array", (list, tuple)),
    ("object", Mapping),
)


def resolve_saved(value: Any, saved: Mapping[str, Any]) -> Any:
    """Return `value` with each `$saved` replaced; raises NotSaved for one that is not there."""
    if isinstance(value, list):
        return [resolve_saved(item, saved) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and "$saved" in value:
            return _look_up(value["$saved"], saved)
        return {key: resolve_saved(item, saved) for key, item in value.items()}
    return value


def _look_up(path: str | Sequence[Any], saved: Mapping[str, Any]) -> Any:
    found: Any = saved
    for key in [path] if isinstance(path, str) else path:
        try:
            found = found[key]
        except (LookupError, TypeError):
            raise NotSaved(f"an earlier answer has no {key!r}: {_show(found)}") from None
    return found


@dataclass(frozen=True)
class Comparison:
    """How to compare: `strict` keeps integers and numbers apart; `saved` is by name."""

    strict: bool = True
    saved: Mapping[str, Any] = field(default_factory=dict)

    def difference(self, expected: Any, actual: Any, where: str = "") -> str | None:
        """Return the first difference in a line, or None when the answer is as expected."""
        if isinstance(expected, Mapping) and expected:
            name = next(iter(expected))
            matcher = _MATCHERS.get(name)
            if matcher is not None:
                return matcher(self, expected, actual, where)
        return self.plain(decode(expected) if _special(expected) else expected, actual, where)

    def plain(self, expected: Any, actual: Any, where: str) -> str | None:
        """Compare a value that is no matcher; its members may be."""
        kind, got = kind_of(expected), kind_of(actual)
        numbers = {kind, got} <= {"integer", "number"}
        if kind != got and not (numbers and not self.strict):
            return _said(where, f"expected {kind} {_show(expected)}, got {got} {_show(actual)}")
        if kind == "array":
            return self._array(expected, actual, where)
        if kind == "object":
            return self._object(expected, actual, where)
        same = _same_number(expected, actual) if numbers else expected == actual
        return None if same else _said(where, f"expected {_show(expected)}, got {_show(actual)}")

    def _array(self, expected: Any, actual: Any, where: str) -> str | None:
        if len(expected) != len(actual):
            return _said(
                where,
                f"expected {len(expected)} items, got {len(actual)}: {_show(actual)}",
            )
        pairs = zip(expected, actual, strict=True)
        return _first(self.difference(e, a, f"{where}[{i}]") for i, (e, a) in enumerate(pairs))

    def _object(self, expected: Any, actual: Any, where: str) -> str | None:
        extra = [key for key in actual if key not in expected]
        if extra:
            return _said(where, f"unexpected key {extra[0]!r}: {_show(actual[extra[0]])}")
        return self.entries(expected, actual, where)

    def entries(self, expected: Any, actual: Any, where: str) -> str | None:
        """Compare the entries of `expected`; others in `actual` are not looked at."""
        missing = [key for key in expected if key not in actual]
        if missing:
            return _said(where, f"the key {missing[0]!r} is missing in {_show(actual)}")
        return _first(
            self.difference(item, actual[key], f"{where}.{key}") for key, item in expected.items()
        )


_Matcher = Callable[[Comparison, Mapping[str, Any], Any, str], str | None]


def _type(_: Comparison, expected: Mapping[str, Any], actual: Any, where: str) -> str | None:
    wanted = expected["$type"]
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    kind = kind_of(actual)
    fits = kind in kinds or (kind == "integer" and "number" in kinds)
    return None if fits else _said(where, f"expected {' or '.join(kinds)}, got {_show(actual)}")


def _number(_: Comparison, expected: Mapping[str, Any], actual: Any, where: str) -> str | None:
    return Comparison(strict=False).plain(decode(expected["$number"]), actual, where)


def _one_of(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    choices = expected["$one_of"]
    if any(comparison.difference(choice, actual) is None for choice in choices):
        return None
    return _said(where, f"expected one of {_show(choices)}, got {_show(actual)}")


def _unordered(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    items = expected["$unordered"]
    if kind_of(actual) != "array" or len(actual) != len(items):
        return _said(where, f"expected {len(items)} items in any order, got {_show(actual)}")
    left = list(actual)
    for item in items:
        fitting = [i for i, a in enumerate(left) if comparison.difference(item, a) is None]
        if not fitting:
            return _said(where, f"no item is {_show(item)}, got {_show(actual)}")
        del left[fitting[0]]
    return None


def _includes(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    if kind_of(actual) != "object":
        return _said(where, f"expected an object, got {_show(actual)}")
    return comparison.entries(expected["$includes"], actual, where)


def _document(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    if not isinstance(actual, str):
        return _said(where, f"expected the text of a document, got {_show(actual)}")
    try:
        # PS-DOC-010: what has neither dot nor exponent is an integer, `-0` as well.
        document = parse_json(actual, integer=int)
    except ValueError as error:
        return _said(where, f"this is no document: {error}: {_show(actual)}")
    problem = next((found.message for found in _documents().iter_errors(document)), None)
    if problem is not None:
        return _said(where, f"this is no document: {problem}")
    strict = Comparison(strict=True, saved=comparison.saved)
    return strict.entries(expected["$document"], document, where)


@cache
def _documents() -> Any:
    from jsonschema import Draft202012Validator

    schema = files("pipestat_spec") / "schemas" / "report_document.schema.json"
    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _timestamp(_: Comparison, expected: Mapping[str, Any], actual: Any, where: str) -> str | None:
    form = _LOCAL if expected["$timestamp"] == "local" else _UTC
    if isinstance(actual, str) and form.fullmatch(actual):
        return None
    return _said(where, f"expected a time, got {_show(actual)}")


def _history(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    form = _LOCAL if expected.get("form") == "local" else _UTC
    if kind_of(actual) != "object":
        return _said(where, f"expected a history, got {_show(actual)}")
    wanted: Mapping[str, Any] = decode(expected["$history"])
    clock = expected.get("now", False)
    # A result without history has the empty mapping, written or not.
    for name in dict.fromkeys([*wanted, *actual]):
        values, entries = wanted.get(name, []), actual.get(name, {})
        place = f"{where}.{name}"
        if kind_of(entries) != "object":
            return _said(place, f"expected times and values, got {_show(entries)}")
        wrong = [time for time in entries if not form.fullmatch(str(time))]
        if wrong:
            return _said(place, f"expected a time, got {_show(wrong[0])}")
        odd = [time for time in entries if clock and not _of_now(time)]
        if odd:
            return _said(place, _not_now(odd[0]))
        by_time = [entries[time] for time in sorted(entries)]
        problem = comparison.plain(values, by_time, place)
        if problem is not None:
            return problem
    return None


def _saved(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    return comparison.plain(_look_up(expected["$saved"], comparison.saved), actual, where)


def _later(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    before = _look_up(expected["$later"], comparison.saved)
    problem = _timestamp(comparison, {"$timestamp": True}, actual, where)
    if problem is None and not actual > before:
        problem = _said(where, f"expected a time after {before}, got {actual}")
    return problem


def _now(comparison: Comparison, _: Mapping[str, Any], actual: Any, where: str) -> str | None:
    problem = _timestamp(comparison, {"$timestamp": True}, actual, where)
    if problem is None and not _of_now(actual):
        problem = _said(where, _not_now(actual))
    return problem


def _of_now(time: str) -> bool:
    age = datetime.now(UTC) - datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return abs(age.total_seconds()) < _MINUTE


def _not_now(time: str) -> str:
    return f"expected a time of the last minute, got {time} at {datetime.now(UTC):%Y-%m-%dT%H:%MZ}"


def _literal(
    comparison: Comparison, expected: Mapping[str, Any], actual: Any, where: str
) -> str | None:
    return _Literally(comparison.strict).difference(expected["$literal"], actual, where)


class _Literally(Comparison):
    def difference(self, expected: Any, actual: Any, where: str = "") -> str | None:
        return self.plain(expected, actual, where)


_MATCHERS: dict[str, _Matcher] = {
    "$any": lambda *_: None,
    "$type": _type,
    "$number": _number,
    "$one_of": _one_of,
    "$unordered": _unordered,
    "$includes": _includes,
    "$document": _document,
    "$timestamp": _timestamp,
    "$history": _history,
    "$saved": _saved,
    "$later": _later,
    "$now": _now,
    "$literal": _literal,
}


def _special(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith("$")


def _same_number(expected: float, actual: float) -> bool:
    if expected == 0 and actual == 0:
        return math.copysign(1, expected) == math.copysign(1, actual)
    return expected == actual


def _first(problems: Any) -> str | None:
    return next((problem for problem in problems if problem is not None), None)


def _said(where: str, problem: str) -> str:
    return f"{where.lstrip('.')}: {problem}" if where else problem


def _show(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
