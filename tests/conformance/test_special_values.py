"""What JSON cannot carry, and reading JSON strictly."""

from __future__ import annotations

import math

import pytest

from pipestat_conformance.special_values import decode, encode, parse_json, to_json


def test_forms_of_vectors() -> None:
    assert math.isnan(decode({"$nan": True}))
    assert decode({"$inf": -1}) == -math.inf
    assert decode({"$integer": "1180591620717411303424"}) == 2**70
    assert decode({"$surrogate": "d800"}) == "\ud800"
    assert decode({"$repeat": ["ab", 3]}) == "ababab"
    assert decode({"$deep": 3}) == [[[]]]
    assert decode({"$object": [[{"$repeat": ["k", 3]}, {"$deep": 1}]]}) == {"kkk": []}
    assert decode({"$literal": {"$nan": True}}) == {"$nan": True}
    assert decode({"a": [{"$integer": "1"}], "$ref": "x"}) == {"a": [1], "$ref": "x"}
    assert decode({"$unknown": 1}) == {"$unknown": 1}


def test_the_protocol_sends_only_what_json_lacks_in_another_form() -> None:
    sent = encode([math.nan, -math.inf, "\udfff", {"a": (1, 2.0)}, "x\ud800"])
    assert sent == [
        {"$nan": True},
        {"$inf": -1},
        {"$surrogate": "dfff"},
        {"a": [1, 2.0]},
        "x\ud800",
    ]


def test_a_message_is_one_line_of_ascii() -> None:
    line = to_json({"text": "a\u2028b\u0085c\nd", "n": 2**70, "z": -0.0})
    assert line == '{"text":"a\\u2028b\\u0085c\\nd","n":1180591620717411303424,"z":-0.0}'


def test_json_is_read_strictly() -> None:
    assert math.copysign(1, parse_json("-0")) == -1
    assert parse_json("9007199254740993") == 2**53 + 1
    for text in ('{"a": 1, "a": 2}', "NaN", "[Infinity]", "{"):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text)
