"""What is wrong with an output schema is said in one line: file, path inside, problem; fix."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.schema.output_schema import parse_output_schema


def refusal(document: Any) -> str:
    with pytest.raises(SchemaError) as caught:
        parse_output_schema(document, "s.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "start", "fix"),
    [
        ("[1]", "s.yaml: [1] is not an output schema", "reads: {type: integer}"),
        ("", "s.yaml: the file is empty", "reads: {type: integer}"),
        ("{}", "s.yaml: the output schema declares no results", "reads: {type: integer}"),
        ("{pipeline_name: x}", "s.yaml: the output schema declares no results", "add one"),
        ("{samples: {}}", "s.yaml: the output schema declares no results", "add one"),
        ("properties: {pipeline_name: x}", "s.yaml: the output schema declares no", "add one"),
        ("n: {}", "s.yaml: n: the result has no type", "add one, for example type: integer"),
        ("n: {description: x}", "s.yaml: n: the result has no type", "$ref, anyOf"),
        ("n: integer", "s.yaml: n: 'integer' is not a schema", "write {type: integer}"),
        ("n: number of reads", "s.yaml: n: 'number of reads' is not", "such as {type: integer}"),
        ("n:", "s.yaml: n: nothing is defined here", "add a type"),
        ("n: {type: int}", "s.yaml: n.type: 'int' is not a type", "write integer"),
        ("n: {type: Integer}", "s.yaml: n.type: 'Integer' is not a type", "write integer"),
        ("n: {type: intger}", "s.yaml: n.type: 'intger' is not a type", "write integer"),
        ("n: {type: float}", "s.yaml: n.type: 'float' is not a type", "write number"),
        ("n: {type: str}", "s.yaml: n.type: 'str' is not a type", "write string"),
        ("n: {type: bool}", "s.yaml: n.type: 'bool' is not a type", "write boolean"),
        ("n: {type: date}", "s.yaml: n.type: 'date' is not a type", "write string"),
        ("n: {type: list}", "s.yaml: n.type: 'list' is not a type", "write array"),
        ("n: {type: dict}", "s.yaml: n.type: 'dict' is not a type", "write object"),
        ("n: {type: path}", "s.yaml: n.type: 'path' is not a type", "write string, or file"),
        ("n: {type: link}", "s.yaml: n.type: 'link' is not a type", "write string, or file"),
        ("n: {type: png}", "s.yaml: n.type: 'png' is not a type", "write image"),
        ("n: {type: zzz}", "s.yaml: n.type: 'zzz' is not a type", "types are null, boolean"),
        ("n: {type: }", "s.yaml: n.type: None is not a type", "'null' in quotes"),
        ("n: {type: []}", "s.yaml: n.type: [] is not a type", "name a type"),
        ("n: {type: [[file]]}", "s.yaml: n.type: ['file'] is not a type", "types are"),
        ("n: {type: [integer, str]}", "s.yaml: n.type: 'str' is not a type", "write string"),
        (
            "properties: {samples: {properties: {o: {type: object, properties: {a: {type: int"
            "}}}}}}",
            "s.yaml: properties.samples.properties.o.properties.a.type: 'int' is not a type",
            "write integer",
        ),
        (
            "properties: {samples: {type: array, items: {properties: {a: {type: int}}}}}",
            "s.yaml: properties.samples.items.properties.a.type: 'int'",
            "write integer",
        ),
        ("{samples: {a: {type: int}}}", "s.yaml: samples.a.type: 'int'", "write integer"),
        (
            "{n: {$ref: '#/$defs/a'}, $defs: {a: {items: {type: int}}}}",
            "s.yaml: $defs.a.items.type: 'int'",
            "write integer",
        ),
        ("n: {type: array, items: integer}", "s.yaml: n.items: 'integer' is not a schema",
         "{type: integer}"),
        ("n: {type: object, properties: [a]}", "s.yaml: n.properties: ['a'] is not a mapping",
         "map names to schemas"),
        ("n: {type: object, properties: {1: {type: integer}}}",
         "s.yaml: n.properties: the name 1 is not a string", "quote it"),
        ("n: {type: string, anyOf: {type: file}}",
         "s.yaml: n.anyOf: {'type': 'file'} is not a list", "list schemas"),
        # names
        ("meta: {type: string}", "s.yaml: meta: 'meta' cannot name a result: it holds the times",
         "choose another name"),
        ("{samples: {status: {type: string}}}", "s.yaml: samples.status: 'status' cannot name",
         "choose another name"),
        ("{n: {type: integer}, status: {type: string}}", "s.yaml: status: 'status' cannot name",
         "choose another name"),
        ("{samples: {id: {type: string}}}", "s.yaml: samples.id: 'id' cannot name a result",
         "choose another name"),
        ("{project: {record_identifier: {type: string}}}",
         "s.yaml: project.record_identifier: 'record_identifier' cannot name", "choose another"),
        ("{pipeline_name: {type: string}}", "s.yaml: pipeline_name: 'pipeline_name' cannot name",
         "choose another name"),
        ("{'': {type: string}}", "s.yaml: : the result identifier is empty", "non-empty"),
        ("{1: {type: string}}", "s.yaml: 1: result identifier 1 is not a string", "give"),
        ('{"a\\tb": {type: string}}', "s.yaml: a", "remove it"),
        ("{pipeline_name: 5, n: {type: integer}}",
         "s.yaml: pipeline_name: pipeline name 5 is not a string", "non-empty string"),
        ("properties: {pipeline_name: [a], samples: {n: {type: integer}}}",
         "s.yaml: properties.pipeline_name: pipeline name ['a'] is not a string", "non-empty"),
        # sections
        ("{samples: 5}", "s.yaml: samples: 5 is not a mapping", "map results to their schemas"),
        ("properties: {samples: {type: object, n: {type: integer}}}",
         "s.yaml: properties.samples.n: stands beside keywords of a schema", "indent what"),
        ("{samples: {a: {type: string}}, b: {type: string}}",
         "s.yaml: b: stands beside the sections", "move it into samples"),
        ("properties: {sample: {type: object}, project: {a: {type: string}}}",
         "s.yaml: properties.sample: stands beside the sections", "did you mean samples?"),
        ("{properties: {a: {type: string}}, samples: {b: {type: string}}}",
         "s.yaml: samples: stands beside properties", "move it to properties.samples"),
        ("{properties: {samples: {a: {type: string}}}, b: {type: string}}",
         "s.yaml: b: stands beside properties", "properties.samples.properties.b"),
        ("{properties: {a: {type: string}}, Sample: {b: {type: string}}}",
         "s.yaml: Sample: stands beside properties", "did you mean samples?"),
        ("{samples: {a: {type: string}}, projects: {properties: {b: {type: string}}}}",
         "s.yaml: projects: stands beside the sections", "did you mean project?"),
        ("{samples: {a: {type: string}}, smaples: {type: array, items: {properties: {b: {}}}}}",
         "s.yaml: smaples: stands beside the sections", "did you mean samples?"),
        ("{samples: {a: {type: string}}, x-note: {type: string}}",
         "s.yaml: x-note: stands beside the sections", "under $defs"),
        ("{properties: {samples: {a: {type: string}}, b: {enum: [1]}}}",
         "s.yaml: properties.b: stands beside the sections", "move it into properties.samples"),
        ("{properties: {type: string}}", "s.yaml: properties: holds the results and is none",
         "another name"),
        ("{properties: {a: {type: string}, title: T}}", "s.yaml: properties.title: 'T' is not",
         "such as {type: integer}"),
        ("{a: {type: string}, pipeline_version: 1}", "s.yaml: pipeline_version: 1 is not a schema",
         "such as {type: integer}"),
        ("properties: {samples: {type: array, items: {properties: {a: {const: 1}}}, "
         "properties: {a: {const: true}}}}",
         "s.yaml: properties.samples.properties.a: differs from the same result at "
         "properties.samples.items.properties.a", "remove one"),
        ("{samples: {a: {type: string}}, status: {type: object, properties: {}}}",
         "s.yaml: status: stands beside the sections", ""),
        ("properties: {samples: {a: {type: string}}, "
         "status: {properties: {x: {description: d, color: 5}}}}",
         "s.yaml: properties.status.properties: x.color: 5 is not", "three integers"),
        ("properties: {samples: {type: string}}",
         "s.yaml: properties.samples: the section has a type but no properties", "put the results"),
        ("{samples: {a: {type: string}, additionalProperties: maybe}}",
         "s.yaml: samples.additionalProperties: 'maybe' is not a schema", "true or false"),
        ("{samples: {a: {type: string}, required: a}}",
         "s.yaml: samples.required: 'a' is not a list", "required: [reads]"),
        ("{a: {type: string}, status: {x: {description: y}}}", "s.yaml: status: x.color: None",
         "three integers"),
        ("{a: {type: string}, status: 5}", "s.yaml: status: a status schema maps", "running"),
        # references
        ("{n: {$ref: '#/$defs/imag'}, $defs: {image: {type: image}}}",
         "s.yaml: n.$ref: the reference '#/$defs/imag' leads nowhere",
         "did you mean #/$defs/image?"),
        ("{n: {$ref: '#/$defs/zzz'}, $defs: {a: {type: image}}}",
         "s.yaml: n.$ref: the reference '#/$defs/zzz' leads nowhere", "#/$defs holds a"),
        ("{n: {$ref: '#/$defs/x'}}", "s.yaml: n.$ref: the reference '#/$defs/x' leads nowhere",
         "define it under $defs"),
        ("{n: {$ref: '#/$defs/file'}}", "s.yaml: n.$ref: the reference '#/$defs/file' leads",
         "write type: file"),
        ("{n: {$ref: 'other.yaml#/a'}}",
         "s.yaml: n.$ref: the reference 'other.yaml#/a' leads out of this file",
         "copy it to $defs"),
        ("{n: {$ref: 'https://x.org/a.json'}}",
         "s.yaml: n.$ref: the reference 'https://x.org/a.json' leads out", "copy it to $defs"),
        ("{n: {$ref: '#'}}", "s.yaml: n.$ref: the reference '#' is no pointer", "#/$defs/NAME"),
        ("{n: {$ref: '#anchor'}}", "s.yaml: n.$ref: the reference '#anchor' is no pointer",
         "#/$defs/NAME"),
        ("{n: {anyOf: [{$ref: 5}]}}", "s.yaml: n.anyOf.0.$ref: 5 is not a reference", "quote it"),
        ("{n: {$ref: '#/n'}}", "s.yaml: n: the reference leads back to itself", "define a type"),
        ("{n: {$ref: '#/$defs/a'}, $defs: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}}",
         "s.yaml: $defs.b: the reference leads back to itself", "define a type"),
        ("{n: {$ref: '#/$defs/a'}, $defs: {a: {anyOf: [{type: integer}, {$ref: '#/$defs/a'}]}}}",
         "s.yaml: $defs.a: the reference leads back to itself", "define a type"),
        ("{n: {type: object, items: {$dynamicRef: '#x'}}}", "s.yaml: n.items.$dynamicRef",
         "use $ref"),
    ],
)  # fmt: skip
def test_refusals(text: str, start: str, fix: str) -> None:
    message = refusal(yaml.safe_load(text))
    problem, separator, hint = message.partition("; ")
    assert problem.startswith(start)
    assert separator
    assert fix in hint


RESERVED = (
    "meta record_identifier id status project_name pipeline_name sample_name"
    " pipestat_created_time pipestat_modified_time pipestat_extended_data"
).split()


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("level", ["samples", "project"])
def test_reserved_names(name: str, level: str) -> None:
    message = refusal({level: {name: {"type": "string"}}})
    assert message.startswith(f"s.yaml: {level}.{name}: '{name}' cannot name a result: ")


def test_long_names() -> None:
    parse_output_schema({"a" * 255: {"type": "string"}})
    assert "has 256 characters; at most 255" in refusal({"a" * 256: {"type": "string"}})


def test_a_document_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {"type": "object", "properties": {}}
    endless["properties"]["again"] = endless
    assert "the depth is more than 100" in refusal({"n": endless})


def test_a_chain_of_many_references_is_read_or_refused_in_words() -> None:
    chain: dict[str, Any] = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(3000)}
    message = refusal({"n": {"$ref": "#/$defs/d0"}, "$defs": {**chain, "d3000": {"type": "file"}}})
    assert message.startswith("s.yaml: n: too many references in a row")


def test_the_error_carries_file_and_path() -> None:
    with pytest.raises(SchemaError) as caught:
        parse_output_schema({"samples": {"n": {"type": "int"}}}, "s.yaml")
    assert (caught.value.source, caught.value.path) == ("s.yaml", "samples.n.type")


@pytest.mark.parametrize(
    ("text", "place", "held", "fix"),
    [
        ("projects: {n: {type: integer}}", "projects", "n", "did you mean project?"),
        ("sample: {n: {type: integer}}", "sample", "n", "did you mean samples?"),
        ("sampels: {n: {type: integer}}", "sampels", "n", "did you mean samples?"),
        ("SAMPLES: {type: object, properties: {n: {type: integer}}}", "SAMPLES", "n",
         "did you mean samples?"),
        ("Project: {type: array, items: {properties: {n: {type: integer}}}}", "Project", "n",
         "did you mean project?"),
        ("{projects: {$ref: '#/$defs/p'}, $defs: {p: {properties: {n: {enum: []}}}}}",
         "projects", "n", "did you mean project?"),
        ("properties: {sample: {type: object, properties: {n: {type: integer}}}}",
         "properties.sample", "n", "did you mean samples?"),
        ("samples: {n: {type: integer}, project: {m: {type: integer}}}", "samples.project", "m",
         "indent it as the section that it is, or give the result another name"),
        ("samples: {type: array, items: {properties: {project: {type: object, m: {const: 1}}}}}",
         "samples.items.properties.project", "m",
         "indent it as the section that it is, or give the result another name"),
        ("project: {samples: {samples: null, n: {type: integer}}}", "project.samples", "n",
         "indent it as the section that it is, or give the result another name"),
    ],
)  # fmt: skip
def test_a_section_in_the_place_of_a_result(text: str, place: str, held: str, fix: str) -> None:
    message = refusal(yaml.safe_load(text))
    assert message == (
        f"s.yaml: {place}: holds the result {held!r} as a section does, in the place of a result; "
        f"{fix}"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("samples: {type: object, properties: null, n: {type: integer}, m: {type: string}}",
         "samples.n"),
        ("samples: {n: null, type: integer, description: how many}", "samples.n"),
        ("properties: {samples: {type: object, properties: null, n: {type: integer}}}",
         "properties.samples.n"),
        ("project: {type: array, items: {type: object, n: {type: integer}}}", "project.n"),
    ],
)  # fmt: skip
def test_a_section_whose_lines_have_lost_their_indentation(text: str, place: str) -> None:
    message = refusal(yaml.safe_load(text))
    fix = "indent what belongs to it, and put the results under properties"
    assert message == f"s.yaml: {place}: stands beside keywords of a schema; {fix}"


@pytest.mark.parametrize(
    "text",
    [
        "{samples: {type: integer}, project: {type: string}}",
        "{sample: {type: string, default: null, unit: mm}}",
        "{projects: {type: array, items: {type: string, description: null}}}",
        "{project: {type: object, additionalProperties: {type: integer}}}",
        "{example: {type: object, properties: {n: {type: integer}}}}",
        "{sample: {const: {n: {kind: a}}}}",
    ],
)
def test_results_that_are_called_like_sections(text: str) -> None:
    document = yaml.safe_load(text)
    schema = parse_output_schema(document, "s.yaml")
    assert list(schema.levels["sample"].results) == list(document)


@pytest.mark.parametrize("text", ["{v: {const: {type: file}}}", "{samples: {v: {const: {a: 1}}}}"])
def test_a_constant_object_defines_a_result(text: str) -> None:
    schema = parse_output_schema(yaml.safe_load(text))
    assert list(schema.levels["sample"].results) == ["v"]


def test_samples_may_hold_a_result_called_const() -> None:
    schema = parse_output_schema({"samples": {"const": {"type": "integer"}}})
    assert list(schema.levels["sample"].results) == ["const"]


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ({"type": "string", "pattern": "x\\Z"}, "v.pattern"),
        ({"type": "object", "patternProperties": {"x\\Z": True}}, "v.patternProperties"),
    ],
)
def test_a_pattern_that_ecma_262_does_not_know(definition: dict[str, Any], place: str) -> None:
    message = refusal({"v": definition})
    assert message == (
        f"s.yaml: {place}: the pattern 'x\\\\Z' is refused: \\Z has no meaning in ECMA-262, at "
        "character 2; write $"
    )
