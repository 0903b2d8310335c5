"""Values against the schemas of their results; texts and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema_rs import Validator

from pipestat_spec.domain.validation import engine, judge
from pipestat_spec.domain.validation.conform import conform, from_text
from pipestat_spec.domain.validation.keywords import check_members, check_schema_keywords
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import (
    InvalidTypeError,
    SchemaError,
    SchemaValidationErrorDuringReport,
)
from pipestat_spec.json_values import same_value
from pipestat_spec.models.schema.output_schema import ResultSchema, parse_output_schema
from pipestat_spec.schema_files import load_output_schema

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
KEYWORD = "see the keyword in JSON Schema 2020-12"


def result(text: str, definitions: str = "{}") -> ResultSchema:
    document = {"r": yaml.safe_load(text), "$defs": yaml.safe_load(definitions)}
    schema = parse_output_schema(document, "s.yaml").result("sample", "r")
    assert schema is not None
    return schema


def refusal(kind: type[Exception], value: Any, schema: ResultSchema, **options: bool) -> str:
    with pytest.raises(kind) as caught:
        conform(value, schema, **options)
    assert isinstance(caught.value, kind)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("schema", "value", "stored"),
    [
        ("{type: integer}", 12, 12),
        ("{type: integer}", 12.0, 12),
        ("{type: integer}", -0.0, 0),
        ("{type: integer, minimum: 1}", 12.0, 12),
        ("{type: [integer]}", 12.0, 12),
        ("{type: [integer, 'null']}", 12.0, 12.0),
        ("{type: [integer, 'null']}", 1e300, 1e300),
        ("{type: [integer, 'null']}", None, None),
        ("{$ref: '#/$defs/count'}", 12.0, 12),
        ("{type: number}", 1, 1.0),
        ("{type: number}", 2**53, 9007199254740992.0),
        ("{type: number}", 1.5, 1.5),
        ("{type: number, maximum: 5}", 1, 1.0),
        ("{type: number, enum: [1, 2]}", 1, 1.0),
        ("{type: [number, string]}", 1, 1),
        ("{type: [number, 'null']}", 2**53 + 1, 2**53 + 1),
        ("{anyOf: [{type: number}, {type: 'null'}]}", 1, 1),
        ("{anyOf: [{type: integer}, {type: 'null'}]}", 1.0, 1.0),
        ("{type: number, allOf: [{type: integer}]}", 1, 1.0),
        ("{type: [integer, number]}", 1, 1),
        ("{type: [integer, number]}", 1.0, 1.0),
        ("{type: boolean}", False, False),
        ("{type: string}", "", ""),
        ("{type: 'null'}", None, None),
        ("{type: array}", [], []),
        ("{type: object}", {}, {}),
        ("{type: array, items: {type: number}}", [1, 1.5], [1, 1.5]),
        ("{enum: [a, 1]}", 1, 1),
        ("{enum: [a, 1]}", 1.0, 1.0),
        ("{enum: [1.0, 2.5]}", 1, 1),
        ("{type: [file, object]}", {"a": 1}, {"a": 1}),
        ("{type: [file, image]}", {"path": "p", "title": "t"}, {"path": "p", "title": "t"}),
        ("{type: file}", {"path": "p", "title": "t", "size": 3},
         {"path": "p", "title": "t", "size": 3}),
        ("{type: image}", {"path": "p", "title": "t"}, {"path": "p", "title": "t"}),
        ("{type: string, format: email}", "not an address", "not an address"),
    ],
)  # fmt: skip
def test_values_that_fit(schema: str, value: Any, stored: Any) -> None:
    assert same_value(conform(value, result(schema, "{count: {type: integer}}")), stored)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ("{type: integer}", "twelve", "result 'r': 'twelve' is a string, not an integer"),
        ("{type: integer}", 1.5, "result 'r': 1.5 is a number, not an integer"),
        ("{type: integer}", True, "result 'r': true is a boolean, not an integer"),
        ("{type: integer}", None, "result 'r': null is not an integer"),
        ("{type: integer}", "12", "result 'r': '12' is a string, not an integer; report 12"),
        ("{type: integer}", 1e300, "result 'r': 1e+300 cannot be stored as an integer: it is "
         "outside the signed 64-bit range"),
        ("{type: number}", False, "result 'r': false is a boolean, not a number"),
        ("{type: number}", 2**53 + 1, "result 'r': 9007199254740993 cannot be stored as a number: "
         "no double equals it; declare the result as integer"),
        ("{type: boolean}", 0, "result 'r': 0 is an integer, not a boolean"),
        ("{type: string}", 5, "result 'r': 5 is an integer, not a string; report '5'"),
        ("{type: array}", {"a": 1}, "result 'r': {\"a\": 1} is an object, not an array"),
        ("{type: [integer, 'null']}", "x", "result 'r': 'x' is a string, not an integer or null"),
        ("{type: file}", ["p"], "result 'r': [\"p\"] is an array, not a file (an object with path "
         "and title)"),
        ("{type: [image, 'null']}", 5, "result 'r': 5 is an integer, not an image (an object with "
         "path and title) or null"),
        ("{type: integer}", "x" * 500, "result 'r': '" + "x" * 78 + "… is a string, not an "
         "integer"),
        ("{type: integer}", "a\nb", "result 'r': 'a\\nb' is a string, not an integer"),
        # inside a value
        ("{type: file}", {"path": 1, "title": "t"},
         "result 'r' at path: 1 is an integer, not a string"),
        ("{type: object, properties: {a: {items: {properties: {c: {type: string}}}}}}",
         {"a": [{}, {"c": 5}]}, "result 'r' at a[1].c: 5 is an integer, not a string"),
        ("{type: array, items: {type: integer}}", [1, True],
         "result 'r' at [1]: true is a boolean, not an integer"),
        ("{$ref: '#/$defs/tree'}", {"kids": [{"kids": 5}]},
         "result 'r' at kids[0].kids: 5 is an integer, not an array"),
    ],
)  # fmt: skip
def test_wrong_types(schema: str, value: Any, message: str) -> None:
    tree = (
        "{tree: {type: object, properties: {kids: {type: array, items: {$ref: '#/$defs/tree'}}}}}"
    )
    assert refusal(InvalidTypeError, value, result(schema, tree)) == message


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ("{type: file}", {"path": "p"}, "result 'r': {\"path\": \"p\"} lacks 'title'"),
        ("{type: image}", {}, "result 'r': {} lacks 'path', 'title'"),
        ("{type: array, items: {type: image}}", [{"path": "p"}],
         "result 'r' at [0]: {\"path\": \"p\"} lacks 'title'"),
        ("{enum: [a, b]}", "c", "result 'r': 'c' is none of [\"a\", \"b\"]"),
        ("{enum: [1]}", 2, "result 'r': 2 is none of [1]"),
        ("{const: a}", "c", "result 'r': 'c' is not 'a'"),
    ],
)  # fmt: skip
def test_values_that_the_schema_refuses(schema: str, value: Any, message: str) -> None:
    assert refusal(SchemaValidationErrorDuringReport, value, result(schema)) == message


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ("{type: integer, minimum: 10}", 5, "result 'r': 5 does not fit minimum: 10"),
        ("{type: string, pattern: '^\\w$'}", "abc",
         "result 'r': 'abc' does not fit pattern: '^\\\\w$'"),
        ("{type: array, minItems: 1}", [], "result 'r': [] does not fit minItems: 1"),
        ("{type: array, items: {multipleOf: 0.01}}", [0.07, 0.075],
         "result 'r' at [1]: 0.075 does not fit multipleOf: 0.01"),
        ("{type: object, additionalProperties: false}", {"x": 1},
         "result 'r': {\"x\": 1} must not have 'x' (additionalProperties: false)"),
        ("{type: object, properties: {a: {}}, additionalProperties: false}", {"a": 1, "x": 1},
         "result 'r': {\"a\": 1, \"x\": 1} must not have 'x' (additionalProperties: false)"),
        ("{type: object, unevaluatedProperties: false}", {"x": 1},
         "result 'r': {\"x\": 1} must not have 'x' (unevaluatedProperties: false)"),
        ("{type: object, properties: {'12': false}}", {"12": 1},
         "result 'r' at 12: 1 must not be there (12: false)"),
        ("{type: array, prefixItems: [{}], items: false}", [1, 2],
         "result 'r' at [1]: 2 must not be there (items: false)"),
        ("{type: object, patternProperties: {'^\\d+$': {type: string}}}", {"12": 1},
         "result 'r' at 12: 1 is an integer, not a string"),
        ("{type: object, propertyNames: {maxLength: 1}}", {"abc": 1},
         "result 'r': {\"abc\": 1} has a key that does not fit maxLength: 1"),
        ("{type: object, dependentRequired: {a: [b, c]}}", {"a": 1, "b": 1},
         "result 'r': {\"a\": 1, \"b\": 1} lacks 'c'"),
        ("{anyOf: [{type: string}, {type: object, required: [a]}]}", {},
         "result 'r': {} lacks 'a'"),
        ("{anyOf: [{type: integer, minimum: 5}, {type: integer, maximum: 1}]}", 3,
         "result 'r': 3 does not fit anyOf: [{\"type\": \"integer\", \"minimum\": 5}, {\"type\": "
         "\"integer\", \"maximum\": 1}]"),
        ("{oneOf: [{type: integer}, {type: number}]}", 1,
         "result 'r': 1 fits more than one of oneOf: "
         "[{\"type\": \"integer\"}, {\"type\": \"number\"}]"),
        ("{type: array, contains: {type: string}}", [1],
         "result 'r': [1] does not fit contains: {\"type\": \"string\"}"),
        ("{$ref: '#/$defs/a'}", "abcd", "result 'r': 'abcd' does not fit maxLength: 3"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_value_and_the_rule(schema: str, value: Any, message: str) -> None:
    definitions = "{a: {type: string, maxLength: 3}}"
    found = refusal(SchemaValidationErrorDuringReport, value, result(schema, definitions))
    assert found == message


def test_long_values_are_shortened_in_messages() -> None:
    value = ["y" * 50] * 100
    for schema in ("{type: array, maxItems: 3}", "{type: array, items: {type: array}}"):
        with pytest.raises(SchemaValidationErrorDuringReport) as caught:
            conform(value, result(schema))
        assert len(str(caught.value)) < 300


def test_the_error_carries_what_it_speaks_of() -> None:
    schema = result("{type: object, properties: {a: {type: array, items: {type: string}}}}")
    with pytest.raises(InvalidTypeError) as caught:
        conform({"a": ["x", 5]}, schema)
    error = caught.value
    assert error.result_identifier == "r"
    assert error.value == {"a": ["x", 5]}
    assert error.schema is schema.declared
    assert error.path == ("a", 1)


@pytest.mark.parametrize(
    ("schema", "place", "hint"),
    [
        ("{type: object, required: yes}",
         "r.required: ", "list the properties that must be there: required: [name]"),
        ("{type: file, required: yes}",
         "r.required: ", "list the properties that must be there: required: [name]"),
        ("{type: integer, minimum: '1'}", "r.minimum: ", "write 1 without quotes"),
        ("{type: array, items: [{type: string}]}",
         "r.items: ", "write prefixItems for a list of schemas"),
        ("{type: array, prefixItems: []}", "r.prefixItems: ", KEYWORD),
        ("{type: object, properties: {a: {enum: b}}}", "r.properties.a.enum: ", KEYWORD),
        ("{$ref: '#/$defs/a'}", "$defs.a.maxLength: ", KEYWORD),
    ],
)  # fmt: skip
def test_wrong_keywords_are_found_when_the_schema_is_needed(
    schema: str, place: str, hint: str
) -> None:
    parsed = result(schema, "{a: {maxLength: x}}")
    values = ({}, "x", 1, [1], {"a": 1})
    value = next(v for v in values if parsed.types is None or _kind(v) in parsed.types)
    with pytest.raises(SchemaError) as caught:
        conform(value, parsed)
    assert type(caught.value) is SchemaError
    assert caught.value.message.startswith(f"s.yaml: {place}")
    assert caught.value.hint == hint
    with pytest.raises(SchemaError):
        check_schema_keywords(parsed)


@pytest.mark.parametrize(
    ("schema", "problem", "hint"),
    [
        ("{type: string, enum: [a, yes]}", "r.enum: true is a boolean, not a string", "quote it: "),
        ("{type: string, enum: [NO]}", "r.enum: false is a boolean, not a string", "quote it: "),
        ("{type: string, const: on}", "r.const: true is a boolean, not a string", "quote it: "),
        ("{type: string, enum: [001]}", "r.enum: 1 is an integer, not a string", "quote it: "),
        ("{type: string, enum: [12:30]}", "r.enum: 750 is an integer, not a string", "quote it: "),
        ("{type: string, const: 1.10}", "r.const: 1.1 is a number, not a string", "quote it: "),
        ("{type: string, enum: [a, null]}", "r.enum: null is not a string",
         "quote it ('null'), or add"),
        ("{type: number, enum: [1e-3]}", "r.enum: '1e-3' is a string, not a number",
         "write 1.0e-3: to YAML 1e-3 is a string"),
        ("{type: integer, const: '3'}", "r.const: '3' is a string, not an integer",
         "write 3 without quotes"),
        ("{type: integer, enum: [2.5]}", "r.enum: 2.5 is a number, not an integer", None),
        ("{type: [integer, boolean], enum: [a]}",
         "r.enum: 'a' is a string, not a boolean or an integer", None),
        ("{type: object, properties: {a: {items: {type: string, enum: [off]}}}}",
         "r.properties.a.items.enum: false is a boolean, not a string", "quote it: "),
        ("{$ref: '#/$defs/a'}", "$defs.a.enum: false is a boolean, not a string", "quote it: "),
    ],
)  # fmt: skip
def test_members_that_the_type_excludes(schema: str, problem: str, hint: str | None) -> None:
    parsed = result(schema, "{a: {type: string, enum: [no]}}")
    check_schema_keywords(parsed)  # JSON Schema has nothing against them
    with pytest.raises(SchemaError) as caught:
        check_members(parsed)
    assert caught.value.message == f"s.yaml: {problem}: no value fits"
    assert (caught.value.hint or "").startswith(hint or "")
    assert (caught.value.hint is None) == (hint is None)


@pytest.mark.parametrize(
    "schema",
    [
        "{type: integer, enum: [1, 2.0]}",
        "{type: number, enum: [1, 2.5]}",
        "{type: [string, 'null'], enum: [a, null]}",
        "{enum: [yes, 'no', 1]}",
        "{type: array, const: [yes]}",
        "{type: string, default: yes}",
    ],
)
def test_members_that_fit_their_type(schema: str) -> None:
    check_members(result(schema))


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("1e6", "write 1.0e+6: to YAML 1e6 is a string"),
        ("1.5E6", "write 1.5e+6: to YAML 1.5E6 is a string"),
        ("'7'", "write 7 without quotes"),
        ("x", KEYWORD),
    ],
)
def test_a_number_that_yaml_takes_for_text(number: str, hint: str) -> None:
    with pytest.raises(SchemaError) as caught:
        check_schema_keywords(result(f"{{type: number, maximum: {number}}}"))
    assert caught.value.hint == hint


def _kind(value: object) -> str:
    return {dict: "object", str: "string", int: "integer", list: "array"}[type(value)]


def test_right_keywords_pass_the_check() -> None:
    for file in ("published_advanced.yaml", "array_form.yaml", "flat_form.yaml"):
        for level in load_output_schema(SCHEMAS / file).levels.values():
            for schema in level.results.values():
                check_schema_keywords(schema)


@pytest.mark.parametrize(
    ("schema", "value", "stored"),
    [
        ("{type: image}", {"path": "p", "title": "t", "thumbnail": "s"},
         {"path": "p", "title": "t", "thumbnail_path": "s"}),
        ("{$ref: '#/$defs/image'}", {"path": "p", "title": "t", "thumbnail": "s"},
         {"path": "p", "title": "t", "thumbnail_path": "s"}),
        ("{type: array, items: {type: image}}", [{"path": "p", "title": "t", "thumbnail": "s"}],
         [{"path": "p", "title": "t", "thumbnail_path": "s"}]),
        ("{type: array, prefixItems: [{type: string}, {type: image}]}",
         ["x", {"path": "p", "title": "t", "thumbnail": "s"}],
         ["x", {"path": "p", "title": "t", "thumbnail_path": "s"}]),
        ("{type: object, properties: {a: {type: object, properties: {b: {type: image}}}}}",
         {"a": {"b": {"path": "p", "title": "t", "thumbnail": "s"}}},
         {"a": {"b": {"path": "p", "title": "t", "thumbnail_path": "s"}}}),
        ("{type: object, additionalProperties: {type: image}}",
         {"any": {"path": "p", "title": "t", "thumbnail": "s"}},
         {"any": {"path": "p", "title": "t", "thumbnail_path": "s"}}),
        ("{type: object, patternProperties: {'^i': {type: image}}}",
         {"i1": {"path": "p", "title": "t", "thumbnail": "s"}},
         {"i1": {"path": "p", "title": "t", "thumbnail_path": "s"}}),
        ("{type: [image, 'null']}", None, None),
        ("{anyOf: [{type: image}, {type: string}]}", {"path": "p", "title": "t", "thumbnail": "s"},
         {"path": "p", "title": "t", "thumbnail_path": "s"}),
        ("{type: [image, object]}", {"path": "p", "title": "t", "thumbnail": "s"},
         {"path": "p", "title": "t", "thumbnail_path": "s"}),
        ("{type: object, object_type: image}", {"thumbnail": "s"}, {"thumbnail_path": "s"}),
        ("{type: object, object_type: image, properties: {thumbnail: {type: string}}, "
         "required: [thumbnail]}", {"thumbnail": "s"}, {"thumbnail_path": "s"}),
        ("{type: image}", {"path": "p", "title": "t", "thumbnail": "s", "thumbnail_path": "s"},
         {"path": "p", "title": "t", "thumbnail_path": "s"}),
        # Where there is no image nothing changes.
        ("{type: file}", {"path": "p", "title": "t", "thumbnail": "s"},
         {"path": "p", "title": "t", "thumbnail": "s"}),
        ("{type: object, properties: {thumbnail: {type: string}}}",
         {"thumbnail": "s"}, {"thumbnail": "s"}),
        ("{type: object, properties: {a: {type: image}}}", {"thumbnail": "s"},
         {"thumbnail": "s"}),
    ],
)  # fmt: skip
def test_thumbnails(schema: str, value: Any, stored: Any) -> None:
    image = (
        "{image: {type: object, object_type: image, properties: {path: {type: string}, "
        "thumbnail_path: {type: string}, title: {type: string}}, "
        "required: [path, thumbnail_path, title]}}"
    )
    before = repr(value)
    assert conform(value, result(schema, image)) == stored
    assert repr(value) == before


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("{type: image}", {"path": "p", "title": "t", "thumbnail": "a", "thumbnail_path": "b"}),
        ("{type: array, items: {type: image}}",
         [{"path": "p", "title": "t", "thumbnail": "a", "thumbnail_path": "b"}]),
        ("{type: object, object_type: image}", {"thumbnail": True, "thumbnail_path": 1}),
    ],
)  # fmt: skip
def test_two_thumbnails_are_refused(schema: str, value: Any) -> None:
    message = refusal(SchemaValidationErrorDuringReport, value, result(schema))
    assert message.startswith("result 'r': thumbnail is ")
    assert message.endswith("they are two names of one thing: give thumbnail_path alone")


def test_thumbnails_of_a_recursive_schema() -> None:
    schema = result(
        "{$ref: '#/$defs/n'}",
        "{n: {type: object, properties: {plot: {type: image}, a: {$ref: '#/$defs/n'}, "
        "b: {anyOf: [{$ref: '#/$defs/n'}, {$ref: '#/$defs/n'}]}}}}",
    )
    value: dict[str, Any] = {"plot": {"path": "p", "title": "t", "thumbnail": "s"}}
    stored: dict[str, Any] = {"plot": {"path": "p", "title": "t", "thumbnail_path": "s"}}
    for _ in range(8):
        value, stored = {"a": value, "b": value}, {"a": stored, "b": stored}
    assert conform(value, schema) == stored


@pytest.mark.parametrize(
    ("schema", "value", "stored"),
    [
        ("{type: integer}", "12", 12),
        ("{type: integer}", 12.0, 12),
        ("{type: number}", "1e3", 1000.0),
        ("{type: number}", "12", 12.0),
        ("{type: boolean}", "True", True),
        ("{type: boolean}", "false", False),
        ("{type: array}", "[1, [2]]", [1, [2]]),
        ("{type: object}", '{"a": 1}', {"a": 1}),
        ("{type: string}", 12, "12"),
        ("{type: string}", 1.5, "1.5"),
        ("{type: string}", True, "true"),
        ("{type: [integer, 'null']}", "null", None),
        ("{type: [integer, string]}", "12", 12),
        ("{type: file}", "a.txt", {"path": "a.txt", "title": "r"}),
        ("{type: array, items: {type: integer}}", ["1", 2], [1, 2]),
        ("{type: array, items: {$ref: '#/$defs/count'}}", ["1"], [1]),
        ("{type: object, properties: {a: {type: integer}, b: {type: string}}}",
         {"a": "5", "b": 5, "c": "6"}, {"a": 5, "b": "5", "c": "6"}),
        ("{type: object, properties: {a: {type: integer}}}", '{"a": "5"}', {"a": 5}),
    ],
)  # fmt: skip
def test_conversion_when_asked(schema: str, value: Any, stored: Any) -> None:
    parsed = result(schema, "{count: {type: integer}}")
    assert same_value(conform(value, parsed, strict=False), stored)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("{type: integer}", "twelve"),
        ("{type: integer}", "1.5"),
        ("{type: integer}", "1e3"),
        ("{type: integer}", "12.0"),
        ("{type: integer}", "+5"),
        ("{type: integer}", 1.5),
        ("{type: number}", ".5"),
        ("{type: number}", "1."),
        ("{type: integer}", True),
        ("{type: integer}", str(2**63)),
        ("{type: number}", "nan"),
        ("{type: number}", "1e999"),
        ("{type: number}", str(2**53 + 1)),
        ("{type: boolean}", "yes"),
        ("{type: boolean}", 1),
        ("{type: string}", None),
        ("{type: string}", [1]),
        ("{type: array}", "[1"),
        ("{type: array}", '{"a": 1}'),
        ("{type: object, properties: {a: {type: integer}}}", {"a": "x"}),
        ("{type: array, items: {type: array, items: {type: integer}}}", [["1"]]),
    ],
)
def test_what_cannot_be_converted_is_refused(schema: str, value: Any) -> None:
    refusal(InvalidTypeError, value, result(schema), strict=False)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ("{type: integer}", "12", 12),
        ("{type: integer}", " -7 ", -7),
        ("{type: integer}", str(2**63 - 1), 2**63 - 1),
        ("{type: number}", "12", 12.0),
        ("{type: number}", "-2.5e-3", -0.0025),
        ("{type: number}", "1E-2", 0.01),
        ("{type: boolean}", "false", False),
        ("{type: boolean}", "TRUE", True),
        ("{type: array}", "[1,2]", [1, 2]),
        ("{type: object}", '{"a": [1.5]}', {"a": [1.5]}),
        ("{type: string}", "12", "12"),
        ("{type: string}", " [1] ", " [1] "),
        ("{type: string, enum: ['1']}", "1", "1"),
        ("{type: string}", "null", "null"),
        ("{type: 'null'}", "null", None),
        ("{type: [string, 'null']}", "null", None),
        ("{type: [string, 'null']}", "5", "5"),
        ("{type: [integer, 'null']}", "null", None),
        ("{type: [integer, string]}", "5", 5),
        ("{type: [integer, string]}", "5.5", "5.5"),
        ("{type: [boolean, integer, string]}", "true", True),
        ("{type: [array, string]}", "[1", "[1"),
        ("{anyOf: [{type: integer, minimum: 10}, {type: string}]}", "5", "5"),
        ("{anyOf: [{type: integer, minimum: 10}, {type: string}]}", "50", 50),
        ("{enum: ['1', 2]}", "1", "1"),
        ("{enum: ['1', 2]}", "2", 2),
        ("{type: file, title: T, description: D}", "a b.txt", {"path": "a b.txt", "title": "T"}),
        ("{type: file, description: D}", "[x].txt", {"path": "[x].txt", "title": "D"}),
        ("{type: image}", "5", {"path": "5", "title": "r"}),
        ("{type: image}", '{"path": "p", "title": "t"}', {"path": "p", "title": "t"}),
        ("{type: [image, 'null']}", "null", None),
        ("{type: [image, 'null']}", "p.png", {"path": "p.png", "title": "r"}),
        ("{type: [file, string]}", "p.png", "p.png"),
    ],
)
def test_what_a_text_means(schema: str, text: str, value: Any) -> None:
    assert same_value(from_text(text, result(schema)), value)


def test_without_a_schema_a_text_is_a_string() -> None:
    for text in ("12", "true", "null", "[1]", ""):
        assert from_text(text, None) == text


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        ("{type: integer}", "twelve", "result 'r': 'twelve' is a string, not an integer"),
        ("{type: integer}", "1_000", "result 'r': '1_000' is a string, not an integer; "
         "write 1000"),
        ("{type: integer}", "١٢", "result 'r': '١٢' is a string, not an integer; write 12"),
        ("{type: integer}", "", "result 'r': '' is a string, not an integer"),
        ("{type: integer}", "9" * 30, f"result 'r': '{'9' * 30}' cannot be stored as an integer: "
         "it is outside the signed 64-bit range"),
        ("{type: number}", "inf", "result 'r': 'inf' is a string, not a number"),
        ("{type: number}", "9007199254740993", "result 'r': '9007199254740993' cannot be stored "
         "as a number: no double equals it"),
        ("{type: boolean}", "1", "result 'r': '1' is a string, not a boolean"),
        ("{type: array}", "5", "result 'r': '5' is a string, not an array; give JSON, for example "
         "'[1, 2]'"),
        ("{type: array}", "[NaN]", "result 'r': '[NaN]' cannot be stored as an array: NaN is not "
         "a JSON number"),
        ("{type: array}", '{"a": 1}', "result 'r': {\"a\": 1} is an object, not an array"),
        ("{type: file}", "", "result 'r': '' is a string, not a file (an object with path and "
         "title)"),
        ("{type: [integer, 'null']}", "x", "result 'r': 'x' is a string, not an integer or null"),
    ],
)  # fmt: skip
def test_texts_without_a_meaning(schema: str, text: str, message: str) -> None:
    with pytest.raises(InvalidTypeError) as caught:
        from_text(text, result(schema))
    assert str(caught.value) == message


def test_a_text_that_is_no_json_is_told_with_the_column() -> None:
    with pytest.raises(InvalidTypeError) as caught:
        from_text("[1,", result("{type: array}"))
    message = str(caught.value)
    ours = "result 'r': '[1,' cannot be stored as an array: no JSON, line 1, column 4: "
    assert message.startswith(ours)


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 200 + "]" * 200, "9" * 100_000])
def test_absurd_texts(text: str) -> None:
    for schema in ("{type: array}", "{type: integer}", "{type: number}"):
        with pytest.raises(InvalidTypeError) as caught:
            from_text(text, result(schema))
        assert len(str(caught.value)) < 300


def test_deep_values_of_a_recursive_schema() -> None:
    schema = result(
        "{$ref: '#/$defs/n'}",
        "{n: {anyOf: [{type: 'null'}, {type: object, properties: {next: {$ref: '#/$defs/n'}}}]}}",
    )
    value: Any = None
    for _ in range(99):
        value = {"next": value}
    assert conform(canonical(value), schema) == value


def test_a_validator_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    level = parse_output_schema(
        {"samples": {"a": {"type": "file"}, "additionalProperties": {"type": "image"}}}
    ).levels["sample"]
    forms = []

    def counted(form: Any) -> Validator:
        forms.append(form)
        return engine.compiled(form)

    monkeypatch.setattr(judge, "compiled", counted)
    for index in range(20):
        more = level.additional_schema(f"r{index}")
        assert more is not None
        conform({"path": "p", "title": "t"}, more)
    assert len(forms) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["path", "title", "a"]), inner, max_size=3),
    max_leaves=6,
)
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]


@given(JSON, st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True))
def test_the_type_rule_agrees_with_json_schema(value: Any, types: list[str]) -> None:
    """What is admitted is what a JSON Schema validator admits, and equal to what was given."""
    schema = result(yaml.safe_dump({"type": types}))
    inexact = isinstance(value, int) and not isinstance(value, bool) and float(value) != value
    assume(not inexact)
    assume(not (isinstance(value, float) and abs(value) >= 2**63))
    if Draft202012Validator({"type": types}).is_valid(value):
        assert conform(value, schema) == value
    else:
        with pytest.raises(InvalidTypeError):
            conform(value, schema)


@given(JSON, st.sampled_from(["{type: file}", "{type: [image, 'null']}", "{type: array}"]))
def test_conforming_twice_changes_nothing(value: Any, text: str) -> None:
    schema = result(text)
    for strict in (True, False):
        try:
            once = conform(value, schema, strict=strict)
        except SchemaValidationErrorDuringReport:
            continue
        assert same_value(conform(once, schema), once)
