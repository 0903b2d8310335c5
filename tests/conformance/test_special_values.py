"""What JSON cannot carry, and reading JSON strictly."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.special_values import decode, encode, parse_json, to_json


def test_forms_of_vectors() -> None:
    assert math.isnan(decode({"$nan": True}))
    assert decode({"$inf": -1}) == -math.inf
    assert decode({"$integer": "1180591620717411303424"}) == 2**70
    assert decode({"$surrogate": "d800"}) == "\ud800"
    assert decode({"$repeat": ["ab", 3]}) == "ababab"
    assert decode({"$deep": 3}) == [[[]]]
    assert decode({"$object": [[{"$repeat": ["k", 3]}, {"$deep": 1}]]}) == {"kkk": []}
    assert decode({"$array": [2, [{"$index": True}, {"$index": "t"}, {"$repeat": ["x", 2]}]]}) == [
        [0, "t0000", "xx"],
        [1, "t0001", "xx"],
    ]
    assert decode({"$map": ["s", 2, {"n": {"$index": True}}]}) == {
        "s0000": {"n": 0},
        "s0001": {"n": 1},
    }
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


def test_a_program_gets_the_values_and_not_the_forms_of_vectors(tmp_path: Path) -> None:
    received = tmp_path / "received"
    program = f"""
import json, sys
impl = {{"name": "t", "version": "1"}}
hello = {{"impl": impl, "protocol": 1, "capabilities": [], "profiles": ["core"]}}
for line in sys.stdin:
    message = json.loads(line)
    open({str(received)!r}, "a").write(line)
    more = hello if message["cmd"] == "hello" else {{"ok": True}}
    print(json.dumps({{"seq": message.get("seq"), **more}}), flush=True)
"""
    driver = SubprocessDriver([sys.executable, "-S", "-c", program])
    driver.hello()
    values = {
        "repeated": {"$repeat": ["ab", 2]},
        "integer": {"$integer": "9007199254740993"},
        "deep": {"$deep": 2},
        "object": {"$object": [["k", {"$inf": 1}]]},
        "nan": {"$nan": True},
    }
    driver.perform("report", {"record": "s1", "values": values})
    driver.abandon()
    sent = json.loads(received.read_text().splitlines()[-1])["args"]["values"]
    assert sent == {
        "repeated": "abab",
        "integer": 9007199254740993,
        "deep": [[]],
        "object": {"k": {"$inf": 1}},
        "nan": {"$nan": True},
    }
