"""Which columns a table has, of which type, and what stands in its rows."""

from __future__ import annotations

from typing import Any

from pipestat_spec import PipestatManager
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.tables import MISSING, Selection, Table, read_table
from tests.work import is_linear


def records(*results: dict[str, Any]) -> list[Record]:
    return [Record(RecordKey("sample", f"s{n}"), values) for n, values in enumerate(results, 1)]


def described(table: Table) -> list[tuple[str, str]]:
    return [(column.name, column.kind) for column in table.columns]


def test_declared_columns_come_first_in_the_order_of_the_schema(psm: PipestatManager) -> None:
    schema = psm.store.rules.level_schema("sample")
    with read_table(psm.store.scan("sample"), schema) as table:
        assert described(table) == [
            ("record_identifier", "string"),
            ("status", "string"),
            ("reads", "integer"),
            ("rate", "number"),
            ("ok", "boolean"),
            ("tags", "array"),
            ("name", "string"),
            ("note", "string"),
            ("align", "object"),
            ("plot", "image"),
            ("more", "any"),
        ]
        assert table.count == 3
        first, *_ = table.rows()
        assert first[:5] == ["s1", "completed", 0, 2.0, False]
        assert first[5] is MISSING
        assert first[6:8] == ["", None]
        # A second time, from the beginning.
        assert len(list(table.rows())) == 3


def test_types_without_a_schema_are_what_the_values_have_in_common() -> None:
    found = records(
        {"a": 1, "b": 1, "c": 1, "d": None, "e": 2**53 + 1, "f": True},
        {"a": 2, "b": 0.5, "c": "x", "e": 0.5, "f": None},
    )
    with read_table(found, None) as table:
        assert described(table)[2:] == [
            ("a", "integer"),
            ("b", "number"),
            ("c", "any"),
            ("d", "any"),
            # No double is 2**53 + 1.
            ("e", "any"),
            ("f", "boolean"),
        ]


def test_flattened_objects_have_a_column_for_each_key(psm: PipestatManager) -> None:
    schema = psm.store.rules.level_schema("sample")
    with read_table(psm.store.scan("sample"), schema, flatten=True) as table:
        names = [column.name for column in table.columns]
        assert names == [
            *("record_identifier", "status", "reads", "rate", "ok", "tags", "name", "note"),
            *("align.rate", "align", "align.deep.x"),
            *("plot.path", "plot.title", "plot.thumbnail_path", "more"),
        ]
        rows = [dict(zip(names, row, strict=True)) for row in table.rows()]
    assert rows[0]["align.rate"] == 0.9
    assert rows[0]["align.deep.x"] == 1
    assert rows[0]["align"] is MISSING
    # An empty object has no keys, and is not missing.
    assert rows[2]["align"] == {}
    assert rows[1]["plot.path"] == "p.png"


def test_a_name_with_a_dot_is_no_key_of_an_object() -> None:
    with read_table(records({"a": {"b": 1}, "a.b": 2}), None, flatten=True) as table:
        assert [c.name for c in table.columns[2:]] == ["a.b", '"a.b"']
        assert next(table.rows())[2:] == [1, 2]


def test_named_columns() -> None:
    found = records({"align": {"rate": 0.9}, "a.b": 2, "c d": 3, "n": 1})
    names = ["align.rate", "a.b", "c d", "status_message", "unknown", "record_identifier"]
    with read_table(found, None, names) as table:
        assert [c.name for c in table.columns] == ["record_identifier", *names[:-1]]
        row = next(table.rows())
    assert row[:4] == ["s1", 0.9, 2, 3]
    assert row[4:] == [MISSING, MISSING]


def test_a_selection_is_a_source_with_other_records(psm: PipestatManager) -> None:
    chosen = [psm.store.get(RecordKey("sample", name)) for name in ("s3", "s1")]
    source = Selection(psm.store, "sample", lambda: chosen)
    assert [record.key.identifier for record in source.scan("sample")] == ["s3", "s1"]
    assert source.count("sample") == 2
    assert source.namespace == "rnaseq"
    assert list(source.scan("project")) == []
    psm.report({"reads": 1}, "s1")
    psm.report({"reads": 1}, "s2")
    assert {key.identifier for key, _ in source.histories("sample")} == {"s1"}


def test_many_columns_cost_no_more_each() -> None:
    def columns_of(**results: Any) -> None:
        with read_table(records(results), None, flatten=True):
            pass

    assert is_linear(lambda n: columns_of(**{f"k{i}": 1 for i in range(n)}))
    assert is_linear(lambda n: columns_of(o={f"k{i}": {"x": 1} for i in range(n)}))
