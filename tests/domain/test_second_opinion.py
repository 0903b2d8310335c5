"""jsonschema-rs judges values; jsonschema has to agree, but where it is known to be wrong."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipestat_spec.domain.validation.engine import compiled, engine_form
from pipestat_spec.text.patterns import translated

_SCALARS = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        1.0,
        0.5,
        -0.0,
        2**53,
        2**53 + 1,
        1e22,
        "",
        "a",
        "ab",
        "é",
        "😀",
    ]
)
_NAMES = st.sampled_from(["a", "b", "c", "12"])
VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=8,
)
_COUNTS = st.integers(0, 3)
_BOUNDS = st.sampled_from([0, 1, 2.5, 2**53, 1e22])
_TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
_PATTERNS = st.sampled_from(["a", "^a+$", "b|é", "^.{1,2}$"])


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, min_size=1, max_size=3)
    maps = st.dictionaries(_NAMES, inner, max_size=3)
    references = st.sampled_from([{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}])
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": _TYPES | st.lists(_TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _BOUNDS),
        "multipleOf": st.sampled_from([1, 2, 3, 0.5]),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNTS),
        **dict.fromkeys(("minProperties", "maxProperties"), _COUNTS),
        **dict.fromkeys(("minContains", "maxContains"), _COUNTS),
        "pattern": _PATTERNS,
        "uniqueItems": st.booleans(),
        "required": st.lists(_NAMES, max_size=2, unique=True),
        "dependentRequired": st.dictionaries(_NAMES, st.lists(_NAMES, unique=True), max_size=2),
        "dependencies": st.dictionaries(_NAMES, st.lists(_NAMES, unique=True), max_size=2),
        **dict.fromkeys(("properties", "dependentSchemas"), maps),
        "patternProperties": st.dictionaries(_PATTERNS, inner, max_size=2),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), lists),
        **dict.fromkeys(("items", "contains", "additionalProperties", "propertyNames"), inner),
        **dict.fromkeys(("not", "if", "then", "else"), inner),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), inner),
        "format": st.sampled_from(["email", "date"]),
    }
    several = st.lists(st.sampled_from(sorted(keywords)), min_size=1, max_size=4, unique=True)
    some = several.flatmap(lambda keys: st.fixed_dictionaries({key: keywords[key] for key in keys}))
    return references | some


SCHEMAS = st.recursive(st.booleans() | st.just({}), schemas, max_leaves=6)


@given(SCHEMAS, VALUES)
@settings(deadline=None, max_examples=300)
def test_both_judge_alike(schema: Any, value: Any) -> None:
    whole = {
        "allOf": [schema],
        "$defs": {"one": {"type": ["integer", "array"]}, "two": {"minLength": 1}},
    }
    ours = compiled(engine_form(whole, {})).is_valid(value)
    assert ours == Draft202012Validator(whole).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"minimum": "1"}, {"type": "text"}, {"enum": 1}, {"required": "a"}, {"items": [{}]},
        {"multipleOf": 0}, {"maxLength": -1}, {"properties": {"a": 5}}, {"allOf": []},
        {"uniqueItems": 1}, {"dependentRequired": {"a": "b"}}, {"minimum": 1}, {"enum": []},
        {"maxLength": 2.0}, {"anything": 5}, {"const": {"type": "file"}}, {"$comment": 5},
    ],
)  # fmt: skip
def test_both_know_the_same_schemas(schema: Any) -> None:
    right = Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)
    try:
        compiled(engine_form(schema, {}))
    except jsonschema_rs.ValidationError:
        assert not right
    else:
        assert right


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"multipleOf": 0.01}, 0.07, True),
        ({"multipleOf": 0.1}, 0.30000000000000004, False),
        ({"multipleOf": 1e-8}, 12391239123.0, True),
        ({"multipleOf": 1e-300}, 1e300, True),
        ({"maximum": 2**53}, 2**53 + 1, False),
        ({"minimum": 2**53 + 1}, float(2**53), False),
        ({"const": 2**53}, 2**53 + 1, False),
        ({"uniqueItems": True}, [2**53, 2**53 + 1], True),
        ({"uniqueItems": True}, [0, False], True),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], False),
        ({"pattern": "^a$"}, "a\n", False),
        ({"format": "email"}, "x", True),
        ({"contentEncoding": "base64"}, "$", True),
    ],
)
def test_numbers_and_texts(schema: Any, value: Any, fits: bool) -> None:
    assert compiled(engine_form(schema, {})).is_valid(value) is fits


# What the engine alone would do otherwise; when one of these fails, `text/patterns.py` may shrink.


@pytest.mark.parametrize(
    ("pattern", "text", "meant"),
    [(r"\bx", "éx", True), (r"(?=.)\w", "é", False), (r"(?<!a)\d", "\u0663", False)],
)
def test_what_the_engine_takes_for_words(pattern: str, text: str, meant: bool) -> None:
    alone = jsonschema_rs.Draft202012Validator({"pattern": pattern})
    ours = jsonschema_rs.Draft202012Validator({"pattern": translated(pattern)})
    assert alone.is_valid(text) is not meant
    assert ours.is_valid(text) is meant


@pytest.mark.parametrize("pattern", ["(?i)x", "(?P<n>x)", "x++", r"x\z", "]"])
def test_what_the_engine_takes_and_ecma_does_not(pattern: str) -> None:
    jsonschema_rs.Draft202012Validator({"pattern": pattern})


@pytest.mark.parametrize("pattern", ["[^]", r"\0", r"\uD83D\uDE00", r"(?<n>a)\k<n>"])
def test_what_ecma_takes_and_the_engine_does_not(pattern: str) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    jsonschema_rs.Draft202012Validator({"pattern": translated(pattern)})


def test_a_keyword_of_older_drafts_is_kept_from_the_engine() -> None:
    schema = {"dependencies": {"a": ["b"]}}
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid({"a": 1})
    assert compiled(engine_form(schema, {})).is_valid({"a": 1})
