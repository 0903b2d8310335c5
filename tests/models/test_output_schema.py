"""The four forms of an output schema, and what is read from them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import yaml

from pipestat_spec.models.schema.output_schema import (
    OutputSchema,
    ResultSchema,
    parse_output_schema,
)
from pipestat_spec.schema_files import load_output_schema

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"


def parse(text: str) -> OutputSchema:
    return parse_output_schema(yaml.safe_load(text), "s.yaml")


def one(text: str) -> ResultSchema:
    result = parse_output_schema({"r": yaml.safe_load(text)}, "s.yaml").result("sample", "r")
    assert result is not None
    return result


def names(schema: OutputSchema) -> dict[str, list[str]]:
    return {level: list(section.results) for level, section in schema.levels.items()}


@pytest.mark.parametrize(
    ("file", "pipeline_name", "sample", "project", "highlighted"),
    [
        (
            "published_simple.yaml",
            "default_pipeline_name",
            ["number_of_things", "percentage_of_things", "name_of_something", "switch_value"],
            [],
            [],
        ),
        (
            "published_advanced.yaml",
            "default_pipeline_name",
            [
                "number_of_things",
                "percentage_of_things",
                "name_of_something",
                "switch_value",
                "md5sum",
                "collection_of_images",
                "output_file_in_object",
                "output_file_in_object_nested",
                "output_file",
                "output_image",
            ],
            [],
            ["md5sum"],
        ),
        (
            "published_highlight.yaml",
            None,
            ["number_of_things", "percentage_of_things", "log_file"],
            [],
            ["log_file"],
        ),
        ("array_form.yaml", "align", ["Aligned reads", "report"], ["summary"], ["Aligned reads"]),
        ("array_with_properties.yaml", "align", ["reads"], [], []),
        ("flat_form.yaml", "flat_pipe", ["reads", "type"], ["plot"], ["plot"]),
        ("minimal_form.yaml", "tiny", ["title", "no", "1", "samples", "tree"], [], []),
        ("flat_form.json", "json_pipe", ["reads"], [], []),
    ],
)
def test_every_form_is_read(
    file: str,
    pipeline_name: str | None,
    sample: list[str],
    project: list[str],
    highlighted: list[str],
) -> None:
    schema = load_output_schema(SCHEMAS / file)
    assert schema.pipeline_name == pipeline_name
    assert names(schema) == {"sample": sample, "project": project}
    assert schema.highlighted_results() == highlighted


EQUAL_FORMS = [
    "properties: {pipeline_name: p, samples: {type: object, properties: {n: {type: integer}}}}",
    "properties: {pipeline_name: p, samples: {properties: {n: {type: integer}}}}",
    "properties: {pipeline_name: p, samples: {n: {type: integer}}}",
    "{pipeline_name: p, properties: {samples: {type: object, properties: {n: {type: integer}}}}}",
    "properties: {pipeline_name: p, samples: {type: array, items: {type: object, properties: "
    "{n: {type: integer}}}}}",
    "properties: {pipeline_name: p, samples: {type: array, items: {properties: "
    "{n: {type: integer}}}}}",
    "properties: {pipeline_name: p, samples: {type: array, properties: {n: {type: integer}}}}",
    "{properties: {pipeline_name: p, samples: {$ref: '#/$defs/all'}}, $defs: {all: {type: object, "
    "properties: {n: {type: integer}}}}}",
    "properties: {pipeline_name: p, n: {type: integer}}",
    "{pipeline_name: p, samples: {n: {type: integer}}}",
    "{pipeline_name: p, samples: {type: object, properties: {n: {type: integer}}}}",
    "{pipeline_name: p, samples: {type: array, items: {type: object, properties: "
    "{n: {type: integer}}}}}",
    "{pipeline_name: p, samples: {n: {type: integer}}, project: null}",
    "{pipeline_name: p, n: {type: integer}}",
    "{pipeline_name: p, title: T, type: object, version: 1, x-note: {a: b}, n: {type: integer}}",
]


@pytest.mark.parametrize("text", EQUAL_FORMS)
def test_the_forms_come_to_the_same(text: str) -> None:
    schema = parse(text)
    assert schema.pipeline_name == "p"
    assert names(schema) == {"sample": ["n"], "project": []}
    assert schema.levels["sample"].results["n"].schema == {"type": "integer"}
    assert schema.levels["sample"].additional_properties is True


@pytest.mark.parametrize(
    ("text", "sample", "project"),
    [
        # What defines a result is one, whatever its name.
        ("{samples: {type: integer}, project: {type: file}}", ["samples", "project"], []),
        ("{samples: {$ref: '#/$defs/a'}, $defs: {a: {type: string}}}", ["samples"], []),
        ("{samples: {type: array, items: {type: string}}}", ["samples"], []),
        ("{properties: {a: {type: string}}, samples: {sheet: s.csv}}", ["a"], []),
        ("{samples: {type: object, properties: {a: {type: string}}}, "
         "project: {type: array, items: {properties: {b: {type: string}}}}}", ["a"], ["b"]),
        ("{samples: {type: object, properties: {a: {type: string}}}, "
         "additionalProperties: {type: string}}", ["a"], []),
        ("{title: {type: string}, type: {type: integer}}", ["title", "type"], []),
        ("{version: {enum: [a]}, description: {const: 1}}", ["version", "description"], []),
        # A mapping of results may have one called like a keyword.
        ("{samples: {type: {type: string}, items: {type: integer}}}", ["type", "items"], []),
        ("{properties: {samples: {properties: {type: file}}}}", ["properties"], []),
        ("{samples: {properties: {type: string}, required: {type: string}, url: {enum: [a]}}}",
         ["properties", "required", "url"], []),
        ("{x-note: {type: string}, $extra: {type: string}}", ["x-note", "$extra"], []),
        ("{samples: {a: {type: string}}, project: {a: {type: string}}}", ["a"], ["a"]),
        # Both places of an array count; the same definition in both is one result.
        ("properties: {samples: {type: array, items: {properties: {a: {type: string}, "
         "b: {enum: [1, true]}}}, properties: {c: {type: file}, b: {enum: [1, true]}}}}",
         ["a", "b", "c"], []),
    ],
)  # fmt: skip
def test_results_and_sections_are_told_apart(
    text: str, sample: list[str], project: list[str]
) -> None:
    assert names(parse(text)) == {"sample": sample, "project": project}


@pytest.mark.parametrize(
    "text",
    [
        "{n: {type: integer}, author: A, authors: [B], license: C, url: D, schema_version: 1, "
        "version: '2', required: [n], definitions: {a: {type: string}}, title: {text: T}, "
        "x-note: {a: 1}, $comment: c, additionalProperties: true}",
        "{samples: {n: {type: integer}, description: d, title: t, $comment: c}, "
        "maintainer: {name: A}, x: {a: 1}, sample: {sheet: s.csv}, additionalProperties: {type: "
        "string}}",
        "{properties: {samples: {properties: {n: {type: integer}}}, x: {a: 1}, note: [a]}, "
        "maintainer: {name: A}, sample: 5, additionalProperties: {type: string}}",
    ],
)
def test_keys_about_the_document_are_no_results(text: str) -> None:
    assert names(parse(text)) == {"sample": ["n"], "project": []}


def test_the_items_of_an_array_speak_for_the_level() -> None:
    schema = parse(
        "properties: {samples: {type: array, additionalProperties: true, required: [a], "
        "items: {properties: {a: {type: file}}, additionalProperties: false}, "
        "properties: {b: {type: file}}}}"
    )
    level = schema.levels["sample"]
    assert (level.additional_properties, level.required) == (False, ("a",))
    assert level.results["a"].path == ("properties", "samples", "items", "properties", "a")
    assert level.results["b"].path == ("properties", "samples", "properties", "b")


def test_rules_of_a_level() -> None:
    schema = load_output_schema(SCHEMAS / "array_form.yaml")
    sample, project = schema.levels["sample"], schema.levels["project"]
    assert (sample.additional_properties, sample.required) == (False, ("Aligned reads",))
    assert (project.additional_properties, project.required) == ({"type": "number"}, ())
    assert sample.additional_schema("more") is None
    more = project.additional_schema("more")
    assert more is not None
    assert (more.identifier, more.types) == ("more", frozenset({"number"}))
    assert project.results["summary"].index
    assert (schema.title, schema.description) == ("Alignment", "Aligns and counts.")


@pytest.mark.parametrize(
    "text",
    [
        "{samples: {additionalProperties: true}}",
        "{samples: {type: object, properties: {}, additionalProperties: {type: number}}}",
        "{additionalProperties: true}",
        "properties: {samples: {type: object, additionalProperties: true}}",
    ],
)
def test_a_level_may_be_open_without_results(text: str) -> None:
    assert names(parse(text)) == {"sample": [], "project": []}


def test_status_section() -> None:
    schema = load_output_schema(SCHEMAS / "flat_form.yaml")
    assert schema.status is not None
    assert schema.status.identifiers == ("queued", "done")
    assert schema.status.statuses["done"].color == (4, 5, 6)
    assert schema.status.source == str(SCHEMAS / "flat_form.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "{n: {type: integer}, status: {ok: {description: fine, color: [1, 2, 3]}}}",
        "{properties: {samples: {n: {type: integer}}}, "
        "status: {ok: {description: fine, color: [1, 2, 3]}}}",
        "{properties: {samples: {n: {type: integer}}, "
        "status: {ok: {description: fine, color: [1, 2, 3]}}}}",
        "{properties: {n: {type: integer}, status: {ok: {description: fine, color: [1, 2, 3]}}}}",
        "{properties: {n: {type: integer}, status: {type: object, properties: {ok: {description: "
        "fine, color: [1, 2, 3]}}}}}",
        "{properties: {samples: {n: {type: integer}}, status: {properties: {ok: {description: "
        "fine, color: [1, 2, 3]}}}}}",
    ],
)
def test_status_section_in_every_form(text: str) -> None:
    schema = parse(text)
    assert schema.status is not None
    assert schema.status.identifiers == ("ok",)
    assert names(schema)["sample"] == ["n"]


@pytest.mark.parametrize(
    ("text", "types", "object_type", "only_types"),
    [
        ("{type: integer}", {"integer"}, None, True),
        ("{type: integer, description: x, highlight: true, units: bp}", {"integer"}, None, True),
        ("{type: [integer, null]}", {"integer", "null"}, None, True),
        ("{type: string, format: date}", {"string"}, None, True),
        ("{type: integer, minimum: 0}", {"integer"}, None, False),
        ("{type: file}", {"object"}, "file", False),
        ("{type: image}", {"object"}, "image", False),
        ("{type: [file, 'null']}", {"object", "null"}, "file", False),
        ("{type: [object, file]}", {"object"}, "file", False),
        ("{type: [file, image, string]}", {"object", "string"}, "image", False),
        ("{type: object, object_type: image}", {"object"}, "image", True),
        ("{type: object, object_type: table}", {"object"}, None, True),
        ("{enum: [1, a, null]}", {"integer", "string", "null"}, None, False),
        ("{type: number, enum: [1, 2]}", {"number"}, None, False),
        ("{const: 1.5}", {"number"}, None, False),
        ("{anyOf: [{type: integer}, {type: 'null'}]}", {"integer", "null"}, None, False),
        ("{oneOf: [{type: integer}, {description: any}]}", None, None, False),
        ("{allOf: [{type: number}, {type: integer}]}", {"integer"}, None, False),
        ("{type: [string, number], allOf: [{type: [number, 'null']}]}", {"number"}, None, False),
    ],
)
def test_what_a_result_is(
    text: str, types: set[str] | None, object_type: str | None, only_types: bool
) -> None:
    result = one(text)
    assert result.types == (None if types is None else frozenset(types))
    assert (result.object_type, result.only_types) == (object_type, only_types)


@pytest.mark.parametrize(
    ("text", "exact_type"),
    [
        ("{type: number}", "number"),
        ("{type: [number]}", "number"),
        ("{type: number, enum: [1, 2]}", "number"),
        ("{$ref: '#/r2'}", "integer"),
        ("{$ref: '#/r2', type: number}", "number"),
        ("{$ref: '#/r2', type: [integer, string]}", None),
        ("{type: [number, 'null']}", None),
        ("{anyOf: [{type: number}]}", None),
        ("{enum: [1.5]}", None),
        ("{type: file}", "object"),
        ("{type: [file, object]}", None),
    ],
)
def test_the_one_type(text: str, exact_type: str | None) -> None:
    document = {"r": yaml.safe_load(text), "r2": {"$ref": "#/r3"}, "r3": {"type": "integer"}}
    result = parse_output_schema(document).result("sample", "r")
    assert result is not None
    assert result.exact_type == exact_type


def test_what_a_reference_says_is_known() -> None:
    result = load_output_schema(SCHEMAS / "published_advanced.yaml").result("sample", "output_file")
    assert result is not None
    assert (result.types, result.object_type) == (frozenset({"object"}), "file")
    assert result.description == "This a path to the output file"
    assert result.declared == {
        "$ref": "#/$defs/file",
        "description": "This a path to the output file",
    }


@pytest.mark.parametrize("kind", ["string", "number", "integer", "boolean", "null"])
def test_the_minimal_component_of_the_specification(kind: str) -> None:
    schema = parse_output_schema({"result_identifier": {"type": kind}})
    assert schema.levels["sample"].results["result_identifier"].types == frozenset({kind})


def test_highlighted_results_of_a_level() -> None:
    text = (
        "{samples: {a: {type: file, highlight: true}, b: {type: file, highlight: false}}, "
        "project: {c: {type: image, highlight: true}, a: {type: file, highlight: true}}}"
    )
    schema = parse(text)
    assert schema.highlighted_results() == ["a", "c"]
    assert schema.highlighted_results("sample") == ["a"]
    assert schema.highlighted_results("project") == ["c", "a"]


def test_text_of_a_schema() -> None:
    assert str(load_output_schema(SCHEMAS / "flat_form.yaml")) == (
        "OutputSchema (flat_pipe)\n"
        " Project-level results:\n"
        " - plot: image (highlighted)\n"
        " Sample-level results:\n"
        " - reads: integer\n"
        " - type: string\n"
        " Statuses:\n"
        " - queued\n"
        " - done"
    )


def test_a_schema_can_go_to_another_process() -> None:
    schema = load_output_schema(SCHEMAS / "published_advanced.yaml")
    copy = pickle.loads(pickle.dumps(schema))
    assert names(copy) == names(schema)
    assert copy.document == schema.document
