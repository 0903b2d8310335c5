"""Databases of pipestat 0.13.1: read and updated in place, and read by it afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.environments import MissingPart, PythonEnvironment, reference_environment
from tests.legs import leave_out
from tests.sql.databases import Database
from tests.sql.servers import PostgresServer

SCHEMA = {
    "title": "t",
    "type": "object",
    "properties": {
        "pipeline_name": "demo",
        "project": {
            "type": "object",
            "properties": {"total": {"type": "integer", "description": "d"}},
        },
        "samples": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "reads": {"type": "integer", "description": "d"},
                    "rate": {"type": "number", "description": "d"},
                    "name": {"type": "string", "description": "d", "index": True},
                    "good": {"type": "boolean", "description": "d"},
                    "info": {"type": "object", "description": "d"},
                    "plot": {"type": "image", "description": "d"},
                },
            },
        },
    },
}

OPEN = """
import json, sys, pipestat
config = json.loads(sys.argv[1])
def manager(level="sample"):
    return pipestat.PipestatManager.from_config(config=config, pipeline_type=level)
psm = manager()
"""
MAKE = (
    OPEN
    + """
psm.report(record_identifier="s1", values={"reads": 1, "rate": 0.5, "name": "a", "good": True,
                                           "info": {"x": [1, 2.5, None]}})
psm.report(record_identifier="s1", values={"reads": 2}, force_overwrite=True)
psm.report(record_identifier="s1", values={"reads": 3, "name": "b"}, force_overwrite=True)
psm.report(record_identifier="s2", values={"reads": 7})
psm.set_status("running", "s1")
manager("project").report(record_identifier="cohort", values={"total": 9})
"""
)
READ = (
    OPEN
    + """
one = psm.retrieve_one("s1")
print(json.dumps({"s1": {k: one[k] for k in ("reads", "rate", "name", "good", "info")},
                  "status": psm.get_status("s1"),
                  "names": sorted(r["record_identifier"] for r in psm.select_records()["records"]),
                  "total": manager("project").retrieve_one("cohort")["total"]}))
"""
)


@pytest.fixture(scope="module")
def pipestat() -> PythonEnvironment:
    try:
        return reference_environment()
    except MissingPart as missing:
        leave_out("reference", str(missing), "connect to a package index for 'pip install'")


@pytest.fixture
def place(postgres: PostgresServer, tmp_path: Path) -> Database:
    """A database of its own: pipestat knows no schemas."""
    name = postgres.new_database()
    options = {"url": postgres.url(name)}
    return Database("postgresql", options, tmp_path, postgres, database=name)


def without_images(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without the image: pipestat binds one as text, which JSON refuses."""
    copied: dict[str, Any] = json.loads(json.dumps(schema))
    del copied["properties"]["samples"]["items"]["properties"]["plot"]
    return copied


@pytest.fixture(params=[SCHEMA], ids=["array form"])
def config(
    request: pytest.FixtureRequest, place: Database, postgres: PostgresServer, tmp_path: Path
) -> str:
    path = tmp_path / "schema.yaml"
    path.write_text(yaml.safe_dump(request.param))
    database = {
        "dialect": "postgresql", "driver": "psycopg", "name": place.database, "user": "postgres",
        "password": "x", "host": "127.0.0.1", "port": postgres.port,
    }  # fmt: skip
    return json.dumps({"schema_path": str(path), "project_name": "cohort", "database": database})


@pytest.mark.reference
def test_read_update_in_place_and_read_back(
    pipestat: PythonEnvironment, place: Database, config: str, tmp_path: Path
) -> None:
    pipestat.script(MAKE, config, cwd=tmp_path)
    before = place.columns("demo__sample")
    tables = place.tables()
    opened = place.open(SCHEMA, project_name="cohort")
    assert place.tables() == tables
    assert opened.results("s1") == {
        "reads": 3, "rate": 0.5, "name": "b", "good": True, "info": {"x": [1, 2.5, None]}
    }  # fmt: skip
    record = opened.read("s1")
    assert record is not None
    assert record.status == "running"
    assert record.modified is not None
    assert abs(datetime.now(UTC) - record.modified) < timedelta(minutes=5)
    assert opened.results("cohort", "project") == {"total": 9}
    history = [(entry.result, entry.value) for entry in opened.history("s1")]
    assert sorted(history) == [("name", "a"), ("reads", 1), ("reads", 2)]
    times = {e.value: e.time for e in opened.history("s1")}
    # Setting a status is a change of its own there.
    assert record.modified > times[2] == times["a"] > times[1]

    # A report that changes nothing writes nothing.
    row = place.rows("select * from demo__sample order by id")
    opened.report("s1", {"reads": 3})
    assert place.rows("select * from demo__sample order by id") == row

    opened.report("s1", {"reads": 2**31, "info": {"x": 1e22}, "plot": {"path": "p", "title": "t"}})
    opened.report("s3", {"reads": 1, "extra": 5})
    opened.set_status("s1", "completed")
    opened.report("cohort", {"total": 10}, "project")
    after = place.columns("demo__sample")
    assert (before["reads"], after["reads"]) == ("integer", "bigint")
    assert (before["info"], after["info"]) == ("jsonb", "json")
    assert {n: t for n, t in after.items() if n not in ("reads", "info", "meta")} == {
        n: t for n, t in before.items() if n not in ("reads", "info")
    } | {n: t for n, t in after.items() if n not in before and n != "meta"}
    assert sorted((e.result, str(e.value)) for e in opened.history("s1")) == [
        ("info", "{'x': [1, 2.5, None]}"), ("name", "a"), ("reads", "1"), ("reads", "2"),
        ("reads", "3"),
    ]  # fmt: skip
    # What stood in pipestat's copies is settled: the times stay what they were.
    assert {e.value: e.time for e in opened.history("s1") if e.value in (1, 2, "a")} == times

    said: Any = pipestat.script(READ, config, cwd=tmp_path)
    assert said == {
        "s1": {"reads": 2**31, "rate": 0.5, "name": "b", "good": True, "info": {"x": 1e22}},
        "status": "completed",
        "names": ["s1", "s2", "s3"],
        "total": 10,
    }
    place.close()


@pytest.mark.reference
@pytest.mark.parametrize("config", [without_images(SCHEMA)], indirect=True, ids=["no image"])
def test_turn_by_turn(
    pipestat: PythonEnvironment, place: Database, config: str, tmp_path: Path
) -> None:
    opened = place.open(without_images(SCHEMA), project_name="cohort")
    opened.report("s1", {"reads": 1, "rate": 0.5, "name": "a", "good": False, "info": {"x": 1}})
    opened.report("cohort", {"total": 1}, "project")
    report = OPEN + 'psm.report(record_identifier="s1", values={"reads": %d}, force_overwrite=True)'
    for number in (2, 4):
        pipestat.script(report % number, config, cwd=tmp_path)
        assert opened.results("s1")["reads"] == number
        opened.report("s1", {"reads": number + 1})
    entries = opened.history("s1")
    assert [entry.value for entry in entries] == [1, 2, 3, 4]
    assert [entry.time for entry in entries] == sorted({entry.time for entry in entries})
    record = opened.read("s1")
    assert record is not None
    assert record.modified is not None
    assert abs(datetime.now(UTC) - record.modified) < timedelta(minutes=5)
    said: Any = pipestat.script(READ, config, cwd=tmp_path)
    assert said["s1"]["reads"] == 5
    remove = OPEN + 'psm.remove_record(record_identifier="s1", rm_record=True)'
    pipestat.script(remove, config, cwd=tmp_path)
    assert opened.read("s1") is None
    assert place.rows("select count(*) from demo__sample_history") == [(0,)]
    place.close()


@pytest.mark.reference
def test_local_times_of_another_zone(
    pipestat: PythonEnvironment,
    place: Database,
    config: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import time

    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    try:
        script = OPEN + 'psm.report(record_identifier="s1", values={"reads": 1})'
        pipestat.script(script, config, cwd=tmp_path)
        record = place.open(SCHEMA, project_name="cohort").read("s1")
        assert record is not None
        assert record.created is not None
        assert abs(datetime.now(UTC) - record.created) < timedelta(minutes=5)
    finally:
        monkeypatch.undo()
        time.tzset()
        place.close()
