"""JSON that users wrote: what is refused, with its place where it has one."""

from __future__ import annotations

from typing import Any

import pytest

from pipestat_spec.text.json_reader import read_json
from pipestat_spec.text.unreadable import UnreadableText


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 1.0, true, null, "é"]}', {"a": [1, 1.0, True, None, "é"]}),
        ('{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}',
         {"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}),
        ("18446744073709551616", 2**64),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    found = read_json(text)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        ('{"a": 1,\n "a": 2}', "the key 'a' stands twice in one object", None),
        ('[{"x": 1}, {"b": 1, "c": 2, "b": 1}]', "the key 'b' stands twice in one object", None),
        ('{"\\u0061": 1, "a": 2}', "the key 'a' stands twice in one object", None),
        ("NaN", "NaN is not a JSON number", None),
        ('{"a": -Infinity}', "-Infinity is not a JSON number", None),
        ("1" * 5000, "an integer is outside the signed 64-bit range", None),
        ("[" * 100_000, "the depth is too great", None),
        ('{"a": 1,\n "b" 2}', "", (2, 6)),
        ("{'a': 1}", "", (1, 2)),
        ("", "", (1, 1)),
    ],
)
def test_refused(text: str, problem: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(UnreadableText) as caught:
        read_json(text)
    error = caught.value
    if place is None:
        assert (error.problem, error.line, str(error)) == (problem, None, problem)
    else:
        assert (error.line, error.column) == place
        assert str(error).startswith(f"line {place[0]}, column {place[1]}: ")


def test_the_first_of_many_keys_that_stand_twice_is_told() -> None:
    # In linear time: a look at all keys for each key would take minutes.
    keys = [f"k{number}" for number in range(100_000)]
    text = "{" + ", ".join(f'"{key}": 1' for key in (*keys, "k7", "k5")) + "}"
    with pytest.raises(UnreadableText, match="the key 'k5' stands twice"):
        read_json(text)
