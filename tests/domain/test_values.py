"""Canonical values, by the rules of spec/core.md."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipestat_spec.domain.values import canonical, canonical_result, same_record
from pipestat_spec.errors import InvalidValueError, PipestatError
from pipestat_spec.json_values import same_value
from pipestat_spec.models.record import Record, RecordKey


class Colour(str, enum.Enum):
    RED = "red"


class Strand(enum.Enum):
    BOTH = (1, -1)


class Count(enum.IntEnum):
    ONE = 1


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (2**53 + 1, 9007199254740993),
        (2**63 - 1, 9223372036854775807),
        (-(2**63), -9223372036854775808),
        (1.0, 1.0),
        ("", ""),
        ("é\u2028\U0001f600", "é\u2028\U0001f600"),
        ([], []),
        ({}, {}),
        ((1, "a", (None,)), [1, "a", [None]]),
        (OrderedDict(a=(1,)), {"a": [1]}),
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array(7), 7),
        (Decimal("12"), 12),
        (Decimal("1E+2"), 100),
        (Decimal("0.5"), 0.5),
        (PurePosixPath("a/b"), "a/b"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02T03:04:05+00:00"),
        (Colour.RED, "red"),
        (Count.ONE, 1),
        (Strand.BOTH, [1, -1]),
        (nested(100), nested(100)),
    ],
)
def test_value_has_this_canonical_form(given_value: object, expected: object) -> None:
    result = canonical(given_value)
    assert same_value(result, expected), (result, expected)


@pytest.mark.parametrize(
    ("given_value", "named"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (np.float64("nan"), "nan"),
        (Decimal("NaN"), "nan"),
        (2**63, "64-bit"),
        (-(2**63) - 1, "64-bit"),
        (2**70, "64-bit"),
        pytest.param(10**5000, "64-bit", id="5000 digits"),
        (Decimal("0.1"), "double"),
        ("a\0b", "NUL"),
        ("\ud800", "surrogate"),
        ({"a\0": 1}, "NUL"),
        ({1: 2}, "not a string"),
        ({1, 2}, "set"),
        (b"x", "bytes"),
        (object(), "object"),
        (np.array([1, 2]), "ndarray"),
        ({"a": [1, {"b": float("inf")}]}, "a[1].b"),
        (nested(101), "the depth is more than 100"),
    ],
)
def test_value_is_refused_and_named(given_value: object, named: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        canonical(given_value, "result 'n'")
    message = str(caught.value)
    assert named in message
    assert message.startswith("result 'n'")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("left", "right"),
    [(True, 1), (1, 1.0), (0, False), ("1", 1), ([], {}), (None, ""), ([1], [True])],
)
def test_values_of_other_types_differ(left: object, right: object) -> None:
    assert not same_value(left, right)


def test_the_order_of_keys_does_not_count() -> None:
    assert same_value({"a": 1, "b": [{"c": 1, "d": 2}]}, {"b": [{"d": 2, "c": 1}], "a": 1})


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_any_mapping_is_compared_like_an_object(kind: Callable[[dict[str, Any]], Any]) -> None:
    assert same_value(kind({"a": [1]}), {"a": [1]})
    assert same_value({"a": kind({"b": None})}, {"a": {"b": None}})
    for other in ({"a": [True]}, {"a": [1.0]}, {"b": [1]}, {}, [], None):
        assert not same_value(kind({"a": [1]}), other)
        assert not same_value(other, kind({"a": [1]}))


def test_records_are_compared_by_their_values() -> None:
    record = Record(RecordKey("sample", "s1"), {"n": 1}, "running", source={"attempt": 1})
    assert same_record(record, replace(record, results=MappingProxyType({"n": 1})))
    assert same_record(None, None)
    for other in (
        None,
        replace(record, results={"n": True}),
        replace(record, source={"attempt": 1.0}),
        replace(record, source=None),
        replace(record, status="failed"),
        replace(record, modified=datetime(2026, 1, 31, tzinfo=UTC)),
    ):
        assert not same_record(record, other)
        assert not same_record(other, record)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=3), inner),
    max_leaves=20,
)


@given(JSON)
def test_canonical_values_stay_as_they_are(value: object) -> None:
    assert same_value(canonical(value), value)


_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=4)
    | st.sampled_from([np.int64(3), Decimal("1.5"), PurePosixPath("a"), object(), "\0", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_anything)
def test_the_value_of_a_result_is_as_any_other(value: object) -> None:
    def outcome(call: Callable[[], object]) -> object:
        try:
            return call()
        except PipestatError as error:
            return type(error), str(error)

    found = outcome(lambda: canonical_result(value, "r"))
    expected = outcome(lambda: canonical(value, "result 'r'"))
    assert repr(found) == repr(expected)
    if isinstance(value, list | dict):
        assert found is not value
