"""Schemas and values that would keep a report busy for ever: refused with one line."""

from __future__ import annotations

from typing import Any

import pytest

from pipestat_spec.domain.validation.conform import conform
from pipestat_spec.errors import SchemaError, SchemaValidationErrorDuringReport
from pipestat_spec.models.schema.output_schema import ResultSchema, parse_output_schema


def result(definition: dict[str, Any], **definitions: Any) -> ResultSchema:
    schema = parse_output_schema({"r": definition, "$defs": definitions}, "s.yaml")
    found = schema.result("sample", "r")
    assert found is not None
    return found


def doubling(times: int) -> dict[str, Any]:
    chain = {
        f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]}
        for i in range(times)
    }
    return {**chain, f"d{times}": {"type": "integer"}}


def refusal(value: Any, schema: ResultSchema) -> str:
    with pytest.raises(SchemaValidationErrorDuringReport) as caught:
        conform(value, schema)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_definitions_that_double() -> None:
    # d11 refers twice to d12 and so on: 1 + 2 * (1 + 1 + 2 * ...) schemas, 3 * 2**n - 1 or so.
    schema = result({"$ref": "#/$defs/d0"}, **doubling(8))
    assert conform(5, schema) == 5
    with pytest.raises(SchemaError) as caught:
        result({"$ref": "#/$defs/d0"}, **doubling(25))
    assert caught.value.message.endswith(": more than 10000 schemas apply to one value")
    assert caught.value.hint == "refer to a definition once, not in several branches"


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
def test_ten_thousand_branches(keyword: str) -> None:
    result({keyword: [{"type": "integer"}] * 9_998})
    with pytest.raises(SchemaError, match="more than 10000 schemas apply to one value"):
        result({keyword: [{"type": "integer"}] * 10_001})


def test_doubling_along_the_value() -> None:
    twice = {"allOf": [{"properties": {"a": {"$ref": "#/$defs/d"}}}] * 2}
    schema = result({"$ref": "#/$defs/d"}, d=twice)
    value: Any = {}
    for _ in range(8):
        value = {"a": value}
    assert conform(value, schema) == value
    for _ in range(80):
        value = {"a": value}
    place = ".".join(["a"] * 12)
    assert refusal(value, schema) == (
        f"result 'r' at {place}: more than 10000 schemas apply to this part of the value; "
        "refer to a definition once, not in several branches"
    )


def test_a_large_value_of_a_recursive_schema_is_no_such_case() -> None:
    tree = {"properties": {"kids": {"items": {"$ref": "#/$defs/tree"}}, "n": {"type": "integer"}}}
    schema = result({"$ref": "#/$defs/tree"}, tree=tree)
    value = {"kids": [{"kids": [{"n": j} for j in range(100)]} for _ in range(200)]}
    assert conform(value, schema) == value
    value["kids"][199]["kids"][99]["n"] = "x"  # type: ignore[index]
    assert refusal(value, schema) == (
        "result 'r' at kids[199].kids[99].n: 'x' is a string, not an integer"
    )


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(x+x+)+y", "^(?:a?){30}a{30}$"])
def test_patterns_that_make_others_backtrack(pattern: str) -> None:
    schema = result({"type": "string", "pattern": pattern})
    assert "does not fit pattern" in refusal("a" * 29 + "!" + "x" * 5_000, schema)


def test_look_around_has_its_limits() -> None:
    schema = result({"type": "string", "pattern": "^(?:(?!foo).)*$"})
    assert conform("a" * 1_000, schema) == "a" * 1_000
    many = result({"type": "array", "items": {"pattern": "(?=(a+)+$)b"}})
    assert "does not fit" in refusal(["a" * 1_000], many)
    for value in (["a" * 10_001], ["a" * 1_000] * 101):
        assert refusal(value, many) == (
            "result 'r': its texts are too long for a pattern with look-around or back-references: "
            "more than 10000 characters, or many long ones; write the pattern without them"
        )


def test_steps_of_a_pattern_are_counted() -> None:
    schema = result({"type": "string", "pattern": r"^(a|aa)(?:\1|a|aa)+$"})
    assert refusal("a" * 60 + "!", schema) == (
        f"result 'r': '{'a' * 60}!' takes more than 100000 steps to compare with pattern: "
        r"'^(a|aa)(?:\\1|a|aa)+$'"
    )


def test_a_pattern_that_is_too_large() -> None:
    schema = result({"type": "string", "pattern": "(a{1000}){1000}"})
    with pytest.raises(SchemaError) as caught:
        conform("a", schema)
    assert caught.value.message == ("s.yaml: r: a pattern is too large or looks too far behind")


def test_twenty_thousand_items_that_differ() -> None:
    schema = result({"type": "array", "uniqueItems": True})
    items = [{"a": [i, {"b": str(i)}]} for i in range(20_000)]
    assert conform(items, schema) == items
    assert "does not fit uniqueItems: true" in refusal([*items, items[7]], schema)


def test_many_definitions_of_one_name() -> None:
    definitions = {f"k{i}": {"$defs": {"x": {"type": "integer"}}} for i in range(5_000)}
    references = {f"k{i}": {"$ref": f"#/$defs/k{i}/$defs/x"} for i in range(5_000)}
    schema = result({"type": "object", "properties": references}, **definitions)
    assert refusal({"k4999": "x"}, schema).endswith("at k4999: 'x' is a string, not an integer")
