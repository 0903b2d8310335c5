"""Schemas with more results than a row has room for (PS-SQL-021)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.models.query import Query
from tests.sql.databases import Database


def text(number: int, length: int = 30) -> str:
    """Return a text that a database cannot compress."""
    return hashlib.sha512(str(number).encode()).hexdigest()[:length]


def value(type_: str, number: int, length: int = 30) -> Any:
    match type_:
        case "integer":
            return 2**62 + number
        case "number":
            return number + 0.1
        case "boolean":
            return number % 2 == 0
        case "string":
            return text(number, length)
        case _:
            return {"a": text(number, length)}


CYCLE = ("boolean", "integer", "string", "number", "object")
# Result types, and the number of columns that a row has room for: 7,680 bytes at 16 for a
# number, 24 for a text or document and 1 for a boolean, and 1,500 columns.
SCHEMAS: dict[str, tuple[list[str], int]] = {
    "numbers": (["number"] * 1010, 480),
    "texts": (["string"] * 700, 320),
    "documents": (["object"] * 400, 320),
    "booleans": (["boolean"] * 1700, 1500),
    # A cycle takes 81 bytes: 94 of them take 7,614, and 1 + 16 + 24 + 16 more are 7,671.
    "mixed": ([CYCLE[number % 5] for number in range(600)], 474),
}


# The layout `levels` counts in the same way.
@pytest.mark.parametrize(
    ("layout", "name"), [*(("records", name) for name in SCHEMAS), ("levels", "mixed")]
)
def test_more_results_than_a_row_has_room_for(database: Database, layout: str, name: str) -> None:
    types, room = SCHEMAS[name]
    schema: dict[str, Any] = {f"r{n}": {"type": type_} for n, type_ in enumerate(types)}
    schema[f"r{room}"]["index"] = True
    opened = database.open(schema, layout=layout)
    first = {f"r{n}": value(type_, n) for n, type_ in enumerate(types)}
    # Texts of 20 characters are the longest that are never moved out of the row.
    second = {f"r{n}": value(type_, n + 1, 20) for n, type_ in enumerate(types)}
    opened.report("s1", first)
    opened.report("s1", second)
    opened.report_many({"s2": first, "s3": second})
    assert [opened.results(name) for name in ("s1", "s2", "s3")] == [second, first, second]
    assert {entry.result: entry.value for entry in opened.history("s1")} == {
        name: old for name, old in first.items() if old != second[name]
    }
    table = "demo" if layout == "records" else "demo__sample"
    assert [c for c in database.columns(table) if c.startswith("r") and c[1:].isdecimal()] == [
        f"r{n}" for n in range(room)
    ]
    backend: Any = opened.backend
    last = f"r{len(types) - 1}"
    for where, size in ((f"{last} is null", 0), (f"not {last} is null", 3)):
        assert backend.select(Query(where=parse_filter(where), limit=5)).total_size == size
    if types[-1] != "object":
        shown = repr(second[last]) if types[-1] != "boolean" else str(second[last]).lower()
        found = backend.select(Query(where=parse_filter(f"{last} = {shown}"), columns=(last,)))
        assert [record.key.identifier for record in found.records] == ["s1", "s3"]
        assert len(backend.distinct("sample", [last])) == 2
    again = database.open(schema, layout=layout)
    again.report("s1", {last: first[last]})
    assert again.results("s1")[last] == first[last]
    assert len([c for c in database.columns(table) if c[1:].isdecimal()]) == room


def test_columns_that_exist_count_first(database: Database) -> None:
    """Those of results that the schema has no more, too; what comes first in it gets the rest."""
    database.open({f"old{n}": {"type": "string"} for n in range(318)}).report("s1", {"old0": "x"})
    schema = {f"r{n}": {"type": "string"} for n in (3, 1, 2)}
    opened = database.open({**schema, "old0": {"type": "string"}})
    opened.report("s1", {"r3": "c", "r1": "a", "r2": "b"})
    assert opened.results("s1") == {"old0": "x", "r1": "a", "r2": "b", "r3": "c"}
    assert [c for c in database.columns("demo") if c in schema] == ["r3", "r1"]
