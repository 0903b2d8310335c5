"""Each result's schema validates on its own: shorthands, references, recursion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.schema_files import load_output_schema

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"

FILE = {
    "type": "object",
    "object_type": "file",
    "properties": {"path": {"type": "string"}, "title": {"type": "string"}},
    "required": ["path", "title"],
}
IMAGE = {
    "type": "object",
    "object_type": "image",
    "properties": {
        "path": {"type": "string"},
        "title": {"type": "string"},
        "thumbnail_path": {"type": "string"},
    },
    "required": ["path", "title"],
}


def expanded(text: str, definitions: str = "{}") -> dict[str, Any]:
    document = {"r": yaml.safe_load(text), "$defs": yaml.safe_load(definitions)}
    result = parse_output_schema(document, "s.yaml").result("sample", "r")
    assert result is not None
    return dict(result.schema)


@pytest.mark.parametrize(
    "file",
    [
        "array_form.yaml",
        "flat_form.yaml",
        "minimal_form.yaml",
        "published_advanced.yaml",
        "published_highlight.yaml",
        "published_simple.yaml",
    ],
)
def test_each_result_is_a_valid_schema_of_its_own(file: str) -> None:
    for level in load_output_schema(SCHEMAS / file).levels.values():
        for result in level.results.values():
            Draft202012Validator.check_schema(result.schema)
            # Reaches every reference: a dangling one raises.
            validator = Draft202012Validator(result.schema)
            for value in (None, 1, "x", [{}], {"prop1": {}, "prop2": {}, "children": [{}]}):
                list(validator.iter_errors(value))


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("{type: file}", FILE),
        ("{type: image}", IMAGE),
        ("{type: [file, 'null']}", {**FILE, "type": ["object", "null"]}),
        ("{type: [file, null]}", {**FILE, "type": ["object", "null"]}),
        # Where another object is welcome too, each alternative stands by itself.
        (
            "{type: [file, object, 'null'], description: d, required: [size]}",
            {
                "object_type": "file",
                "description": "d",
                "anyOf": [
                    {**FILE, "required": ["path", "title", "size"]},
                    {"type": ["object", "null"], "required": ["size"]},
                ],
            },
        ),
        ("{type: [file, image]}", {"object_type": "image", "anyOf": [FILE, IMAGE]}),
        ("{type: array, items: {type: file}}", {"type": "array", "items": FILE}),
        (
            "{type: array, prefixItems: [{type: image}, {type: integer}]}",
            {"type": "array", "prefixItems": [IMAGE, {"type": "integer"}]},
        ),
        (
            "{type: object, properties: {type: {type: file}, enum: {type: integer}}}",
            {"type": "object", "properties": {"type": FILE, "enum": {"type": "integer"}}},
        ),
        (
            "{type: object, additionalProperties: {type: file}}",
            {"type": "object", "additionalProperties": FILE},
        ),
        (
            "{type: object, patternProperties: {'^p': {type: image}}}",
            {"type": "object", "patternProperties": {"^p": IMAGE}},
        ),
        (
            "{anyOf: [{type: file}, {oneOf: [{type: image}]}, {allOf: [{not: {type: file}}]}]}",
            {"anyOf": [FILE, {"oneOf": [IMAGE]}, {"allOf": [{"not": FILE}]}]},
        ),
        (
            "{type: object, if: {type: file}, then: {type: image}, else: {type: file}}",
            {"type": "object", "if": FILE, "then": IMAGE, "else": FILE},
        ),
        (
            "{type: array, contains: {type: file}, unevaluatedItems: {type: image}}",
            {"type": "array", "contains": FILE, "unevaluatedItems": IMAGE},
        ),
        (
            "{type: object, dependentSchemas: {a: {type: file}}, unevaluatedProperties: false}",
            {"type": "object", "dependentSchemas": {"a": FILE}, "unevaluatedProperties": False},
        ),
        # Data is data: nothing is expanded in it.
        (
            "{enum: [{type: file}], default: {type: file}, examples: [{type: image}]}",
            {
                "enum": [{"type": "file"}],
                "default": {"type": "file"},
                "examples": [{"type": "image"}],
            },
        ),
        ("{const: {type: file}}", {"const": {"type": "file"}}),
        # What an author adds to a shorthand stays.
        (
            "{type: file, required: [size, path], properties: {path: {pattern: x}, "
            "size: {type: integer}}}",
            {
                "type": "object",
                "object_type": "file",
                "properties": {
                    "path": {"type": "string", "pattern": "x"},
                    "title": {"type": "string"},
                    "size": {"type": "integer"},
                },
                "required": ["path", "title", "size"],
            },
        ),
        (
            "{type: image, properties: {path: where it is, thumbnail: {type: string}}, "
            "required: [thumbnail]}",
            {
                "type": "object",
                "object_type": "image",
                "properties": {
                    "path": {"type": "string", "description": "where it is"},
                    "title": {"type": "string"},
                    "thumbnail_path": {"type": "string"},
                },
                "required": ["path", "title", "thumbnail_path"],
            },
        ),
        (
            "{type: file, properties: {path: {type: integer}, title: {enum: [a]}}}",
            {
                "type": "object",
                "object_type": "file",
                "properties": {"path": {"type": "integer"}, "title": {"enum": ["a"]}},
                "required": ["path", "title"],
            },
        ),
        # A thumbnail has one name, also where the image is written out.
        (
            "{type: object, object_type: image, properties: {thumbnail: {type: string}, "
            "path: {type: string}}, required: [path, thumbnail]}",
            {
                "type": "object",
                "object_type": "image",
                "properties": {"thumbnail_path": {"type": "string"}, "path": {"type": "string"}},
                "required": ["path", "thumbnail_path"],
            },
        ),
        # Annotations of a form that JSON Schema does not allow are left out.
        ("{type: integer, description: 5, examples: x}", {"type": "integer"}),
        ("{type: integer, $id: 'http://x', $schema: y, units: bp}",
         {"type": "integer", "units": "bp"}),
    ],
)  # fmt: skip
def test_shorthands(text: str, schema: dict[str, Any]) -> None:
    assert expanded(text) == schema


def test_definitions_of_the_author_are_kept_as_declared() -> None:
    result = load_output_schema(SCHEMAS / "published_advanced.yaml").result(
        "sample", "output_image"
    )
    assert result is not None
    assert result.schema == {
        "$ref": "#/$defs/image",
        "description": "This a path to the output image",
        "$defs": {
            "image": {
                "type": "object",
                "object_type": "image",
                "properties": {
                    "path": {"type": "string"},
                    "thumbnail_path": {"type": "string"},
                    "title": {"type": "string"},
                },
                "required": ["path", "thumbnail_path", "title"],
            }
        },
    }


@pytest.mark.parametrize(
    ("text", "definitions", "schema"),
    [
        (
            "{$ref: '#/$defs/a'}",
            "{a: {$ref: '#/$defs/b'}, b: {type: file}, unused: {type: nonsense}}",
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": FILE}},
        ),
        (
            "{$ref: '#/$defs/a/properties/b'}",
            "{a: {properties: {b: {type: integer}}}}",
            {"$ref": "#/$defs/b", "$defs": {"b": {"type": "integer"}}},
        ),
        (
            "{anyOf: [{$ref: '#/$defs/x'}, {$ref: '#/$defs/a/properties/x'}]}",
            "{x: {type: integer}, a: {properties: {x: {type: string}}}}",
            {
                "anyOf": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/x_2"}],
                "$defs": {"x": {"type": "integer"}, "x_2": {"type": "string"}},
            },
        ),
        (
            "{anyOf: [{$ref: '#/$defs/a~1b~0c%20%C3%A9'}, {$ref: '#/$defs/a~1b~0c é'}]}",
            "{'a/b~c é': {type: integer}}",
            {
                "anyOf": [{"$ref": "#/$defs/a~1b~0c%20%C3%A9"}] * 2,
                "$defs": {"a/b~c é": {"type": "integer"}},
            },
        ),
        (
            "{$ref: '#/$defs/n'}",
            "{n: {properties: {next: {$ref: '#/$defs/n'}, f: {type: file}}}}",
            {
                "$ref": "#/$defs/n",
                "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "f": FILE}}},
            },
        ),
        (
            "{type: object, properties: {me: {$ref: '#/r'}}}",
            "{}",
            {
                "type": "object",
                "properties": {"me": {"$ref": "#/$defs/r"}},
                "$defs": {"r": {"type": "object", "properties": {"me": {"$ref": "#/$defs/r"}}}},
            },
        ),
        # Definitions inside the result, as schema generators write them.
        (
            "{$ref: '#/$defs/A', $defs: {A: {items: {$ref: '#/$defs/B'}}, B: {type: string}}}",
            "{}",
            {
                "$ref": "#/$defs/A",
                "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"type": "string"}},
            },
        ),
    ],
)
def test_references(text: str, definitions: str, schema: dict[str, Any]) -> None:
    assert expanded(text, definitions) == schema
    Draft202012Validator.check_schema(schema)
    list(Draft202012Validator(schema).iter_errors({"next": {}, "me": {}}))


def test_older_definitions_and_the_documents_own_address() -> None:
    document = {
        "$id": "https://example.org/s",
        "definitions": {"x": {"type": "integer"}},
        "a": {"$ref": "#/definitions/x"},
        "b": {"$ref": "https://example.org/s#/definitions/x"},
    }
    schema = parse_output_schema(document)
    for name in ("a", "b"):
        result = schema.result("sample", name)
        assert result is not None
        assert result.schema == {"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}
        assert result.types == frozenset({"integer"})


def test_recursion_validates_at_any_depth() -> None:
    tree = load_output_schema(SCHEMAS / "minimal_form.yaml").result("sample", "tree")
    assert tree is not None
    validator = Draft202012Validator(tree.schema)
    good: dict[str, Any] = {"label": "leaf"}
    bad: dict[str, Any] = {"label": 1}
    for _ in range(30):
        good, bad = ({"label": "x", "children": [node]} for node in (good, bad))
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)


@given(st.dictionaries(NAMES, st.sampled_from(["integer", "string"]), min_size=1, max_size=5))
def test_a_definition_may_have_any_name(kinds: dict[str, str]) -> None:
    def reference(name: str) -> dict[str, str]:
        return {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1").replace("%", "%25")}

    document = {
        "r": {"type": "object", "properties": {name: reference(name) for name in kinds}},
        "$defs": {name: {"type": kind} for name, kind in kinds.items()},
    }
    result = parse_output_schema(document).result("sample", "r")
    assert result is not None
    validator = Draft202012Validator(result.schema)
    samples = {"integer": 1, "string": "x"}
    assert validator.is_valid({name: samples[kind] for name, kind in kinds.items()})
    for name in kinds:
        assert not validator.is_valid({name: []})
