"""Tables before and after: raw SQL makes and reads them, and what differs is told."""

from __future__ import annotations

import shlex
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conformance_selfcheck.mutants.sql_target import NAME, SqliteTarget
from pipestat_conformance.actions import main
from pipestat_conformance.assessment import profile_outcomes
from pipestat_conformance.catalogue import load_catalogue
from pipestat_conformance.contents import export_vectors
from pipestat_conformance.drivers import HarnessError
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.interchange.databases import TYPES, dialect_of, open_database
from pipestat_conformance.interchange.tables import NO_DATABASE
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import run
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.vectors import Vector, VectorError, load_vectors, parse_vectors
from pipestat_conformance.verdicts import Conclusion, Verdict

from tests import patience
from tests.conformance.conftest import vector

STORES = template(default_store("sql"))
PROGRAM = [sys.executable, "-m", "conformance_selfcheck.serve", "--backend", NAME]
COLUMNS = {"id": "key", "record_identifier": "text", "n": "bigint", "m": "json", "b": "boolean"}
SCHEMA = {
    "pipeline_name": "ns",
    "samples": {
        "n": {"type": "integer"},
        "m": {"type": ["integer", "null"]},
        "b": {"type": "boolean"},
    },
}
GOLDEN: dict[str, Any] = {
    "id": "sample.tables",
    "requirements": ["PS-SQL-006"],
    "schema": SCHEMA,
    "tables": {
        "ns": {
            "columns": COLUMNS,
            "unique": [["record_identifier"]],
            "rows": [{"record_identifier": "s1", "n": 1, "m": {"$json": None}, "b": True}],
        },
        "other": {"columns": {"id": "key"}},
    },
    "steps": [
        {
            "op": "retrieve",
            "args": {"record": "s1"},
            "expect": {"result": {"n": 1, "m": None, "b": True}},
        },
        {"op": "report", "args": {"record": "s2", "values": {"n": 2, "b": False}}},
    ],
    "after": {
        "tables": {
            "ns": {
                "columns": {"n": "bigint", "meta": "json", "x": None},
                "unique": [["record_identifier"]],
                "rows": [
                    {"record_identifier": "s2", "n": 2, "m": None, "b": False},
                    {"record_identifier": "s1", "n": 1, "m": {"$json": None}, "b": True},
                ],
            },
            "ns__sample": {"$absent": True},
        },
        "only_tables": ["ns", "ns__history", "other"],
    },
}


def changed(**changes: Any) -> Vector:
    return vector({**GOLDEN, **changes})


@pytest.fixture
def executor(tmp_path: Path) -> Executor:
    store = {"url": f"sqlite:///{tmp_path}/probe.db"}
    return Executor(InProcessDriver(SqliteTarget(), store), STORES, tmp_path)


def failure(executor: Executor, tried: Vector) -> str:
    result = executor.run(tried)
    assert result.verdict is Verdict.FAIL, result
    assert result.problem is not None
    return result.problem.message


def test_the_independent_store_conforms_through_both_drivers(tmp_path: Path) -> None:
    drivers = [
        InProcessDriver(SqliteTarget(), {}),
        SubprocessDriver(PROGRAM, timeout=patience.SECONDS),
    ]
    ours = [one for one in load_vectors() if one.profile == "sql-layout"]
    # A program is started anew for each of them.
    for driver, vectors in zip(drivers, (ours, ours[::20]), strict=True):
        options = RunOptions(driver, STORES, profiles=["sql-layout"], quick=True, vectors=vectors)
        done = run(options)
        wrong = [result for result in done.results if result.verdict is Verdict.FAIL]
        assert wrong == []
        assert profile_outcomes(done, load_catalogue())["sql-layout"] is Conclusion.CONFORMANT
        skipped = [r for r in done.results if r.verdict is Verdict.DISABLED]
        disabled = {result.id for result in skipped if result.kind == "vector"}
        about_postgresql = {one.id for one in vectors if one.dialects == ("postgresql",)}
        assert disabled == about_postgresql


def test_each_rule_is_judged_without_postgresql() -> None:
    judged = {id for one in load_vectors() if not one.dialects for id in one.requirements}
    rules = load_catalogue().values()
    ids = {rule.id for rule in rules if "sql-layout" in rule.profiles}
    untried = {rule.id for rule in rules if rule.testability != "deterministic"}
    assert ids - untried <= judged


def test_tables_are_made_and_compared(executor: Executor) -> None:
    result = executor.run(vector(GOLDEN))
    assert result.verdict is Verdict.PASS, result.problem
    assert vector(GOLDEN).profile == "sql-layout"


ROW = {"record_identifier": "s1", "n": 1}


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"columns": {"n": "double"}}, "'n' is bigint, not double"),
        ({"columns": {"x": "text"}}, "there is no column 'x'"),
        ({"columns": {"n": None}}, "'n' was to be absent"),
        ({"unique": [["n"]]}, "['n'] is not unique"),
        ({"not_null": ["n"]}, "'n' may be null"),
        ({"rows": []}, "has 2 rows, not 0"),
        ({"rows": [ROW, ROW]}, "expected row 2: record_identifier: expected 's1', got 's2'"),
        ({"rows": [{"n": 1.0}, {"n": 2}]}, "expected row 1: n: expected number 1.0"),
        ({"rows": [{**ROW, "m": None}, {"n": 2}]}, "expected null None, got object"),
        ({"rows": [{**ROW, "m": {"$json": 0}}, {"n": 2}]}, "expected integer 0, got null"),
        ({"rows": [ROW, {"n": 2, "m": {"$json": None}}]}, "m: expected JSON text, got None"),
        ({"rows": [{**ROW, "b": 1}, {"n": 2}]}, "expected integer 1, got boolean True"),
        ({"rows": [ROW, {"n": 2, "b": {"$utc": {"$any": True}}}]}, "b: expected a time as YYYY"),
        ({"rows": [{**ROW, "y": None}, {"n": 2}]}, "there is no column 'y'"),
        ({"$absent": True}, "the table 'ns' was to be absent"),
    ],
)
def test_a_table_that_is_other_than_it_has_to_be(
    executor: Executor, expected: Any, said: str
) -> None:
    assert said in failure(executor, changed(after={"tables": {"ns": expected}}))


def test_tables_that_are_missing_or_left(executor: Executor) -> None:
    missing = {"tables": {"nowhere": {"rows": []}}}
    assert "'nowhere' is missing" in failure(executor, changed(after=missing))
    assert "'other' was left" in failure(executor, changed(after={"only_tables": ["ns*"]}))


def test_another_program_may_change_tables_in_between(executor: Executor) -> None:
    records = {"op": "records", "expect": {"result": ["s1", "s2"]}}
    steps = [
        {"op": "insert_rows", "args": {"table": "ns", "rows": [{"record_identifier": "s2"}]}},
        records,
        {
            "op": "update_rows",
            "args": {"table": "ns", "where": {"record_identifier": "s2"}, "set": {"n": 9}},
        },
        {"op": "value", "args": {"record": "s2", "result": "n"}, "expect": {"result": 9}},
        {"op": "add_column", "args": {"table": "ns", "column": "late", "type": "double"}},
        {"op": "make_table", "args": {"table": "new", "columns": {"v": "json"}}},
        {"op": "insert_rows", "args": {"table": "new", "rows": [{"v": {"$json": [1.0]}}]}},
        records,
    ]
    rows = [{"record_identifier": "s1", "late": None}, {"n": 9, "late": None}]
    expected = {
        "ns": {"columns": {"late": "double"}, "rows": rows},
        "new": {"rows": [{"v": {"$json": [1.0]}}]},
    }
    result = executor.run(changed(steps=steps, after={"tables": expected}))
    assert result.verdict is Verdict.PASS, result.problem


def test_a_column_that_spoils_json_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a JSON, b JSON TEXT)")
        connection.execute("INSERT INTO t VALUES ('1.0', '1.0')")
    connection.close()
    database = open_database({"url": f"sqlite:///{path}"})
    assert database.read("t").rows == [{"a": 1, "b": {"$json": 1.0}}]
    database.close()


def test_every_logical_type_is_found_again(tmp_path: Path) -> None:
    database = open_database({"url": f"sqlite:///{tmp_path}/r.db"})
    database.make("a \"b'%s", {f"{type} ?": type for type in TYPES}, [])
    found = database.read("a \"b'%s").types
    assert all(type in found[f"{type} ?"] for type in TYPES)
    database.close()


# Stores that are no database, or another one


@pytest.mark.parametrize(
    ("store", "dialect"),
    [
        ({"url": "sqlite:////tmp/r.db"}, "sqlite"),
        ({"url": "postgresql+psycopg://u:p@h/d"}, "postgresql"),
        ({"url": "postgres://h/d"}, "postgresql"),
        ({"url": "mysql://h/d"}, None),
        ({"path": "/tmp/results.yaml"}, None),
    ],
)
def test_dialects(store: Mapping[str, Any], dialect: str | None) -> None:
    assert dialect_of(store) == dialect


def test_a_vector_about_another_database_is_not_run(executor: Executor) -> None:
    result = executor.run(changed(dialects=["postgresql"]))
    assert (result.verdict, result.note) == (
        Verdict.DISABLED,
        "it is about postgresql, and the store is sqlite",
    )


def test_reading_postgresql_without_its_driver_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(HarnessError, match="needs psycopg"):
        open_database({"url": "postgresql://nobody@localhost/none"})


def test_a_claim_without_a_database_is_no_conformance(tmp_path: Path) -> None:
    target = SqliteTarget()
    driver = InProcessDriver(target, {})
    ours = [one for one in load_vectors() if one.profile == "sql-layout"][:20]
    stores = template({"path": "{tmp}/results.yaml"})
    done = run(RunOptions(driver, stores, profiles=["sql-layout"], vectors=ours))
    notes = {result.note for result in done.results if result.profile == "sql-layout"}
    assert notes == {NO_DATABASE}
    assert profile_outcomes(done, load_catalogue())["sql-layout"] is Conclusion.ERROR


def test_the_trial_of_a_new_database_passes(tmp_path: Path) -> None:
    options = RunOptions(
        SubprocessDriver(PROGRAM, timeout=patience.SECONDS),
        STORES,
        select=["trial.sql.new-database"],
        vectors=(),
    )
    (result,) = run(options).results
    assert result.verdict is Verdict.PASS, result.problem
    assert result.note == "8 programs at once on 4 new tables"


def test_the_store_that_a_target_gets_when_none_is_given() -> None:
    database, file = {"url": "sqlite:///{tmp}/results.db"}, {"path": "{tmp}/results.yaml"}
    assert default_store("sql") == database
    assert default_store("yaml") == default_store() == file
    assert default_store(profiles=("core", "sql-layout")) == database
    assert default_store(profiles=("core", "sql-layout", "yaml-layout")) == file


# Vectors that are wrong


def broken(part: str, value: Any) -> dict[str, Any]:
    return {**GOLDEN, part: value}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (broken("dialects", ["oracle"]), "dialects/0: 'oracle'"),
        (broken("dialects", []), "dialects: "),
        (broken("tables", {"t": {"rows": []}}), "tables/t: 'columns'"),
        (broken("tables", {"t": {"columns": {"a": "int"}}}), "tables/t/columns/a: 'int'"),
        (broken("tables", {"t": {"columns": {}}}), "tables/t/columns: "),
        (
            broken("tables", {"t": {"columns": {"a": "text"}, "rows": [{"b": 1}]}}),
            "tables/t: there is no column 'b'",
        ),
        (
            broken("tables", {"t": {"columns": {"a": "text"}, "unique": [["c"]]}}),
            "tables/t: there is no column 'c'",
        ),
        (broken("after", {"tables": {"t": {"cells": []}}}), "after/tables/t: "),
        (broken("after", {"tables": {"t": {}}}), "after/tables/t: "),
        (broken("after", {"tables": {"t": {"columns": {"a": "int"}}}}), "after/tables/t/columns/a"),
        (broken("steps", [{"op": "insert_rows", "args": {"table": "t"}}]), "'rows'"),
        (broken("steps", [{"op": "insert_rows"}]), "'args'"),
        (
            broken("steps", [{"op": "add_column", "args": {"table": "t", "column": "c"}}]),
            "'type'",
        ),
        (
            broken("steps", [{"op": "update_rows", "args": {"table": "t", "set": {"a": 1}}}]),
            "'where'",
        ),
        (broken("files", {"results.yaml": ""}), "about files as well as about tables"),
        (broken("after", {"only": ["x"]}), "about files as well as about tables"),
        (
            broken("steps", [{"op": "remove_file", "args": {"name": "x"}}]),
            "about files as well as about tables",
        ),
    ],
)
def test_a_wrong_vector_is_named(document: Any, said: str) -> None:
    with pytest.raises(VectorError) as error:
        parse_vectors(document, "file.json")
    assert str(error.value).startswith("file.json: sample.tables: ")
    assert said in str(error.value)


def test_they_are_exported(tmp_path: Path) -> None:
    export_vectors(tmp_path)
    found = [
        one
        for path in sorted((tmp_path / "vectors" / "interchange").glob("sql_*.json"))
        for one in parse_vectors(_read(path), path.name)
    ]
    assert len(found) >= 100
    assert {one.profile for one in found} == {"sql-layout"}
    assert "make_table" in (tmp_path / "protocol" / "vector.schema.json").read_text()


def _read(path: Path) -> Any:
    from pipestat_conformance.special_values import parse_json

    return parse_json(path.read_text(encoding="utf-8"))


def test_a_harness_gets_the_store_that_it_claims(capsys: pytest.CaptureFixture[str]) -> None:
    command = shlex.join(PROGRAM)
    assert main(["check-harness", "--exec", command], "conformance") == 0
    selected = ["--profile", "sql-layout", "--vector", "interchange.sql.null.stored"]
    assert main(["run", "--exec", command, *selected], "conformance") == 0
    assert "(1 pass)" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["in process", "program"])
def test_a_pytest_suite_of_such_a_store(tmp_path: Path, kind: str) -> None:
    from tests.conformance.test_suite import pytest_run

    made: Callable[[], str] = {
        "in process": lambda: "suite('sql', profiles=['sql-layout'])",
        "program": lambda: f"suite(command={PROGRAM!r}, profiles=['sql-layout'])",
    }[kind]
    text = f"from pipestat_conformance import suite\n\nTestTables = {made()}\n"
    done, verdicts = pytest_run(tmp_path, text, "-k", "sql.null or sql.pipestat.read")
    assert done.returncode == 0, done.stdout
    assert verdicts["TestTables.test_vector[interchange.sql.null.stored]"] == "passed"
    assert verdicts["TestTables.test_vector[interchange.sql.pipestat.read]"] == "skipped"
