"""Output schemas from stored results."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipestat_spec.domain.rules import prepare_results
from pipestat_spec.errors import (
    MissingConfigDataError,
    PipelineTypeNotSuppliedError,
    SchemaError,
    StoreNotFoundError,
)
from pipestat_spec.infer import infer_results, infer_schema, schema_text
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.opening import open_store
from pipestat_spec.schema_files import load_output_schema


def records(*results: dict[str, Any]) -> list[Record]:
    return [Record(RecordKey("sample", f"s{i}"), values) for i, values in enumerate(results, 1)]


def inferred(*values: Any, strict: bool = True) -> Any:
    """Return what is inferred for one result with these values."""
    schema = infer_results(records(*({"r": value} for value in values)), strict=strict)["r"]
    del schema["description"]
    return schema


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        ([1, 2], {"type": "integer"}),
        ([1.0], {"type": "number"}),
        ([1, 2.5, 3], {"type": "number"}),
        (["1"], {"type": "string"}),
        ([True], {"type": "boolean"}),
        ([None], {"type": "null"}),
        ([1, None], {"type": ["integer", "null"]}),
        ([None, 1, 0.5], {"type": ["number", "null"]}),
        ([[]], {"type": "array"}),
        ([[1], [2, 3]], {"type": "array", "items": {"type": "integer"}}),
        ([[1], [2.5]], {"type": "array", "items": {"type": "number"}}),
        ([[1, "a", None]], {"type": "array", "items": {"type": ["integer", "string", "null"]}}),
        ([[1, {"a": 1}]], {"type": "array"}),
        (
            [[[1]], [[]]],
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        ),
        ([{}], {"type": "object"}),
        (
            [{"a": 1, "b": "x"}, {"a": None, "c": {"d": True}}],
            {
                "type": "object",
                "properties": {
                    "a": {"type": ["integer", "null"]},
                    "b": {"type": "string"},
                    "c": {"type": "object", "properties": {"d": {"type": "boolean"}}},
                },
            },
        ),
        ([{"path": "a.txt", "title": "t"}], {"type": "file"}),
        ([{"path": "a.PNG", "title": "t"}], {"type": "image"}),
        ([{"path": "a.pdf", "title": "t", "thumbnail_path": "a.png"}], {"type": "image"}),
        (
            [{"path": "a.pdf", "title": "t"}, {"path": "a.svg", "title": "t"}],
            {"type": "image"},
        ),
        ([{"path": "a.txt", "title": "t"}, None], {"type": ["file", "null"]}),
        (
            [[{"path": "a.png", "title": "t"}]],
            {"type": "array", "items": {"type": "image"}},
        ),
        (
            [{"path": "a.txt"}],
            {"type": "object", "properties": {"path": {"type": "string"}}},
        ),
        (
            [{"path": "a.txt", "title": "t"}, {"path": "b.txt"}],
            {
                "type": "object",
                "properties": {"path": {"type": "string"}, "title": {"type": "string"}},
            },
        ),
    ],
    ids=str,
)
def test_types(values: list[Any], schema: dict[str, Any]) -> None:
    assert inferred(*values) == schema


def test_conflicts_take_the_most_common_type_or_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = records({"n": "a", "m": 1}, {"n": 1}, {"n": 2}, {"n": None})
    with caplog.at_level(logging.WARNING):
        assert infer_results(data)["n"]["type"] == ["integer", "null"]
    assert [record.getMessage() for record in caplog.records] == [
        "result 'n' has several types: string in 's1', integer in 's2', 's3'; integer is taken"
    ]
    with pytest.raises(SchemaError) as caught:
        infer_results(data, strict=True)
    assert caught.value.message == (
        "result 'n' has several types: string in 's1', integer in 's2', 's3'"
    )
    many = records(*({"n": value} for value in (1, 2, 3, 4, 5, "x")))
    with pytest.raises(
        SchemaError, match=r"integer in 's1', 's2', 's3' and 2 more, string in 's6'"
    ):
        infer_results(many, strict=True)
    inside = records({"o": {"k": 1}}, {"o": {"k": "x"}})
    with pytest.raises(SchemaError, match="result 'o', key 'k' has several types: integer in 's1'"):
        infer_results(inside, strict=True)


def test_of_equally_common_types_the_first_is_taken() -> None:
    assert inferred("a", 1, strict=False) == {"type": "string"}
    assert inferred(1, "a", strict=False) == {"type": "integer"}


def test_results_that_no_schema_can_declare_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(infer_results(records({"id": 1, "n": 1}, {"id": 2}))) == ["n"]
    (record,) = caplog.records
    assert record.getMessage().startswith("'id' is left out: ")


# Files

RECORDS = """
rnaseq:
  s1: {reads: 10, plot: {path: a.png, title: A}, meta: {created: "2026-01-31T12:00:00.000000Z"}}
  s2: {reads: 2.5, note: "no", nothing: null}
"""
LEVELS = """
rnaseq:
  project:
    all: {total: 12}
  sample:
    s1: {reads: 10}
"""


@pytest.fixture
def results(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "results.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_of_the_published_layout(results: Callable[[str], Path], tmp_path: Path) -> None:
    output = tmp_path / "schema.yaml"
    schema = infer_schema(results(RECORDS), output)
    assert schema == {
        "pipeline_name": "rnaseq",
        "samples": {
            "reads": {"type": "number", "description": "Inferred from 2 records"},
            "plot": {"type": "image", "description": "Inferred from 1 record"},
            "note": {"type": "string", "description": "Inferred from 1 record"},
            "nothing": {"type": "null", "description": "Inferred from 1 record"},
        },
    }
    assert yaml.safe_load(output.read_text()) == schema
    loaded = load_output_schema(output)
    assert loaded.pipeline_name == "rnaseq"
    assert list(loaded.levels["sample"].results) == ["reads", "plot", "note", "nothing"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.yaml", "schema.yaml"]


def test_levels_and_names(results: Callable[[str], Path]) -> None:
    path = results(LEVELS)
    total = {"total": {"type": "integer", "description": "Inferred from 1 record"}}
    reads = {"reads": {"type": "integer", "description": "Inferred from 1 record"}}
    assert infer_schema(path) == {"pipeline_name": "rnaseq", "project": total, "samples": reads}
    assert infer_schema(str(path), level="project", pipeline_name="other") == {
        "pipeline_name": "other",
        "project": total,
    }
    with pytest.raises(PipelineTypeNotSuppliedError, match="level 'run' is not one of"):
        infer_schema(path, level="run")
    with pytest.raises(SchemaError, match="holds no project-level results to infer"):
        infer_schema(results(RECORDS), level="project")


def test_one_of_several_namespaces_is_chosen(results: Callable[[str], Path]) -> None:
    path = results("a:\n  s1: {n: 1}\nb:\n  s1: {n: x}\n")
    assert infer_schema(path, pipeline_name="b")["samples"]["n"]["type"] == "string"
    with pytest.raises(MissingConfigDataError, match="holds several namespaces: a, b"):
        infer_schema(path)


def test_one_file_for_each_record(tmp_path: Path) -> None:
    path = str(tmp_path / "{record_identifier}" / "stats.yaml")
    store = open_store(Config(), {"results_file_path": path, "pipeline_name": "p"}).store
    for name, value in (("a", 1), ("b", 2.5)):
        store.report(RecordKey("sample", name), {"n": value}, overwrite=False)
    assert infer_schema(path)["samples"]["n"]["type"] == "number"


def test_the_callers_configuration_does_not_matter(
    results: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPESTAT_RESULTS_SCHEMA", "/nowhere.yaml")
    monkeypatch.setenv("PIPESTAT_PIPELINE_NAME", "other")
    assert infer_schema(results(RECORDS))["pipeline_name"] == "rnaseq"


def test_a_missing_or_empty_file_is_an_error(
    results: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(StoreNotFoundError, match=r"there are no results at .*nowhere\.yaml"):
        infer_schema(tmp_path / "nowhere.yaml")
    with pytest.raises(SchemaError, match="holds no results to infer a schema from"):
        infer_schema(results(""))


def test_names_that_would_mislead_the_flat_form(results: Callable[[str], Path]) -> None:
    path = results("p:\n  s1: {properties: {type: x}, items: 1, type: y, title: z, no: 1}\n")
    schema = parse_output_schema(infer_schema(path))
    assert set(schema.levels["sample"].results) == {"properties", "items", "type", "title", "no"}


def test_the_text_means_the_same_to_yaml_1_1_and_1_2() -> None:
    names = [
        "no",
        "1e3",
        "0o7",
        "12:30",
        "2024-01-01",
        "null",
        "é ü",
        "a: b",
        "#x",
        "Aligned reads",
    ]
    schema = {"pipeline_name": "on", "samples": {name: {"type": "null"} for name in names}}
    text = schema_text(schema)
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    assert yaml.safe_load(text) == schema
    assert parser.load(text) == schema


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
_NAMES = st.sampled_from(["a", "b", "path", "title", "properties", "items", "type", "$ref", "enum"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(_NAMES, _VALUES, max_size=3), min_size=1, max_size=4))
@settings(deadline=None)
def test_what_was_stored_fits_what_was_inferred(data: list[dict[str, Any]]) -> None:
    """Without conflicts every record fits the schema; and the schema always loads."""
    try:
        results = infer_results(records(*data), strict=True)
    except SchemaError:
        results = infer_results(records(*data))
        data = []
    if not results:
        return
    nested = {"properties": {"samples": {"type": "object", "properties": results}}}
    level = parse_output_schema(json.loads(json.dumps(nested))).levels["sample"]
    assert list(level.results) == list(results)
    for values in data:
        assert not prepare_results(values, level).undeclared
