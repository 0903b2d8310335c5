"""The example with its results in PostgreSQL: looper on pipestat, and through the drop-in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.environments import PythonEnvironment, clean_environment
from tests.forking import running
from tests.looper.example_runs import (
    Example,
    copy_example,
    fetch_reads,
    mend_reads,
    write_program,
)
from tests.looper.example_values import SAMPLES, expected_count
from tests.sql.servers import PostgresServer, wheel_programs

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Walk:
    """What `looper check` said and what the tables held, by step."""

    checked: dict[str, dict[str, str]]
    rows: dict[str, Rows]


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    server = PostgresServer(wheel_programs(), "--no-locale")
    yield server
    server.stop()


def configure(example: Example, server: PostgresServer) -> str:
    """Let the first pipeline alone store in a new database; return its name."""
    path = example.folder / ".looper.yaml"
    looper = yaml.safe_load(path.read_text("utf-8"))
    name = server.new_database()
    looper["pipeline_interfaces"] = looper["pipeline_interfaces"][:1]
    looper["pipestat"] = {
        "project_name": "tissue-panel",
        "database": {
            "dialect": "postgresql",
            "driver": "psycopg",
            "name": name,
            "user": "postgres",
            "password": "unused",
            "host": "127.0.0.1",
            "port": server.port,
        },
    }
    path.write_text(yaml.safe_dump(looper))
    return name


def walk(example: Example, server: PostgresServer) -> Walk:
    """Run, mend, rerun, destroy."""
    name = configure(example, server)
    checked: dict[str, dict[str, str]] = {}
    rows: dict[str, Rows] = {}

    def look(step: str) -> None:
        checked[step] = example.statuses().get("count_reads", {})
        with server.connect(name) as connection:
            found = connection.execute(
                "SELECT record_identifier, project_name, status, reads, md5 "
                "FROM count_reads__sample ORDER BY record_identifier"
            )
            rows[step] = found.fetchall()

    fetch_reads(example)
    example.looper("run")
    look("run")
    mend_reads(example)
    example.looper("rerun")
    look("rerun")
    example.looper("destroy", "--force-yes")
    look("destroy")
    return Walk(checked, rows)


@pytest.fixture
def walks(server: PostgresServer, looper: PythonEnvironment, tmp_path: Path) -> dict[str, Walk]:
    names = ["pipestat", "drop-in"]
    examples = [copy_example(tmp_path / name, looper, name == "drop-in") for name in names]
    # Of each start of the pipelines' command nearly all is its imports.
    program = looper.command("pipestat-spec")
    settings: Any = {"python": looper.python, "environment": clean_environment()}
    with running(str(program), [], **settings) as fork, ThreadPoolExecutor() as threads:
        for example in examples:
            write_program(example.programs / program.name, f'exec {shlex.join(fork)} "$@"')
        done = threads.map(walk, examples, [server] * len(examples))
    return dict(zip(names, done, strict=True))


def expected_rows(**statuses: str) -> Rows:
    """Return the rows of samples that are `completed`, or have no results and another status."""
    rows: Rows = []
    for sample in SAMPLES:
        status = statuses.get(sample, "completed")
        counted = expected_count(sample) if status == "completed" else {"reads": None, "md5": None}
        rows.append((sample, "tissue-panel", status, counted["reads"], counted["md5"]))
    return rows


# One test, since each process would walk for itself.
def test_records_and_statuses_are_in_the_tables(walks: dict[str, Walk]) -> None:
    for done in walks.values():
        assert done.rows == {
            "run": expected_rows(liver_2="failed"),
            "rerun": expected_rows(),
            "destroy": [],
        }
        assert done.checked["run"] == {
            "brain_1": "completed",
            "liver_1": "completed",
            "liver_2": "failed",
        }
        assert done.checked["rerun"] == dict.fromkeys(SAMPLES, "completed")
        assert done.checked["destroy"] == dict.fromkeys(SAMPLES, "unknown")
    assert walks["pipestat"] == walks["drop-in"]
