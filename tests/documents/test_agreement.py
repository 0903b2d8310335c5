"""Readers and published JSON Schemas accept and refuse the same documents.

Each document is a valid one, or a valid one with one random change. Left out is what JSON
Schema cannot say: where references lead, two statuses of which one ends like the other, the
calendar, the range of integers, and names that are nearly `samples` or `project`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipestat_spec.configuration import parse_config
from pipestat_spec.documents.json_schemas import DOCUMENTS
from pipestat_spec.documents.report import parse_report_document
from pipestat_spec.errors import PipestatError
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.schema.status_schema import parse_status_schema
from pipestat_spec.problems import AT_ONCE, Problems

NAMES = st.sampled_from(["n", "x y", "rate%", "reads", "Ü"])


def objects(needed: dict[str, Any], /, **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with the needed keys and any of the others; plain values are themselves."""

    def strategies(members: dict[str, Any]) -> dict[str, st.SearchStrategy[Any]]:
        return {
            key: value if isinstance(value, st.SearchStrategy) else st.just(value)
            for key, value in members.items()
        }

    return st.fixed_dictionaries(strategies(needed), optional=strategies(optional))


# Output schemas, in each form

TYPES = ["null", "boolean", "integer", "number", "string", "array", "object", "file", "image"]
RESULT: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: st.one_of(
        objects(
            {"type": st.sampled_from([*TYPES, ["integer", "null"], ["file", "string"]])},
            description="what it is",
            highlight=st.booleans(),
        ),
        objects({"type": "object", "properties": st.dictionaries(NAMES, RESULT, max_size=2)}),
        objects({"type": "array", "items": RESULT}),
        objects({"anyOf": st.lists(RESULT, min_size=1, max_size=2)}),
        objects({"enum": ["a", "b"]}),
    )
)
RESULTS = st.dictionaries(NAMES, RESULT, min_size=1, max_size=2)
STATUSES = st.dictionaries(
    st.sampled_from(["done", "in-work", "x.1"]),
    objects({"description": "d", "color": st.lists(st.integers(0, 255), min_size=3, max_size=3)}),
    min_size=1,
    max_size=2,
)
NESTED = objects(
    {"type": "object", "properties": RESULTS},
    required=["n"],
    additionalProperties=st.booleans(),
    description="d",
)
SECTION = NESTED | objects({"type": "array", "items": NESTED})
ABOUT = {"title": "t", "description": "d"}
PARTS = {"pipeline_name": "p", "status": STATUSES}
OUTPUT_SCHEMAS = st.one_of(
    objects(
        {"type": "object", "properties": objects({"samples": SECTION}, project=SECTION, **PARTS)},
        **ABOUT,
    ),
    objects({"samples": RESULTS | SECTION}, project=RESULTS | SECTION, **PARTS, **ABOUT),
    st.builds(dict.__or__, objects({}, **PARTS, **ABOUT), RESULTS),
)

# Configurations

CONFIGURATIONS = objects(
    {},
    schema_path="schema.yaml",
    results_file_path="r/{record_identifier}.yaml",
    pipeline_name=st.sampled_from(["rnaseq", 7]),
    pipeline_type=st.sampled_from(["sample", "project", "${LEVEL}"]),
    layout=st.sampled_from(["records", "levels"]),
    multi_pipelines=st.sampled_from([True, False, "no"]),
    database=st.just({"sqlite_url": "r.db"}),
    storage_options=st.just({}),
    sql=st.just({"url": "sqlite:///r.db"}),
    pipeline_interfaces=st.just(["a.yaml"]),
)

# Report documents

REPORTS = objects(
    {
        "pipestat_report": st.sampled_from(["1.0", "1.12"]),
        "record_identifier": st.sampled_from(["s1", "a/b", "Ü"]),
        "results": st.dictionaries(NAMES, st.sampled_from([1, None, "x", [1], {"a": {}}])),
    },
    namespace="rnaseq",
    level=st.sampled_from(["sample", "project"]),
    status="completed",
    time=st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.5+01:00"]),
    source=objects({}, engine="make", attempt=st.integers(1, 9), lane={"x": 1}),
)

# Changes

VALUES: list[Any] = [
    *(None, True, False, 0, 3, -1, 2.5, "", "x", "integer", "yes"),
    *([], {}, [1], ["integer"], {"type": "integer"}, {"n": {"type": "string"}}, {"properties": {}}),
]
KEYS = [
    *(
        "extra",
        "meta",
        "id",
        "a\nb",
        "b" * 256,
        "type",
        "properties",
        "items",
        "status",
        "required",
    ),
    *(
        "title",
        "additionalProperties",
        "samples",
        "project",
        "pipeline_name",
        "x-a",
        "const",
        "anyOf",
    ),
]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value of a document, the document itself first."""
    yield path
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield from places(document[key], (*path, key))


@st.composite
def changed(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> Any:
    """Draw a document and change it in one place, or leave it as it is."""
    outer = {"": copy.deepcopy(draw(documents))}
    *way, last = draw(st.sampled_from([*places(outer)][1:]))
    holder: Any = outer
    for key in way:
        holder = holder[key]
    change = draw(st.sampled_from(["none", "replace", "remove", "rename", "add"]))
    if change == "replace":
        holder[last] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    elif change == "add" and isinstance(holder[last], dict):
        holder[last][draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    elif change == "rename" and isinstance(last, str) and way:
        holder[draw(st.sampled_from(KEYS))] = holder.pop(last)
    elif change == "remove" and way:
        del holder[last]
    return outer[""]


def read_output_schema(document: Any, problems: Problems) -> object:
    return parse_output_schema(document, None, problems)


def read_status_schema(document: Any, problems: Problems) -> object:
    return parse_status_schema(document, None, problems)


def read_config(document: Any, problems: Problems) -> object:
    # Any section may be that of a plugin.
    given = document if isinstance(document, dict) else {}
    sections = [key for key, value in given.items() if isinstance(value, dict)]
    environment = {"LEVEL": "sample"}
    return parse_config(document, backends=sections, environment=environment, problems=problems)


def read_report(document: Any, problems: Problems) -> object:
    return parse_report_document(document)


@pytest.mark.parametrize(
    ("name", "documents", "read"),
    [
        ("output_schema", OUTPUT_SCHEMAS, read_output_schema),
        ("status_schema", STATUSES, read_status_schema),
        ("config", CONFIGURATIONS, read_config),
        ("report_document", REPORTS, read_report),
    ],
)
def test_reader_and_schema_agree(
    name: str, documents: st.SearchStrategy[Any], read: Callable[[Any, Problems], object]
) -> None:
    schema = Draft202012Validator(DOCUMENTS[name]())

    @settings(max_examples=400, derandomize=True, database=None, deadline=None)
    @given(changed(documents))
    def agree(document: Any) -> None:
        first: list[str] = []
        try:
            read(document, AT_ONCE)
        except PipestatError as error:
            first = error.problems[:1]
        assert schema.is_valid(document) is (not first), first
        # A reader that goes on after an error meets the same one first, and else none.
        problems = Problems()
        with problems:
            read(document, problems)
        assert problems.lines[:1] == first

    agree()
