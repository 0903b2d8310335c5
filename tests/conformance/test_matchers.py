"""Comparing answers: strict in process and in files, by value over the protocol."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pipestat_conformance.matchers import Comparison, NotSaved, resolve_saved

STRICT = Comparison(strict=True)
BY_VALUE = Comparison(strict=False)


@pytest.mark.parametrize("one", [True, 1, 1.0, "1", None, [], {}, "", 0, False, 0.0, [1], {"a": 1}])
@pytest.mark.parametrize("two", [True, 1, 1.0, "1", None, [], {}, "", 0, False, 0.0, [1], {"a": 1}])
def test_strictly_each_kind_is_apart(one: Any, two: Any) -> None:
    same = type(one) is type(two) and one == two
    assert (STRICT.difference(one, two) is None) is same


def test_by_value_only_numbers_meet() -> None:
    assert BY_VALUE.difference(1, 1.0) is None
    assert BY_VALUE.difference([{"a": 2.0}], [{"a": 2}]) is None
    assert BY_VALUE.difference(1, True) is not None
    assert BY_VALUE.difference(1, "1") is not None
    assert BY_VALUE.difference(0, False) is not None
    # No rounding: 2^53 + 1 is no double.
    assert BY_VALUE.difference(2**53 + 1, float(2**53)) is not None


@pytest.mark.parametrize("comparison", [STRICT, BY_VALUE])
def test_negative_zero_keeps_its_sign(comparison: Comparison) -> None:
    assert comparison.difference(-0.0, -0.0) is None
    assert comparison.difference(-0.0, 0.0) is not None
    assert comparison.difference(0.0, -0.0) is not None


def test_objects_and_arrays_say_where_they_differ() -> None:
    expected = {"a": [1, {"b": "x"}]}
    assert STRICT.difference(expected, {"a": [1, {"b": "x"}]}) is None
    assert STRICT.difference(expected, {"a": [1, {"b": "y"}]}) == "a[1].b: expected 'x', got 'y'"
    assert "key 'c'" in str(STRICT.difference(expected, {"a": [1, {"b": "x", "c": 1}]}))
    assert "'b' is missing" in str(STRICT.difference(expected, {"a": [1, {}]}))
    assert "expected 2 items, got 1" in str(STRICT.difference(expected, {"a": [1]}))


@pytest.mark.parametrize(
    ("expected", "fits", "fails"),
    [
        ({"$any": True}, [None, 1, {"x": 1}], []),
        ({"$type": "string"}, ["", "x"], [1, None, ["x"]]),
        ({"$type": ["null", "number"]}, [None, 1, 1.5], ["x", True]),
        ({"$type": "integer"}, [1], [1.0, True]),
        ({"$number": 1}, [1, 1.0], [True, "1", 2]),
        ({"$unordered": [1, "a", 1]}, [[1, 1, "a"], ["a", 1, 1]], [[1, "a"], [1, "a", "a"], "a"]),
        ({"$one_of": [1000, "1_000"]}, [1000, "1_000"], [1000.0, "1000", None, [1000]]),
        ({"$includes": {"a": 1}}, [{"a": 1}, {"a": 1, "b": 2}], [{"b": 2}, {"a": 1.0}, [1]]),
        (
            {"$timestamp": True},
            ["2026-01-31T12:00:00.000000Z"],
            ["2026-01-31T12:00:00Z", "2026-01-31 12:00:00.000000", 5, "2026-01-31T12:00:00.000000"],
        ),
        (
            {"$timestamp": "local"},
            ["2026-01-31 12:00:00"],
            ["2026-01-31T12:00:00.000000Z", "2026-01-31 12:00:00.0"],
        ),
        ({"$literal": {"$any": True}}, [{"$any": True}], [1, {}]),
        ({"$integer": "9007199254740993"}, [2**53 + 1], [2**53, float(2**53)]),
        ({"$repeat": ["ab", 2]}, ["abab"], ["ab"]),
        ({"$deep": 2}, [[[]]], [[]]),
    ],
)
def test_matchers(expected: Any, fits: list[Any], fails: list[Any]) -> None:
    for actual in fits:
        assert STRICT.difference(expected, actual) is None, actual
    for actual in fails:
        assert STRICT.difference(expected, actual) is not None, actual


def test_matchers_work_at_any_depth() -> None:
    expected = {"rows": [{"id": {"$any": True}, "n": 1}], "$ref": "plain key"}
    assert STRICT.difference(expected, {"rows": [{"id": 7, "n": 1}], "$ref": "plain key"}) is None
    assert STRICT.difference(expected, {"rows": [{"id": 7, "n": 2}], "$ref": "plain key"})


EARLY, LATE = "2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.000002Z"


def test_history_is_compared_in_the_order_of_its_times() -> None:
    expected = {"$history": {"n": [1, 2]}}
    assert STRICT.difference(expected, {"n": {LATE: 2, EARLY: 1}}) is None
    assert STRICT.difference(expected, {"n": {LATE: 1, EARLY: 2}}) is not None
    assert STRICT.difference(expected, {"n": {EARLY: 1}}) is not None
    assert STRICT.difference(expected, {"n": {EARLY: 1, "2026-01-31 12:00:00": 2}}) is not None
    assert STRICT.difference(expected, {"n": {EARLY: 1, LATE: 2}, "m": {EARLY: 1}}) is not None


def test_a_result_without_history_may_be_missing_or_empty() -> None:
    for expected in ({"$history": {}}, {"$history": {"n": []}}):
        assert STRICT.difference(expected, {}) is None
        assert STRICT.difference(expected, {"n": {}}) is None
        assert STRICT.difference(expected, {"n": {EARLY: 1}}) is not None
    local = {"$history": {"n": [1]}, "form": "local"}
    assert STRICT.difference(local, {"n": {"2026-01-31 12:00:00": 1}}) is None
    assert STRICT.difference(local, {"n": {EARLY: 1}}) is not None


def test_saved_answers() -> None:
    saved = {"a": {"modified": EARLY, "list": [7]}}
    comparison = Comparison(saved=saved)
    assert comparison.difference({"$saved": ["a", "modified"]}, EARLY) is None
    assert comparison.difference({"$saved": ["a", "modified"]}, LATE) is not None
    assert comparison.difference({"$later": ["a", "modified"]}, LATE) is None
    assert comparison.difference({"$later": ["a", "modified"]}, EARLY) is not None
    assert comparison.difference({"$later": ["a", "modified"]}, None) is not None
    assert resolve_saved({"cursor": {"$saved": ["a", "list", 0]}}, saved) == {"cursor": 7}
    for path in ("b", ["a", "list", 1], ["a", "modified", "x"]):
        with pytest.raises(NotSaved, match="an earlier answer has no"):
            resolve_saved([{"$saved": path}], saved)


def test_the_clock() -> None:
    now = datetime.now(UTC)
    near, far = (
        (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for seconds in (-30, -3600)
    )
    assert STRICT.difference({"$now": True}, near) is None
    for wrong in (far, near[:-1], None):
        assert STRICT.difference({"$now": True}, wrong) is not None
    expected = {"$history": {"n": [1]}, "now": True}
    assert STRICT.difference(expected, {"n": {near: 1}}) is None
    assert STRICT.difference(expected, {"n": {far: 1}}) is not None


def test_an_infinite_answer_is_told_apart() -> None:
    assert STRICT.difference(1.0, math.inf) is not None
    assert STRICT.difference(1.0, math.nan) is not None
