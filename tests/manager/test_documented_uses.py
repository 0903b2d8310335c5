"""What pipestat's documentation shows: with one import changed, and through the drop-in."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import pipestat_spec
from pipestat_spec import cli
from pipestat_spec.compat import command
from pipestat_spec.compat import manager as drop_in
from pipestat_spec.errors import RecordNotFoundError, SchemaValidationErrorDuringReport
from pipestat_spec.infer import infer_schema

FILE = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "title": {"type": "string"}},
    "required": ["path", "title"],
}
SAMPLES = {
    "count": {"type": "integer", "description": "Number of things"},
    "name": {"type": "string", "description": "Name of the thing"},
    "ratio": {"type": "number", "description": "A ratio"},
    "plot": {**FILE, "object_type": "image", "description": "A plot"},
    "table": {**FILE, "object_type": "file", "description": "A table"},
}
PROJECT = {"total": {"type": "integer", "description": "Sum of counts"}}


@pytest.fixture(params=[pipestat_spec, drop_in], ids=["native", "drop-in"])
def package(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.yaml"
    path.write_text(yaml.dump({"pipeline_name": "demo", "samples": SAMPLES, "project": PROJECT}))
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A file that is there and empty, as `tempfile` makes them."""
    path = tmp_path / "results.yaml"
    path.touch()
    return path


@pytest.fixture
def psm(package: ModuleType, schema: Path, results: Path) -> Any:
    return package.PipestatManager.from_file_backend(str(results), schema_path=str(schema))


def test_report_a_number_and_look_at_the_file(psm: Any, results: Path) -> None:
    psm.report(record_identifier="sample1", values={"count": 42})
    stored = yaml.safe_load(results.read_text())["demo"]["sample"]["sample1"]
    assert stored["count"] == 42
    assert stored["meta"]["pipestat_created_time"]


def test_report_images_and_files(psm: Any) -> None:
    plot, table = {"path": "qc.png", "title": "QC"}, {"path": "data.csv", "title": "Data"}
    psm.report(record_identifier="sample1", values={"plot": plot})
    psm.report(record_identifier="sample1", values={"table": table})
    found = psm.retrieve_one(record_identifier="sample1")
    assert (found["plot"], found["table"]) == (plot, table)


def test_retrieve(psm: Any) -> None:
    psm.report(record_identifier="s", values={"count": 42, "name": "foo", "ratio": 0.95})
    whole = {"count": 42, "name": "foo", "ratio": 0.95, "record_identifier": "s"}
    assert psm.retrieve_one(record_identifier="s") == whole
    assert psm.retrieve_one(record_identifier="s", result_identifier="count") == 42
    some = psm.retrieve_one(record_identifier="s", result_identifier=["count", "name"])
    assert (some["count"], some["name"]) == (42, "foo")
    assert psm["s"] == whole
    assert (len(psm), "s" in psm, list(psm)) == (1, True, ["s"])
    for unknown in (LookupError, RecordNotFoundError):
        with pytest.raises(unknown):
            psm.retrieve_one(record_identifier="t")


def test_search(psm: Any) -> None:
    for n, name in enumerate(["alpha", "beta", "gamma", "delta"], start=1):
        psm.report(record_identifier=f"s{n}", values={"count": n * 10, "name": name})
    assert psm.select_records()["total_size"] == 4

    def condition(operator: str, value: int) -> dict[str, Any]:
        return {"key": "count", "operator": operator, "value": value}

    found = psm.select_records(filter_conditions=[condition("ge", 20)])
    assert [record["count"] for record in found["records"]] == [20, 30, 40]
    columns = psm.select_records(columns=["count"])["records"]
    assert columns[0] == {"record_identifier": "s1", "count": 10}
    either = psm.select_records(
        filter_conditions=[condition("eq", 10), condition("eq", 40)], bool_operator="OR"
    )
    assert [record["name"] for record in either["records"]] == ["alpha", "delta"]
    assert psm.select_distinct(columns="name") == [("alpha",), ("beta",), ("delta",), ("gamma",)]
    window = psm.list_recent_results(start="2100-01-01 00:00:00", end="2000-01-01 00:00:00")
    assert window["total_size"] == 4
    assert psm.list_recent_results(time_column="created")["total_size"] == 4


def test_status(psm: Any) -> None:
    psm.report(record_identifier="s", values={"count": 1})
    for status in ("running", "completed"):
        psm.set_status(record_identifier="s", status_identifier=status)
        assert psm.get_status(record_identifier="s") == status
    psm.clear_status(record_identifier="s")
    assert psm.get_status(record_identifier="s") is None


def test_without_a_schema(package: ModuleType, results: Path) -> None:
    psm = package.PipestatManager(
        results_file_path=str(results), pipeline_name="adhoc", validate_results=False
    )
    psm.report(record_identifier="s", values={"rate": 0.95, "reads": 1_000_000, "label": "A"})
    psm.report(record_identifier="s", values={"plot": "plots/qc.png"})
    found = psm.retrieve_one(record_identifier="s")
    assert (found["rate"], found["reads"], found["label"]) == (0.95, 1_000_000, "A")
    wrapped = {"path": "plots/qc.png", "title": "plot"}
    # The table of docs/migrating.md has the difference.
    assert found["plot"] == (wrapped if package is drop_in else "plots/qc.png")
    assert infer_schema(str(results))["samples"]["reads"]["type"] == "integer"


def test_a_project(package: ModuleType, schema: Path, results: Path) -> None:
    psm = package.PipestatManager.from_file_backend(
        str(results), schema_path=str(schema), pipeline_type="project", project_name="mine"
    )
    psm.report(values={"total": 5})
    assert psm.retrieve_one() == {"total": 5, "record_identifier": "mine"}


def test_both_levels(package: ModuleType, schema: Path, results: Path) -> None:
    settings = {"schema_path": str(schema), "results_file_path": str(results)}
    dual = package.PipestatDualManager(**settings, project_name="mine")
    dual.sample.report(record_identifier="s1", values={"count": 1})
    dual.project.report(values={"total": 1})
    psm = package.PipestatManager.from_file_backend(**settings, project_name="mine")
    psm.report(record_identifier="s2", values={"count": 2}, level="sample")
    psm.report(values={"total": 3}, level="project")
    assert dual.sample.retrieve_one(record_identifier="s2")["count"] == 2
    assert dual.project.retrieve_one()["total"] == 3


def test_summaries(psm: Any, tmp_path: Path) -> None:
    for n in range(1, 6):
        psm.report(record_identifier=f"s{n}", values={"ratio": n * 0.2, "name": f"batch_{n % 3}"})
    assert Path(psm.summarize(output_dir=str(tmp_path / "out"))).is_file()
    for path in psm.table(output_dir=str(tmp_path / "out")):
        assert Path(path).is_file()


def test_history(psm: Any) -> None:
    for count in (1, 2, 3):
        psm.report(record_identifier="s", values={"count": count})
    history = psm.retrieve_history(record_identifier="s", result_identifier="count")
    assert list(history["count"].values()) == [1, 2]


# The start page, and the notebooks under the names of the version that we stand in for


def test_the_start_page(package: ModuleType, tmp_path: Path, results: Path) -> None:
    """A manager that is bound to a record; a schema without descriptions."""
    told = {"score": {"type": "number"}, "table": {**FILE, "object_type": "file"}}
    path = tmp_path / "start.yaml"
    path.write_text(yaml.dump({"pipeline_name": "start", "samples": told}))
    psm = package.PipestatManager(
        schema_path=str(path), results_file_path=str(results), record_identifier="s1"
    )
    psm.report(values={"score": 0.5})
    psm.report(values={"table": {"path": "t.csv", "title": "T"}})
    assert psm.retrieve_one("s1", ["score", "table"])["score"] == 0.5
    written = tmp_path / "inferred.yaml"
    infer_schema(str(results), output_file=str(written))
    assert yaml.safe_load(written.read_text())["samples"]["score"]["type"] == "number"


def test_the_quick_start(package: ModuleType, tmp_path: Path, results: Path) -> None:
    """Without a name of the pipeline: what is stored is replaced, looked at and read."""
    path = tmp_path / "unnamed.yaml"
    samples = {"type": "object", "properties": SAMPLES}
    path.write_text(yaml.dump({"type": "object", "properties": {"samples": samples}}))
    psm = package.PipestatManager(results_file_path=str(results), schema_path=str(path))
    assert "count" in str(psm.schema)
    (said,) = psm.report(record_identifier="s1", values={"count": 100})
    assert "s1" in said
    assert "count" in said
    psm.report(record_identifier="s1", values={"count": 50}, force_overwrite=True)
    data = yaml.safe_load(str(psm.data))["default_pipeline_name"]["sample"]["s1"]
    assert data["count"] == 50
    assert psm.retrieve_one(record_identifier="s1")["count"] == 50


def test_the_notebook_of_reports(package: ModuleType, schema: Path, results: Path) -> None:
    def manager() -> Any:
        return package.PipestatManager(
            pipeline_name="test",
            record_identifier="s1",
            results_file_path=str(results),
            schema_path=str(schema),
        )

    psm = manager()
    assert (psm.pipeline_name, psm.record_identifier) == ("test", "s1")
    assert psm.result_schemas["table"]["required"] == ["path", "title"]
    with pytest.raises(SchemaValidationErrorDuringReport, match="title"):
        psm.report(values={"table": {"path": "/home/user/t.csv"}})
    first, second = ({"path": f"/home/user/{n}.csv", "title": n} for n in "ab")
    assert psm.report(values={"table": first})
    assert psm.report(values={"table": second}, force_overwrite=False) is False
    assert manager().retrieve_one(result_identifier="table") == first
    assert psm.report(values={"table": second}, force_overwrite=True)
    assert manager().data["test"]["sample"]["s1"]["table"] == second
    # A text is made what the schema says when that is asked for.
    psm.report(values={"count": "10"}, strict_type=False)
    assert psm.retrieve_one("s1", "count") == 10
    with pytest.raises(TypeError):
        psm.report(record_identifier="s2", values={"count": []}, strict_type=False)
    assert psm.remove(result_identifier="count")
    assert list(psm.retrieve_one()) == ["table", "record_identifier"]
    assert psm.remove()
    assert len(psm) == 0


def test_the_notebook_of_statuses(package: ModuleType, tmp_path: Path, results: Path) -> None:
    path = tmp_path / "highlight.yaml"
    log = {**FILE, "object_type": "file", "highlight": True, "description": "d"}
    path.write_text(yaml.dump({"pipeline_name": "h", "samples": {**SAMPLES, "log": log}}))
    psm = package.PipestatManager(results_file_path=str(results), schema_path=str(path))
    assert psm.highlighted_results == ["log"]
    bare = package.PipestatManager(
        pipeline_name="bare", results_file_path=str(tmp_path / "bare.yaml")
    )
    bare.set_status(status_identifier="running", record_identifier="s1")
    assert bare.get_status(record_identifier="s1") == "running"
    assert bare.status_schema["running"]["color"] == [30, 144, 255]
    assert list(bare.status_schema) == ["running", "completed", "failed", "waiting", "partial"]


def test_the_page_of_the_command(
    package: ModuleType, schema: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        if package is drop_in:
            with pytest.raises(SystemExit) as left:
                command.main(arguments)
            assert not left.value.code
        else:
            assert cli.main(list(arguments)) == 0
        return capsys.readouterr().out

    where = ("-f", str(results), "-s", str(schema))
    for name, value in (("count", "100"), ("ratio", "1.1")):
        run("report", *where, "-r", "s1", "-i", name, "-v", value)
    assert "100" in run("inspect", "--data", *where)
    assert run("retrieve", *where, "-r", "s1", "-i", "ratio").strip() == "1.1"
    run("remove", *where, "-r", "s1", "-i", "ratio")
    stored = yaml.safe_load(results.read_text())["demo"]["sample"]["s1"]
    assert {name: value for name, value in stored.items() if name != "meta"} == {"count": 100}
    run("status", "set", "running", *where, "-r", "s1")
    assert run("status", "get", *where, "-r", "s1").strip() == "running"
