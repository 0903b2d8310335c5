"""Integers that other programs left for results declared `number`: read as doubles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pipestat_spec.backend import Outcome, StoreSettings
from pipestat_spec.errors import InvalidValueError, ResultConflictError
from pipestat_spec.json_values import same_value
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.query import Comparison, Query
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.schema.status_schema import DEFAULT_STATUS_SCHEMA
from pipestat_spec.store import Store

KEY = RecordKey("sample", "s1")
INEXACT = 2**53 + 1
SCHEMA = {
    "samples": {
        "x": {"$ref": "#/$defs/rate"},
        "either": {"type": ["number", "null"]},
        "n": {"type": "integer"},
        "o": {"type": "object"},
        "huge": {"type": "number"},
    },
    "project": {"x": {"type": "string"}, "additionalProperties": {"type": "number"}},
    "$defs": {"rate": {"type": "number"}},
}
STORED = {"x": 3, "either": 3, "n": 3, "o": {"x": 3}, "huge": INEXACT, "undeclared": 3}
READ = {**STORED, "x": 3.0}


def holding(results: Iterable[Record], schema: Any = SCHEMA, **options: Any) -> Store:
    """Return a store on a backend in which another program left the records."""
    backend = MemoryBackend()
    for record in results:
        backend.update(record.key, lambda _, record=record: Outcome(record))
    parsed = None if schema is None else parse_output_schema(schema)
    settings = StoreSettings("ns", DEFAULT_STATUS_SCHEMA, schema=parsed)
    return Store(backend, settings, **{"validate": True, **options})


def test_every_way_of_reading_gives_the_double() -> None:
    store = holding([Record(KEY, STORED)])
    for record in (
        store.read(KEY),
        store.get(KEY),
        *store.scan("sample"),
        *store.select(Query("sample", where=Comparison(("x",), "eq", 3))).records,
        *store.select(Query("sample", where=Comparison(("x",), "eq", 3.0))).records,
    ):
        assert record is not None
        assert same_value(record.results, READ)
    rows = store.distinct("sample", ["n", "x", "huge"])
    assert same_value(list(rows[0]), [3, 3.0, INEXACT])


def test_equal_values_are_no_change() -> None:
    record = Record(KEY, STORED)
    store = holding([record])
    for value in (3, 3.0):
        store.report(KEY, {"x": value}, overwrite=False)
    assert store.backend.read(KEY) is record
    with pytest.raises(ResultConflictError):
        store.report(KEY, {"x": 4}, overwrite=False)
    assert store.backend.read(KEY) is record


def test_a_status_change_leaves_the_results_as_they_stand() -> None:
    record = Record(KEY, STORED)
    store = holding([record])
    after = store.apply([(KEY, store.rules.set_status(KEY, "running"))])[0].after
    stored = store.backend.read(KEY)
    assert stored is not None
    assert stored.results is record.results
    assert after is not None
    assert same_value(after.results, READ)


def test_old_values_are_doubles_too() -> None:
    store = holding([Record(KEY, {"x": 3, "n": 3})])
    store.report(KEY, {"x": 4, "n": 4}, overwrite=True)
    assert same_value({e.result: e.value for e in store.history(KEY)}, {"x": 3.0, "n": 3})
    # History that another program wrote.
    raw = holding([Record(KEY, {"x": 3, "n": 3})], None)
    raw.report(KEY, {"x": 4, "n": 4}, overwrite=True)
    read = Store(raw.backend, store.settings, validate=True)
    assert same_value({e.result: e.value for e in read.history(KEY)}, {"x": 3.0, "n": 3})


def test_undeclared_results_that_have_to_be_numbers() -> None:
    key = RecordKey("project", "p")
    record = Record(key, {"x": 3, "more": 3})
    store = holding([record])
    assert same_value(store.get(key).results, {"x": 3, "more": 3.0})
    store.report(key, {"more": 3}, overwrite=False)
    assert store.backend.read(key) is record
    for additional in (True, False):
        other = holding([record], additional_properties=additional)
        assert other.get(key) is record


def test_without_validation_nothing_is_adapted() -> None:
    record = Record(KEY, STORED)
    for options in ({"validate": False}, {"schema": None}):
        store = holding([record], **{"schema": SCHEMA, **options})
        assert store.get(KEY) is record
        with pytest.raises(ResultConflictError):
            store.report(KEY, {"x": 3.0}, overwrite=False)


def test_what_needs_no_double_is_the_backends_own() -> None:
    record = Record(KEY, {"x": 3.0, "n": 3, "huge": INEXACT})
    store = holding([record])
    assert store.get(KEY) is record
    assert next(iter(store.scan("sample"))) is record


def test_a_source_is_an_object() -> None:
    store = holding([])
    for source in ("snakemake", ["run"], 5):
        with pytest.raises(InvalidValueError, match=r"source: .* is not an object"):
            store.report(KEY, {"n": 1}, overwrite=False, source=source)  # type: ignore[arg-type]
        with pytest.raises(InvalidValueError, match=r"source: .* is not an object"):
            store.set_status(KEY, "running", source=source)  # type: ignore[arg-type]
    assert store.read(KEY) is None
    store.report(KEY, {"n": 1}, overwrite=False, source={"attempt": "first", "run": 5})
    assert store.get(KEY).source == {"attempt": "first", "run": 5}
