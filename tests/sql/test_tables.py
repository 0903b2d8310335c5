"""Tables and columns: what is made, added, widened and refused (PS-SQL-001 to PS-SQL-009)."""

from __future__ import annotations

import pytest

from pipestat_spec.errors import InvalidValueError, LayoutError, SchemaError
from pipestat_spec.models.layout import Layout
from tests.sql.conftest import MakeDatabase
from tests.sql.databases import Database

SCHEMA = {
    "i": {"type": "integer"},
    "n": {"type": "number"},
    "s": {"type": "string", "index": True},
    "b": {"type": "boolean"},
    "o": {"type": "object"},
    "a": {"type": "array"},
    "f": {"type": "file"},
    "m": {"type": ["integer", "null"]},
}
POSTGRESQL = {
    "id": "bigint", "record_identifier": "text", "status": "text",
    "pipestat_created_time": "timestamp without time zone",
    "pipestat_modified_time": "timestamp without time zone",
    "pipestat_extended_data": "json", "meta": "json",
    "i": "bigint", "n": "double precision", "s": "text", "b": "boolean", "o": "json", "a": "json",
    "f": "json", "m": "json",
}  # fmt: skip
SQLITE = {
    "id": "INTEGER", "record_identifier": "TEXT", "status": "TEXT", "pipestat_created_time": "TEXT",
    "pipestat_modified_time": "TEXT", "pipestat_extended_data": "JSON TEXT", "meta": "JSON TEXT",
    "i": "BIGINT", "n": "DOUBLE PRECISION", "s": "TEXT", "b": "BOOLEAN", "o": "JSON TEXT",
    "a": "JSON TEXT", "f": "JSON TEXT", "m": "JSON TEXT",
}  # fmt: skip


def test_new_tables_of_the_layout_records(database: Database) -> None:
    database.open(SCHEMA).report("s1", {"i": 1})
    assert database.tables() == ["demo", "demo__history"]
    wanted = POSTGRESQL if database.dialect == "postgresql" else SQLITE
    assert database.columns("demo") == wanted


def test_new_tables_of_the_layout_levels(database: Database) -> None:
    opened = database.open({"samples": SCHEMA, "project": {"t": {"type": "integer"}}})
    opened.report("s1", {"i": 1})
    opened.report("p", {"t": 1}, "project")
    names = ["demo__project", "demo__project_history", "demo__sample", "demo__sample_history"]
    assert database.tables() == names
    sample = database.columns("demo__sample")
    assert {"project_name", "pipeline_name"} <= sample.keys()
    assert {"source_record_id", "meta", *SCHEMA} <= database.columns("demo__sample_history").keys()
    assert database.rows("select project_name, pipeline_name from demo__sample") == [
        ("project", None)
    ]


def test_opening_and_reading_make_nothing(database: Database) -> None:
    opened = database.open(SCHEMA)
    assert opened.names() == []
    with pytest.raises(LookupError):
        opened.remove("s1")
    assert database.tables() == []


def test_projects_share_tables(database: Database) -> None:
    one = database.open(layout="levels", project_name="one")
    two = database.open(layout="levels", project_name="two")
    one.report("s1", {"n": 1})
    two.report("s1", {"n": 2})
    two.report("s2", {"n": 3})
    assert (one.names(), two.names()) == (["s1"], ["s1", "s2"])
    one.remove("s1")
    assert two.results("s1") == {"n": 2}


def test_layouts_that_contradict(database: Database) -> None:
    database.open(layout="records").report("s1", {"n": 1})
    with pytest.raises(
        LayoutError, match="is in the 'records' layout, and the settings say 'levels'"
    ):
        database.open(layout="levels")
    opened = database.open()
    with pytest.raises(LayoutError, match=r"holds no project-level results.*convert"):
        opened.report("p", {"n": 1}, "project")
    assert opened.names("project") == []
    assert opened.read("p", "project") is None


def test_a_result_declared_later_gets_its_column(database: Database) -> None:
    old = database.open({"i": {"type": "integer"}})
    old.report("s1", {"i": 1, "later": "text", "other": [1]})
    new = database.open({"i": {"type": "integer"}, "later": {"type": "string"}})
    assert new.results("s1") == {"i": 1, "later": "text", "other": [1]}
    assert "later" not in database.columns("demo")
    new.report("s1", {"i": 2})
    assert database.rows("select later from demo") == [("text",)]
    assert old.results("s1") == {"i": 2, "later": "text", "other": [1]}
    # The program with the older schema goes on, and what it writes is seen.
    old.report("s1", {"later": "changed"})
    old.report("s2", {"later": "new"})
    assert new.results("s1")["later"] == "changed"
    assert new.results("s2") == {"later": "new"}


def test_columns_unknown_to_the_schema_are_kept(database: Database) -> None:
    database.open({"i": {"type": "integer"}, "x": {"type": "string"}}).report(
        "s1", {"i": 1, "x": "y"}
    )
    opened = database.open({"i": {"type": "integer"}})
    opened.report("s1", {"i": 2})
    opened.report("s1", {"x": 5})
    assert opened.results("s1") == {"i": 2, "x": 5}
    opened.report("s1", {"x": "z"})
    assert database.rows("select i, x from demo") == [(2, "z")]


@pytest.mark.parametrize(
    ("before", "after", "stands"),
    [
        ("integer", "string", "BIGINT"),
        ("string", "integer", "TEXT"),
        ("number", "integer", "DOUBLE PRECISION"),
        ("object", "string", "JSON"),
        ("boolean", "array", "BOOLEAN"),
    ],
)
def test_a_changed_type_is_refused(
    database: Database, before: str, after: str, stands: str
) -> None:
    values = {"integer": 1, "string": "a", "number": 0.5, "object": {"a": 1}, "boolean": True}
    database.open({"x": {"type": before}}).report("s1", {"x": values[before]})
    with pytest.raises(SchemaError) as caught:
        database.open({"x": {"type": after}})
    text = str(caught.value)
    assert f"declared {after}" in text
    assert stands in text
    assert "give the result another name" in text
    assert database.open({"x": {"type": before}}).results("s1") == {"x": values[before]}


def test_32_bits_become_64(postgres_database: Database) -> None:
    database = postgres_database
    database.execute("create table demo (record_identifier text unique, x integer, y jsonb)")
    database.execute("insert into demo values ('s1', 7, '{\"a\": 1}')")
    opened = database.open({"x": {"type": "integer"}, "y": {"type": "object"}})
    assert opened.results("s1") == {"x": 7, "y": {"a": 1}}
    opened.report("s1", {"x": 2**31 - 1})
    assert database.columns("demo")["x"] == "integer"
    opened.report("s1", {"x": 2**31})
    assert database.columns("demo")["x"] == "bigint"
    opened.report("s1", {"x": 2**63 - 1, "y": {"a": 2.5}})
    assert database.columns("demo")["y"] == "jsonb"
    opened.report_many({"s2": {"y": {"a": 1e22, "b": -0.0}}})
    assert database.columns("demo")["y"] == "json"
    assert str(opened.results("s2")["y"]) == "{'a': 1e+22, 'b': -0.0}"
    assert database.rows("select x from demo where record_identifier = 's1'") == [(2**63 - 1,)]


def test_values_that_a_column_cannot_hold(database: Database) -> None:
    """Without validation; with it they do not come this far (PS-SQL-007)."""
    opened = database.open(SCHEMA)
    for name, value in (("i", 1.0), ("i", "1"), ("n", 1), ("s", 1), ("b", 1), ("i", None)):
        with pytest.raises(InvalidValueError, match=f"result '{name}': its column is of type"):
            opened.report("s1", {name: value, "o": {}})
    assert opened.read("s1") is None


def test_an_index_for_those_who_ask(database: Database) -> None:
    opened = database.open(SCHEMA)
    opened.report("s1", {"s": "x" * 100_000})
    assert opened.results("s1") == {"s": "x" * 100_000}
    if database.dialect == "sqlite":
        found = database.rows(
            "select name from sqlite_master where type = 'index' and sql like '%\"s\"%'"
        )
    else:
        found = database.rows(
            "select indexname from pg_indexes"
            " where schemaname = current_schema() and indexdef like '%(s)%'"
        )
    assert len(found) == 1
    database.open(SCHEMA)


SEARCHED = ["pipestat_created_time", "pipestat_modified_time", "record_identifier", "status"]


def indexed(database: Database, table: str) -> list[str]:
    """Return the first columns of the indexes of a table that have one of their own names."""
    if database.dialect == "sqlite":
        found = database.rows(
            "select i.name from sqlite_master m, pragma_index_info(m.name) i"
            " where m.type = 'index' and m.tbl_name = ? and m.sql is not null and i.seqno = 0",
            (table,),
        )
    else:
        found = database.rows(
            "select a.attname from pg_index x join pg_attribute a"
            " on a.attrelid = x.indrelid and a.attnum = x.indkey[0]"
            " where x.indrelid = %s::regclass and not x.indisunique",
            (table,),
        )
    return sorted(name for (name,) in found)


def index_definitions(database: Database, table: str) -> list[str]:
    if database.dialect == "sqlite":
        found = database.rows(
            "select sql from sqlite_master where type = 'index' and tbl_name = ?"
            " and sql is not null",
            (table,),
        )
    else:
        found = database.rows(
            "select indexdef from pg_indexes"
            " where schemaname = current_schema() and tablename = %s",
            (table,),
        )
    return [text for (text,) in found]


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_new_tables_are_indexed_by_status_and_times(database: Database, layout: Layout) -> None:
    opened = database.open(layout=layout)
    opened.report("s1", {"n": 1})
    assert indexed(database, "demo" if layout == "records" else "demo__sample") == SEARCHED
    assert opened.backend.lacking_indexes() == []


def test_rows_with_times_of_other_programs_are_found_by_an_index(database: Database) -> None:
    """They are what a listing by time has to know, and nothing else is looked at for it."""
    opened = database.open(layout="levels")
    opened.report_many({name: {"n": 1} for name in ("a", "b", "c")})
    opened.report("b", {"n": 2})
    opened.set_status("c", "completed")
    (definition,) = [
        text for text in index_definitions(database, "demo__sample") if "coalesce" in text.lower()
    ]
    condition = definition.partition(" WHERE ")[2]
    found = f"select record_identifier from demo__sample where {condition} order by 1"
    assert database.rows(found) == []
    listed = [record.key.identifier for record in opened.backend.recent("sample").records]
    assert listed[0] == "b"
    for name, time in (("a", "2031-05-06 07:08:09.000000"), ("b", "2001-01-01 00:00:00")):
        database.execute(
            f"update demo__sample set pipestat_modified_time = '{time}'"
            f" where record_identifier = '{name}'"
        )
    assert database.rows(found) == [("a",), ("b",)]
    listed = [record.key.identifier for record in opened.backend.recent("sample").records]
    assert listed == ["a", "c", "b"]
    database.execute("update demo__sample set meta = null where record_identifier = 'c'")
    assert database.rows(found) == [("a",), ("b",), ("c",)]


def test_tables_that_exist_are_indexed_on_request(database: Database) -> None:
    assert database.open().backend.make_indexes() == []
    database.open().report("s1", {"n": 1})
    kept = indexed(database, "demo")
    for row in database.rows(
        "select name from sqlite_master where type = 'index' and sql is not null"
        if database.dialect == "sqlite"
        else "select indexname from pg_indexes where schemaname = current_schema()"
        " and indexdef not like '%UNIQUE%'"
    ):
        database.execute(f'drop index "{row[0]}"')
    opened = database.open()
    opened.report("s2", {"n": 1})
    assert [record.key.identifier for record in opened.backend.scan("sample")] == ["s1", "s2"]
    lacking = [f"demo.{name}" for name in ("status", *SEARCHED[:2], "meta")]
    assert opened.backend.lacking_indexes() == lacking
    assert indexed(database, "demo") == []
    assert opened.backend.make_indexes() == lacking
    assert indexed(database, "demo") == kept == SEARCHED
    assert opened.backend.make_indexes() == []


def test_another_program_adds_a_column_meanwhile(database: Database) -> None:
    opened = database.open(SCHEMA)
    opened.report("s1", {"i": 1})
    for _ in range(8):  # long enough for prepared statements
        opened.results("s1")
        opened.report("s1", {"i": len(opened.history("s1")) + 2})
    database.execute("alter table demo add column extra bigint")
    database.execute("update demo set extra = 9")
    assert opened.results("s1")["extra"] == 9
    opened.report("s1", {"i": 100})
    assert opened.results("s1") == {"i": 100, "extra": 9}
    assert [r.results["extra"] for r in opened.backend.scan("sample")] == [9]


def test_a_missing_schema_is_made(postgres_database: Database) -> None:
    database = postgres_database
    opened = database.open(options={"schema": 'New "place"'})
    assert opened.names() == []
    opened.report("s1", {"n": 1})
    rows = database.rows('select pipestat_extended_data from "New ""place""".demo')
    assert rows == [({"n": 1},)]
    database.execute('drop schema "New ""place""" cascade')


def test_tables_that_came_from_another_schema(postgres_database: Database) -> None:
    place = postgres_database.options["schema"]
    elsewhere = f"{place}_elsewhere"
    schema = {"n": {"type": "integer", "index": True}}
    moved = postgres_database.open(schema, options={"schema": elsewhere})
    moved.report("s1", {"n": 1})
    for table in ("demo", "demo__history"):
        postgres_database.execute(f'alter table "{elsewhere}"."{table}" set schema "{place}"')
    postgres_database.execute(f'drop schema "{elsewhere}"')
    opened = postgres_database.open(schema)
    assert opened.results("s1") == {"n": 1}
    opened.report("s1", {"n": 2})
    assert [entry.value for entry in opened.history("s1")] == [1]
    assert postgres_database.tables() == ["demo", "demo__history"]


def test_tables_that_differ_in_one_thing(make_database: MakeDatabase) -> None:
    # A process keeps what it has made of a table, for stores whose tables are alike.
    base = {"i": {"type": "integer"}, "s": {"type": "string"}}
    for schema, options in (
        (base, {}),
        (dict(reversed(base.items())), {}),
        ({**base, "i": {"type": "number"}}, {}),
        ({"i": base["i"]}, {}),
        (base, {"layout": "levels"}),
        (base, {"layout": "levels", "project_name": "other"}),
        (base, {}),
    ):
        database = make_database("sqlite")
        opened = database.open(schema, **options)
        number = 1.0 if schema["i"]["type"] == "number" else 1
        opened.report("s1", {"i": number, "s": "x"})
        opened.report("s1", {"s": "y"})
        stored = opened.results("s1")
        assert stored == {"i": 1, "s": "y"}
        assert type(stored["i"]) is type(number)
        assert [entry.value for entry in opened.history("s1")] == ["x"]
        table = "demo__sample" if "layout" in options else "demo"
        assert [name for name in database.columns(table) if name in base] == list(schema)
        if "project_name" in options:
            assert database.rows(f"select project_name from {table}") == [("other",)]
