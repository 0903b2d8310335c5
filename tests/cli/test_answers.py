"""What commands print as JSON is what the published JSON Schemas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipestat_spec.cli.dispatch import COMMANDS, build_parser
from pipestat_spec.documents.json_schemas import FOLDER, file_name
from tests.cli.runs import Run
from tests.looper.projects import STORES, write_project

ANSWERS: list[tuple[str, list[str]]] = [
    ("record", ["retrieve", "-r", "s1"]),
    ("record", ["retrieve", "-r", "s1", "-i", "reads", "-i", "name"]),
    ("records", ["retrieve", "-r", "s1", "-r", "s2"]),
    ("records", ["retrieve", "-r", "s1", "-r", "s2", "-i", "reads"]),
    ("page", ["select"]),
    ("page", ["select", "--columns", "reads,status", "--limit", "1"]),
    ("page", ["select", "--where", "reads > 1", "-p", "project"]),
    ("distinct", ["select", "--distinct", "name,status"]),
    ("history", ["history", "-r", "s1"]),
    ("history", ["history", "-r", "s2"]),
    ("status", ["status", "get", "-r", "s1"]),
    ("status", ["status", "get", "-r", "nobody"]),
    ("statuses", ["status", "list"]),
    ("defined_statuses", ["status", "list", "--defined"]),
    ("inspection", ["inspect"]),
    ("store", ["inspect", "--data"]),
    ("problems", ["validate", "-p", "project"]),
    ("problems", ["validate"]),
    ("plugins", ["plugins"]),
    ("findings", ["doctor"]),
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


ONE = ("record", "status", "inspection", "store", "output_schema")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "arguments", [a for name, a in ANSWERS if name not in ONE], ids=lambda value: " ".join(value)
)
def test_every_list_has_one_shape(run: Run, arguments: list[str]) -> None:
    answer = json.loads(run(*arguments, "--format", "json", code=None).out)
    assert set(answer) - {"page_size", "next_page_token"} == {"total_size", "records"}
    assert len(answer["records"]) == answer["total_size"] or "--limit" in arguments
    assert all(isinstance(entry, dict) for entry in answer["records"])


def test_the_answer_of_every_command_is_known() -> None:
    """Whoever adds a command that prints JSON publishes its shape."""
    printing = {
        name for name in COMMANDS if "json" in (build_parser(name).get_default("formats") or ())
    }
    apart = ["looper-config ", "diff ", "qc "]
    tried = [" ".join(arguments) + " " for _, arguments in ANSWERS] + apart
    assert {name for name in printing if not any(t.startswith(f"{name} ") for t in tried)} == set()


def test_what_looper_is_told_fits(run: Run, folder: Path) -> None:
    write_project(folder, STORES["file"])
    answer: Any = json.loads(run("looper-config", "-q", "--format", "json").out)
    assert (answer["total_size"], len(answer["records"])) == (1, 1)
    fits("looper_configs", answer)


def test_what_qc_and_verdicts_print_fits(run: Run, folder: Path, store: Path) -> None:
    schema = 'pipeline_name: p\nsamples: {n: {type: integer, qc: {fail: "value < 5"}}}\n'
    (folder / "schema.yaml").write_text(schema)
    run("report", "-r", "s1", "n=1", "--status", "completed")
    assert store.exists()
    fits("judgements", json.loads(run("qc", "s1", "s2", "--format", "json", code=3).out))
    fits("statuses", json.loads(run("status", "list", "--format", "json").out))
    fits("page", json.loads(run("select", "--format", "json").out))
