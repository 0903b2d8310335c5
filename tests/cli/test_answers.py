"""What commands print as JSON is what the published JSON Schemas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipestat_spec.documents.json_schemas import FOLDER, file_name
from tests.cli.runs import Run
from tests.looper.projects import STORES, write_project

ANSWERS: list[tuple[str, list[str]]] = [
    ("record", ["retrieve", "-r", "s1"]),
    ("record", ["retrieve", "-r", "s1", "-i", "reads", "-i", "name"]),
    ("page", ["select"]),
    ("page", ["select", "--columns", "reads,status", "--limit", "1"]),
    ("page", ["select", "--where", "reads > 1", "-p", "project"]),
    ("distinct", ["select", "--distinct", "name,status"]),
    ("history", ["history", "-r", "s1"]),
    ("history", ["history", "-r", "s2"]),
    ("status", ["status", "get", "-r", "s1"]),
    ("status", ["status", "get", "-r", "nobody"]),
    ("statuses", ["status", "list"]),
    ("status_schema", ["status", "list", "--defined"]),
    ("inspection", ["inspect"]),
    ("store", ["inspect", "--data"]),
    ("problems", ["validate", "-p", "project"]),
    ("problems", ["validate"]),
    ("plugins", ["plugins"]),
    ("output_schema", ["infer-schema"]),
]


def fits(name: str, answer: object) -> None:
    schema = json.loads((FOLDER / file_name(name)).read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(answer)


@pytest.fixture
def filled(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "reads=1200", "name=x", "--status", "completed")
    run("report", "-r", "s1", "-o", "reads=1300", "name=y")
    run("report", "-r", "s2", 'align={"rate": 0.9}', "extra:=[1]", "--status", "failed", "-m", "no")
    run("report", "-p", "project", "total=3")
    # Written by another program: no integer.
    store.write_text(store.read_text(encoding="utf-8").replace("1300", "twelve"), encoding="utf-8")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("name", "arguments"), ANSWERS, ids=lambda value: str(value))
def test_answers_fit_their_schemas(run: Run, name: str, arguments: list[str]) -> None:
    done = run(*arguments, "--format", "json", code=1 if arguments == ["validate"] else 0)
    fits(name, json.loads(done.out))


def test_what_looper_is_told_fits(run: Run, folder: Path) -> None:
    write_project(folder, STORES["file"])
    answer: Any = json.loads(run("looper-config", "-q", "--format", "json").out)
    assert len(answer) == 1
    fits("looper_configs", answer)
