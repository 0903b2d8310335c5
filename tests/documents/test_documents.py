"""The documents as pydantic models: they hold the rules of the run time, and convert."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from pipestat_spec.configuration import parse_config
from pipestat_spec.documents.fields import explain
from pipestat_spec.documents.records import (
    ConfigDocument,
    FilterCondition,
    HistoryDocument,
    OutputSchemaDocument,
    PageDocument,
    QueryDocument,
    RecordDocument,
    StatusSchemaDocument,
)
from pipestat_spec.models.config import KEYS, Config
from pipestat_spec.models.query import And, Comparison, In, Page, Query
from pipestat_spec.models.record import LEVELS, HistoryEntry, Record, RecordKey
from pipestat_spec.models.schema.output_schema import OutputSchema, parse_output_schema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from pipestat_spec.schema_files import load_document, load_output_schema

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
OUTPUT_SCHEMAS = sorted(path for path in SCHEMAS.iterdir() if "status" not in path.name)
NOON = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)


def problems(model: type[BaseModel], document: Any, **context: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document, context=context or None)
    return explain(caught.value, model.model_fields)


# Records and history


def test_a_record_becomes_a_document_and_comes_back() -> None:
    record = Record(
        RecordKey("project", "a/b"),
        {"n": 1, "x": 1.0, "none": None},
        "failed",
        "no memory",
        {"engine": "make"},
        NOON,
        NOON,
    )
    document = RecordDocument.from_record(record)
    text = document.model_dump_json()
    assert json.loads(text) == {
        "level": "project",
        "record_identifier": "a/b",
        "results": {"n": 1, "x": 1.0, "none": None},
        "status": "failed",
        "status_message": "no memory",
        "source": {"engine": "make"},
        "created": "2026-01-31T12:00:00.000005Z",
        "modified": "2026-01-31T12:00:00.000005Z",
    }
    back = RecordDocument.model_validate_json(text).to_record()
    assert back == record
    assert [type(value) for value in back.results.values()] == [int, float, type(None)]


def test_a_bare_record_comes_back() -> None:
    record = Record(RecordKey("sample", "s"))
    assert RecordDocument.from_record(record).to_record() == record


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"record_identifier": "a\n"}, "record_identifier: record identifier 'a"),
        ({"record_identifier": "s", "results": {"meta": 1}}, "results: 'meta' cannot name a"),
        ({"record_identifier": "s", "results": {"n": 2**64}}, "result 'n': the integer"),
        ({"record_identifier": "s", "created": "noon"}, "created: 'noon' is not a time"),
        ({"record_identifier": "s", "level": "run"}, "level: "),
        ({"record_identifier": "s", "result": {}}, "unknown key 'result'; did you mean 'results'?"),
        ({}, "the key 'record_identifier' is missing"),
    ],
)
def test_a_wrong_record_is_refused(document: dict[str, Any], problem: str) -> None:
    (line,) = problems(RecordDocument, document)
    assert line.startswith(problem)


def test_documents_do_not_change() -> None:
    document = RecordDocument(record_identifier="s")
    with pytest.raises(ValidationError) as caught:
        document.status = "failed"  # type: ignore[misc]
    assert [error["type"] for error in caught.value.errors()] == ["frozen_instance"]


def test_history_becomes_a_document_and_comes_back() -> None:
    later = NOON.replace(minute=1)
    entries = [
        HistoryEntry("n", 1, NOON),
        HistoryEntry("x", None, NOON),
        HistoryEntry("n", 2, later),
    ]
    document = HistoryDocument.from_entries(entries)
    assert document.model_dump(mode="json") == {
        "n": {"2026-01-31T12:00:00.000005Z": 1, "2026-01-31T12:01:00.000005Z": 2},
        "x": {"2026-01-31T12:00:00.000005Z": None},
    }
    assert document.to_entries() == entries
    assert problems(HistoryDocument, {"n": {"yesterday": 1}})[0].startswith("n.yesterday")
    assert problems(HistoryDocument, {"status": {}})


# Filters, queries, pages


def test_a_query_joins_text_and_conditions() -> None:
    document = QueryDocument(
        where="reads > 1000",
        filter_conditions=[
            FilterCondition(key=["align", "rate"], operator="ge", value=0.9),
            FilterCondition(key="genome", operator="in", value=["hg38"]),
        ],
        bool_operator="AND",
        columns=["reads"],
        limit=10,
        cursor="s1",
    )
    conditions = And((Comparison(("align", "rate"), "ge", 0.9), In(("genome",), ("hg38",))))
    where = And((conditions, Comparison(("reads",), "gt", 1000)))
    assert document.to_query() == Query("sample", ("reads",), where, 10, "s1")
    assert QueryDocument(level="project").to_query() == Query("project")
    assert QueryDocument.model_validate_json(document.model_dump_json()) == document


@pytest.mark.parametrize("operator", ["eq", "ne", "lt", "le", "gt", "ge", "in", "like"])
def test_each_operator_is_known(operator: Any) -> None:
    value: Any = {"in": [1], "like": "a%"}.get(operator, 1)
    FilterCondition(key="n", operator=operator, value=value)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"where": "reads >"}, "where: "),
        ({"where": "reads == 1"}, "where: "),
        ({"limit": 0}, "limit: the limit 0 is not a positive integer"),
        ({"limit": 1.5}, "limit: 1.5 is not an integer"),
        ({"bool_operator": "XOR"}, "bool_operator: "),
        (
            {"filter_conditions": [{"key": "n", "operator": "is", "value": 1}]},
            "filter_conditions.0",
        ),
        (
            {"filter_conditions": [{"key": "n", "operator": "in", "value": 1}]},
            "filter_conditions.0",
        ),
        ({"filter_conditions": [{"key": [], "operator": "eq", "value": 1}]}, "filter_conditions.0"),
        ({"colums": []}, "unknown key 'colums'; did you mean 'columns'?"),
    ],
)
def test_a_wrong_query_is_refused(document: dict[str, Any], problem: str) -> None:
    assert problems(QueryDocument, document)[0].startswith(problem)


def test_a_page_becomes_a_document() -> None:
    record = Record(RecordKey("sample", "s1"), {"n": 1})
    document = PageDocument.from_page(Page((record,), 7, "s1"), 1)
    expected = {
        "total_size": 7,
        "page_size": 1,
        "next_page_token": "s1",
        "records": [{"record_identifier": "s1", "n": 1}],
    }
    assert document.model_dump(mode="json") == expected
    assert PageDocument.model_validate(expected) == document
    assert problems(PageDocument, {**expected, "records": [{"n": 1}]}) == [
        "the key 'records.0.record_identifier' is missing"
    ]


# Schemas


def test_the_status_schema_is_that_of_the_run_time() -> None:
    document = StatusSchemaDocument.model_validate(load_document(SCHEMAS / "published_status.yaml"))
    assert document.model_dump() == DEFAULT_STATUS_SCHEMA.as_dict()
    assert document.to_status_schema().as_dict() == DEFAULT_STATUS_SCHEMA.as_dict()
    entry = {"description": "x", "color": [0, 0, 0]}
    wrong: Any
    for wrong in ({}, {"a": {}}, {"b": entry, "a_b": entry}, {"_": entry}, [entry]):
        assert problems(StatusSchemaDocument, wrong)


def told(schema: OutputSchema) -> Any:
    """Return what two forms of one schema have to have in common."""
    return (
        schema.pipeline_name,
        schema.title,
        schema.description,
        schema.status and schema.status.as_dict(),
        [
            (
                level,
                schema.levels[level].additional_properties,
                schema.levels[level].required,
                [(name, r.schema, r.highlight) for name, r in schema.levels[level].results.items()],
            )
            for level in LEVELS
        ],
    )


@pytest.mark.parametrize("path", OUTPUT_SCHEMAS, ids=lambda path: path.name)
def test_each_form_comes_to_the_same_in_the_json_schema_form(path: Path) -> None:
    schema = load_output_schema(path)
    document = OutputSchemaDocument.from_output_schema(schema)
    assert document.root["type"] == "object"
    assert set(document.root["properties"]) <= {"pipeline_name", "samples", "project", "status"}
    assert told(document.to_output_schema()) == told(schema)
    written = OutputSchemaDocument.model_validate(load_document(path))
    assert told(written.to_output_schema()) == told(schema)
    again = OutputSchemaDocument.from_output_schema(parse_output_schema(document.root))
    assert again == document


def test_a_wrong_output_schema_is_refused_with_the_reason() -> None:
    (line,) = problems(OutputSchemaDocument, {"reads": {"type": "int"}})
    assert line == "output schema: reads.type: 'int' is not a type; write integer"


# Configuration


def test_a_configuration_comes_back_as_it_was_parsed(tmp_path: Path) -> None:
    file = tmp_path / "pipestat.yaml"
    raw = {
        "results_file_path": "r.yaml",
        "pipeline_name": "${NAME}",
        "multi_pipelines": "yes",
        "pipeline_type": "project",
        "database": {"password": "${SECRET}"},
        "backend": "mine",
        "mine": {"token": "t0p"},
        "pipeline_interfaces": ["looper's own"],
    }
    environment = {"NAME": "rnaseq", "SECRET": "s3cret"}
    document = ConfigDocument.model_validate(
        raw, context={"path": file, "environment": environment}
    )
    config = document.to_config()
    parsed = parse_config(raw, file, environment=environment)
    assert (config.values, config.sections) == (parsed.values, parsed.sections)
    assert config.values["results_file_path"] == str(tmp_path / "r.yaml")
    assert config.sections == {"mine": {"token": "t0p"}}
    again = ConfigDocument.from_config(config).to_config()
    assert (again.values, again.sections) == (config.values, config.sections)
    for text in (repr(document), str(document)):
        assert "password" not in text
        assert "s3cret" not in text
        assert "t0p" not in text


def test_every_key_is_a_field() -> None:
    assert list(ConfigDocument.model_fields) == list(KEYS)
    assert ConfigDocument.model_validate({}).to_config() == Config()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"resuts_file_path": "x"}, "configuration: unknown key 'resuts_file_path'; did you mean"),
        ({"layout": "rows"}, "configuration: layout: "),
        ({"multi_pipelines": "perhaps"}, "configuration: multi_pipelines: "),
        ({"database": {"password": "${NOWHERE}"}}, "configuration: database.password: the env"),
        (["a"], "configuration: a configuration is a mapping"),
    ],
)
def test_a_wrong_configuration_is_refused(document: Any, problem: str) -> None:
    (line,) = problems(ConfigDocument, document, environment={})
    assert line.startswith(problem)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
        inner,
        max_size=3,
    ),
    max_leaves=8,
)


@given(_VALUES)
def test_every_value_survives_the_way_through_json(value: Any) -> None:
    record = Record(RecordKey("sample", "s"), {"r": value})
    text = RecordDocument.from_record(record).model_dump_json()
    back = RecordDocument.model_validate(json.loads(text)).to_record()
    assert repr(back.results["r"]) == repr(value)
