"""Projects of one database: kept apart by the layout, or refused by name (PS-SQL-018)."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from pipestat_spec.errors import LayoutError, StoreNotFoundError
from tests.sql.conftest import MakeDatabase
from tests.sql.databases import Database


def of_project(database: Database, name: str | None, **more: Any) -> PipestatManager:
    return database.manager(**({} if name is None else {"project_name": name}), **more)


def test_a_configured_project_means_levels(database: Database) -> None:
    one, other = of_project(database, "A"), of_project(database, "B")
    one.report({"n": 1}, "s1")
    other.report({"n": 2}, "s1")
    assert (one.retrieve_one("s1", "n"), other.retrieve_one("s1", "n")) == (1, 2)
    assert one.list_projects() == other.list_projects() == ["A", "B"]
    assert "demo" not in database.tables()
    rows = database.rows("select record_identifier, project_name from demo__sample order by 2")
    assert rows == [("s1", "A"), ("s1", "B")]


def test_the_default_name_is_one_when_it_is_configured(database: Database) -> None:
    of_project(database, "project").report({"n": 1}, "s1")
    assert database.rows("select project_name from demo__sample") == [("project",)]


def test_without_a_project_and_by_order_it_is_records(database: Database) -> None:
    of_project(database, None).report({"n": 1}, "s1")
    of_project(database, "A", layout="records", pipeline_name="other").report({"n": 1}, "s1")
    assert database.tables() == ["demo", "demo__history", "other", "other__history"]


def project_of(database: Database, record: str) -> Any:
    [(meta,)] = database.rows(f"select meta from demo where record_identifier = '{record}'")
    return (json.loads(meta) if isinstance(meta, str) else meta).get("project")


def test_projects_in_one_table_of_records(database: Database) -> None:
    """What is there stays usable; a row that is one project's is no other's to change."""
    before = of_project(database, None)
    before.report({"n": 0}, "old")
    one, other = of_project(database, "A"), of_project(database, "B")
    one.report({"n": 1}, "old")
    one.report({"n": 1}, "s1")
    other.report({"n": 2}, "s2")
    other.report({"n": 1}, "s1")  # what stands there already
    for change in (
        lambda: other.report({"n": 2}, "s1", force_overwrite=True),
        lambda: other.report({"m": 2}, "s1"),
        lambda: other.set_status("failed", "s1"),
        lambda: other.remove("s1"),
        lambda: other.report_many({"s1": {"n": 2}, "s3": {"n": 3}}, force_overwrite=True),
    ):
        with pytest.raises(LayoutError, match=r"'s1'.*'A'.*convert"):
            change()
    assert one.retrieve_one("s1") == other.retrieve_one("s1")
    assert sorted(record["record_identifier"] for record in one.select_records()["records"]) == [
        "old",
        "s1",
        "s2",
    ]
    assert [project_of(database, name) for name in ("old", "s1", "s2")] == ["A", "A", "B"]
    before.report({"n": 5}, "s1", force_overwrite=True)
    assert project_of(database, "s1") == "A"


def test_records_of_projects_are_not_passed_over(database: Database, tmp_path: Path) -> None:
    """Who names no project is told which there are, and is not shown an empty store."""
    of_project(database, "A").report({"n": 1}, "s1")
    config = tmp_path / "pipestat.yaml"
    config.write_text(
        "".join(f"{key}: {json.dumps(value)}\n" for key, value in database.config().items())
    )
    backend = database.open().backend
    with pytest.raises(StoreNotFoundError, match=r"none is named.*'A'"):
        backend.exists()  # type: ignore[attr-defined]
    for arguments in (["select"], ["retrieve", "-r", "s1"], ["table"]):
        assert main([*arguments, "-c", str(config)]) == 1
    of_project(database, None).report({"n": 2}, "s2")
    assert main(["select", "-c", str(config)]) == 0


def test_the_command_line_says_how_to_mend_it(database: Database, tmp_path: Path) -> None:
    of_project(database, "A", layout="records").report({"n": 1}, "s1")
    database.close()
    config = tmp_path / "pipestat.json"
    config.write_text(json.dumps(database.config(project_name="B")))
    assert main(["report", "-c", str(config), "-r", "s1", "-o", "n:=2"]) == 1
    assert main(["report", "-c", str(config), "-r", "s2", "n:=2"]) == 0


def test_all_projects_are_copied_in_one_go(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for project in ("A", "B", None):
        for namespace in ("demo", "qc"):
            found = of_project(database, project, pipeline_name=namespace, layout="levels")
            found.report({"n": f"{namespace} of {project}"}, "s1")
            found.report({"n": f"{namespace} of {project}, later"}, "s1", force_overwrite=True)
    config = tmp_path / "pipestat.json"
    config.write_text(json.dumps({"backend": "sql", "sql": database.options}))
    target = str(tmp_path / "copy.db")
    assert main(["convert", str(config), target]) == 0
    assert capsys.readouterr().err == "6 records: 6 copied, 0 replaced, 0 there already\n"
    with sqlite3.connect(target) as copied:
        for namespace in ("demo", "qc"):
            rows = copied.execute(
                f"select project_name, record_identifier from {namespace}__sample order by 1"
            ).fetchall()
            assert rows == [("A", "s1"), ("B", "s1"), ("project", "s1")]
    copied.close()
    for project in ("A", "B"):
        with PipestatManager(
            results_file_path=target, pipeline_name="qc", project_name=project
        ) as found:
            assert found.list_projects() == ["A", "B", "project"]
            assert found.retrieve_one("s1", "n") == f"qc of {project}, later"
    assert main(["convert", str(config), target]) == 0
    assert "0 copied, 0 replaced, 6 there already" in capsys.readouterr().err


def test_many_projects_are_copied_with_few_open_files(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database, target = make_database("sqlite"), str(tmp_path / "copy.db")
    names = [f"project{number}" for number in range(60)]
    for name in names:
        with of_project(database, name) as found:
            found.report({"n": name}, "s1")
    database.close()
    config = tmp_path / "pipestat.json"
    config.write_text(json.dumps({"backend": "sql", "sql": database.options}))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 40, before[1]))
    try:
        assert main(["convert", "-q", str(config), target]) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    with PipestatManager(
        results_file_path=target, pipeline_name="demo", project_name="project7"
    ) as copied:
        assert copied.list_projects() == sorted(names)
        assert copied.retrieve_one("s1", "n") == "project7"


def test_projects_that_the_target_would_mix_are_refused(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for project in ("A", "B"):
        of_project(database, project).report({"n": 1}, "s1")
    config, copy = tmp_path / "pipestat.json", tmp_path / "copy.yaml"
    config.write_text(json.dumps(database.config()))
    assert main(["convert", str(config), str(copy)]) == 1
    assert capsys.readouterr().err == (
        "error: the source holds 2 projects, and the target can hold one: A, B; "
        "say which one with --project-name\n"
    )
    old = tmp_path / "old.db"
    with PipestatManager(results_file_path=str(old), pipeline_name="demo") as found:
        found.report({"n": 0}, "s9")
    assert main(["convert", str(config), str(old)]) == 1
    assert "2 projects" in capsys.readouterr().err
    assert not copy.exists()
    assert main(["convert", str(config), str(copy), "--project-name", "A"]) == 0
    assert "s1:" in copy.read_text()


def test_the_only_project_needs_no_name(database: Database, tmp_path: Path) -> None:
    of_project(database, "A").report({"n": 1}, "s1")
    config, copy = tmp_path / "pipestat.json", tmp_path / "copy.yaml"
    config.write_text(json.dumps(database.config()))
    assert main(["convert", str(config), str(copy)]) == 0
    assert "s1:" in copy.read_text()
    target = tmp_path / "copy.db"
    assert main(["convert", str(config), str(target)]) == 0
    with PipestatManager(results_file_path=str(target), pipeline_name="demo") as found:
        assert found.list_projects() == ["A"]
