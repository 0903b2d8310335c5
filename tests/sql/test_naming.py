"""Names of tables and columns: every name works, none alters a statement (PS-SQL-010, -011)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pipestat_sql.tables.naming import cut_name, find_name, new_names

from tests.sql.databases import Database

ODD = [
    "select", "order", 'a"b', "x'; drop table y; --", "Name with spaces", "Reads", "reads", "%s",
    ":x", "%(a)s", "?", "a.b", "é ü", "xmin", "ID", "source_record_id", "a%%b", "{x}", "\\", "`",
    "日本",
]  # fmt: skip
LONG = ["n" * 63 + "first..", "n" * 63 + "second."]


def test_cut_names() -> None:
    # The first 16 digits of: printf '%s' NAME | sha256sum
    name = "a" * 70
    assert cut_name(name) == "a" * 46 + "~6bd5e5034855a112"
    assert cut_name("é" * 40).startswith("é" * 23 + "~")
    assert cut_name("a" + "é" * 40).startswith("a" + "é" * 22 + "~")


def test_new_names_are_distinct_letter_case_aside() -> None:
    names = new_names(["reads", "Reads", "READS", "n" * 64], ["id"])
    assert names["READS"] == "READS"
    assert names["Reads"] == cut_name("Reads")
    assert names["reads"] == cut_name("reads")
    assert new_names(["Id"], ["id"]) == {"Id": cut_name("Id")}
    assert names["n" * 64] == cut_name("n" * 64)
    assert new_names(["n" * 63], []) == {"n" * 63: "n" * 63}


def test_looking_up_tries_the_cut_name_first() -> None:
    assert find_name("reads", {"reads"}) == "reads"
    assert find_name("reads", {"reads", cut_name("reads")}) == cut_name("reads")
    assert find_name("reads", {"Reads"}) is None


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_odd_names_of_results(database: Database, layout: str) -> None:
    names = ODD + LONG
    schema = {name: {"type": "integer", "index": True} for name in names}
    values = {name: number for number, name in enumerate(names)}
    opened = database.open(schema, layout=layout)
    opened.report("s1", values)
    opened.report("s1", {name: number + 100 for name, number in values.items()})
    assert opened.results("s1") == {name: number + 100 for name, number in values.items()}
    assert {e.result: e.value for e in opened.history("s1")} == values
    # A reader without the schema gets the same names.
    assert database.open(layout=layout).results("s1") == opened.results("s1")
    table = "demo" if layout == "records" else "demo__sample"
    columns = database.columns(table)
    for name in names:
        short = cut_name(name)
        assert (name in columns) != (short in columns) or name in columns
    assert {"select", "order", 'a"b', "x'; drop table y; --", "Reads", "%s", "?"} <= columns.keys()
    assert {
        cut_name("reads"),
        cut_name("ID"),
        cut_name("xmin"),
        *map(cut_name, LONG),
    } <= columns.keys()
    [row] = database.rows(f'select "a""b", "Reads", "{cut_name("reads")}" from {table}')
    assert row == tuple(values[name] + 100 for name in ('a"b', "Reads", "reads"))


def test_odd_names_in_bulk_and_undeclared(database: Database) -> None:
    values = {name: number for number, name in enumerate(ODD)}
    opened = database.open()
    opened.report_many({f"r{name}": values for name in ODD})
    assert opened.names() == sorted(f"r{name}" for name in ODD)
    assert all(opened.results(f"r{name}") == values for name in ODD)


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_odd_names_of_namespaces(database: Database, layout: str) -> None:
    names = ["a b", 'q"uote', "x'; drop table y; --", "%s", "Demo", "demo", "n" * 70,
             "n" * 70 + "m", "demo__sample", "select"]  # fmt: skip
    for number, name in enumerate(names):
        database.open(namespace=name, layout=layout).report("s1", {"n": number})
    for number, name in enumerate(names):
        opened = database.open(namespace=name, layout=layout)
        assert opened.results("s1") == {"n": number}, name
        opened.report("s1", {"n": -number - 1})
        assert [entry.value for entry in opened.history("s1")] == [number]


def test_a_namespace_called_like_a_history_table(database: Database) -> None:
    for number, name in enumerate(["demo", "demo__history"]):
        database.open(namespace=name, layout="records").report("s1", {"n": number})
    assert database.open(namespace="demo").results("s1") == {"n": 0}
    assert database.open(namespace="demo__history").results("s1") == {"n": 1}


def test_odd_names_of_records_and_projects(database: Database) -> None:
    identifiers = [
        "a/b",
        "x'; drop table demo; --",
        "%s",
        "?",
        "no",
        "123",
        '"',
        "é",
        "..",
        " ",
        "\\",
    ]
    for project in ("project", "x'; drop table demo; --", "%s"):
        opened = database.open(layout="levels", project_name=project)
        for identifier in identifiers:
            opened.report(identifier, {"n": identifier + project})
        assert opened.names() == sorted(identifiers)
        assert all(opened.results(i) == {"n": i + project} for i in identifiers)
    projects: Any = opened.backend
    assert projects.projects() == ["%s", "project", "x'; drop table demo; --"]


def test_the_row_tells_what_a_cut_column_means(database: Database) -> None:
    database.open({LONG[0]: {"type": "integer"}}).report("s1", {LONG[0]: 5})
    [(meta,)] = database.rows("select meta from demo")
    meta = json.loads(meta) if isinstance(meta, str) else meta
    assert meta["columns"] == {cut_name(LONG[0]): LONG[0]}
