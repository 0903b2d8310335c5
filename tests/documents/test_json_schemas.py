"""The generated JSON Schemas: current, valid, and of one mind with the parsers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipestat_spec.configuration import parse_config
from pipestat_spec.documents.fields import IDENTIFIER_SCHEMA, RESULT_IDENTIFIER_SCHEMA
from pipestat_spec.documents.json_schemas import DOCUMENTS, FOLDER, file_name, json_schema, main
from pipestat_spec.documents.report import ReportDocument
from pipestat_spec.errors import InvalidIdentifierError, PipestatError, SchemaError
from pipestat_spec.models.config import KEYS, LOOPER_KEYS
from pipestat_spec.models.identifiers import check_record_identifier, check_result_identifier
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA, parse_status_schema
from pipestat_spec.schema_files import load_document

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
OUTPUT_SCHEMAS = sorted(path for path in SCHEMAS.iterdir() if "status" not in path.name)
ENTRY = {"description": "x", "color": [0, 128, 255]}


def published(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / file_name(name)).read_text(encoding="utf-8"))
    return schema


def fits(name: str, document: object) -> bool:
    return bool(Draft202012Validator(published(name)).is_valid(document))


# The files


def test_the_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(map(file_name, DOCUMENTS))


def test_a_file_that_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipestat_spec.documents.json_schemas.FOLDER", tmp_path)
    assert main([]) == 0
    (tmp_path / "problems.schema.json").write_text("{}\n")
    (tmp_path / "page.schema.json").unlink()
    capsys.readouterr()
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "page.schema.json: differs from the models\nproblems.schema.json: differs from the models\n"
    )
    assert (tmp_path / "problems.schema.json").read_text() == "{}\n"
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert main(["--chekc"]) == 2


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_is_a_schema_of_2020_12_with_a_name(name: str) -> None:
    text = (FOLDER / file_name(name)).read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    assert list(schema)[:4] == ["$schema", "$id", "title", "description"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"pipestat-spec/1.0/{name}.schema.json"
    assert text.endswith("}\n")
    assert json_schema(name) == json_schema(name)
    # Python's words have no place in a document for any language.
    assert not re.search(r"pydantic|docstring|dataclass|`None`", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    schema = published(name)
    for reference in re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(schema)):
        assert reference in schema["$defs"]


# Identifiers: the pattern and the function are one rule

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["id", "meta", "a" * 255, "a" * 256, "\x7f", "\x9f", "\xa0", "\u2028", "no", "ID"]
)


@given(_NAMES)
def test_identifiers_are_judged_alike(name: str) -> None:
    for check, schema in (
        (check_record_identifier, IDENTIFIER_SCHEMA),
        (check_result_identifier, RESULT_IDENTIFIER_SCHEMA),
    ):
        try:
            check(name)
            expected = True
        except (InvalidIdentifierError, PipestatError):
            expected = False
        assert Draft202012Validator(schema).is_valid(name) is expected


# Output schemas

WRONG_OUTPUT_SCHEMAS: list[Any] = [
    [],
    "reads",
    {"reads": {"type": "int"}},
    {"pipeline_name": "p", "samples": {"reads": {"type": "int"}}},
    {"pipeline_name": "p", "samples": {"reads": {}}},
    {"pipeline_name": "", "samples": {"reads": {"type": "integer"}}},
    {"pipeline_name": "p", "samples": {"id": {"type": "integer"}}},
    {"pipeline_name": "p", "samples": ["reads"]},
    {"properties": {"samples": {"type": "object", "properties": {"reads": "integer"}}}},
    {"properties": {"samples": {"type": "array", "items": {"properties": {"x": {"type": "?"}}}}}},
    {"properties": {"samples": {"properties": {"meta": {"type": "object"}}}}},
    {"samples": {"x": {"type": "object", "properties": {"y": {"type": "text"}}}}},
    {"samples": {"x": {"type": "array", "items": {"type": ["string", "none"]}}}},
    {"samples": {"x": {"type": "integer"}}, "status": {"a": {"description": "x"}}},
    {"samples": {"x": {"type": "integer"}}, "status": {"a": {**ENTRY, "color": [0, 0, 256]}}},
]


@pytest.mark.parametrize("path", OUTPUT_SCHEMAS, ids=lambda path: path.name)
def test_output_schemas_of_all_forms_fit(path: Path) -> None:
    assert fits("output_schema", load_document(path))


@pytest.mark.parametrize("document", WRONG_OUTPUT_SCHEMAS, ids=json.dumps)
def test_wrong_output_schemas_fit_neither_parser_nor_schema(document: Any) -> None:
    with pytest.raises(SchemaError):
        parse_output_schema(document)
    assert not fits("output_schema", document)


@pytest.mark.parametrize(
    "document",
    [
        {"samples": {"type": "integer"}},
        {
            "project": {"type": "string"},
            "reads": {"$ref": "#/$defs/n"},
            "$defs": {"n": {"type": "null"}},
        },
        {"samples": {"reads": {"type": ["integer", "null"]}}, "project": None},
        {"samples": {"plot": {"anyOf": [{"type": "image"}, {"const": 1}]}, "description": "all"}},
        {
            "properties": {
                "pipeline_name": "p",
                "samples": {"type": "object", "properties": {"n": {"enum": [1]}}},
            }
        },
        {"properties": {"reads": {"type": "integer"}}, "pipeline_name": "p"},
        {"pipeline_name": "p", "samples": {"n": {"type": "integer"}}, "status": {"on": ENTRY}},
    ],
    ids=json.dumps,
)
def test_unusual_output_schemas_fit_both(document: Any) -> None:
    parse_output_schema(document)
    assert fits("output_schema", document)


# Status schemas


def test_the_default_status_schema_fits() -> None:
    assert fits("status_schema", DEFAULT_STATUS_SCHEMA.as_dict())
    assert fits("status_schema", load_document(SCHEMAS / "published_status.yaml"))


@pytest.mark.parametrize(
    "document",
    [{}, [], {"a": {}}, {"a": {**ENTRY, "color": [1, 2]}}, {"a": {**ENTRY, "color": [1, 2, 3.5]}},
     {"_a": ENTRY}, {"a/b": ENTRY}, {"a" * 65: ENTRY}, {"a": {**ENTRY, "description": None}}],
    ids=json.dumps,
)  # fmt: skip
def test_wrong_status_schemas_fit_neither(document: Any) -> None:
    with pytest.raises(SchemaError):
        parse_status_schema(document)
    assert not fits("status_schema", document)


# Configurations


def test_configurations() -> None:
    good: dict[str, Any] = {
        "pipeline_name": "rnaseq",
        "schema_path": "output_schema.yaml",
        "results_file_path": "results/{record_identifier}/stats.yaml",
        "multi_pipelines": True,
        "validate_results": "false",
        "database": {"sqlite_url": "sqlite:///r.db"},
        "layout": "levels",
        "pipeline_type": "project",
        "project_name": 7,
        "history_limit": 0,
        "backend": "mine",
        "mine": {"url": "x"},
        "pipeline_interfaces": ["a.yaml"],
    }
    parse_config(good, environment={})
    assert fits("config", good)
    for wrong in (
        {"results_file": "x"},
        {"layout": "rows"},
        {"pipeline_type": "run"},
        {"multi_pipelines": 3},
        {"database": "x"},
        {"results_file_path": 1},
        {"pipeline_name": ["p"]},
        {"history_limit": -1},
        {"history_limit": "ten"},
        {"history_limit": True},
    ):
        with pytest.raises(PipestatError):
            parse_config(wrong, environment={})
        assert not fits("config", wrong)


def test_the_keys_of_the_configuration_come_from_its_table() -> None:
    properties = published("config")["properties"]
    assert set(properties) == set(KEYS) | LOOPER_KEYS
    for name, key in KEYS.items():
        assert properties[name]["description"] == key.description


# Report documents

REPORT = {"pipestat_report": "1.0", "record_identifier": "s1"}


@pytest.mark.parametrize(
    ("keys", "right"),
    [
        ({"results": {"reads": 1200}}, True),
        ({"status": "completed", "status_message": "fine"}, True),
        ({"results": {}, "pipestat_report": "1.12"}, True),
        ({"results": {}, "level": "project", "time": "2026-01-31T12:00:00.5+01:00"}, True),
        ({"results": {}, "source": {"attempt": 2, "anything": [1]}, "namespace": "p q"}, True),
        ({}, False),
        ({"results": {}, "status_message": "x"}, False),
        ({"results": {}, "pipestat_report": "2.0"}, False),
        ({"results": {}, "pipestat_report": 1.0}, False),
        ({"results": {}, "time": "2026-01-31"}, False),
        ({"results": {}, "source": {"attempt": 0}}, False),
        ({"results": {}, "source": {"run": None}}, False),
        ({"results": {}, "namespace": None}, False),
        ({"results": {"id": 1}}, False),
        ({"results": [1]}, False),
        ({"results": {}, "record_identifier": ""}, False),
        ({"results": {}, "sample": "s1"}, False),
    ],
)
def test_report_documents_are_judged_alike(keys: dict[str, Any], right: bool) -> None:
    document = {**REPORT, **keys}
    assert fits("report_document", document) is right
    try:
        ReportDocument.model_validate(document)
        accepted = True
    except ValueError:
        accepted = False
    assert accepted is right


# What commands print


def test_records() -> None:
    assert fits("record", {"record_identifier": "s", "n": None, "x": [1]})
    assert not fits("record", {"n": 1})
    assert not fits("record", {"record_identifier": ""})


def test_histories() -> None:
    former = {"until": "2026-01-31T12:05:10.000001Z", "result": "reads", "value": 1100}
    assert fits("history", {"total_size": 1, "records": [former]})
    assert fits("history", {"total_size": 0, "records": []})
    assert not fits("history", {"total_size": 1, "records": [{**former, "until": "yesterday"}]})
    assert not fits("history", {"total_size": 1, "records": [{**former, "result": ""}]})
    assert not fits("history", {"total_size": 1, "records": former})


def test_pages() -> None:
    page: dict[str, Any] = {
        "total_size": 1,
        "page_size": 10,
        "next_page_token": None,
        "records": [],
    }
    assert fits("page", {**page, "records": [{"record_identifier": "s", "reads": 1}]})
    assert not fits("page", {**page, "records": [{"reads": 1}]})
    assert not fits("page", {**page, "total_size": -1})
    assert not fits("page", {**page, "more": 1})
