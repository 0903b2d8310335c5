"""How the drop-in's managers answer where pipestat's interface asks for it, and its helpers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.compat.manager import PipestatManager
from pipestat_spec.compat.names.helpers import make_subdirectories, mk_list_of_str, validate_type
from pipestat_spec.compat.names.reports import fetch_pipeline_results, get_file_for_table
from pipestat_spec.errors import (
    RecordNotFoundError,
    SchemaValidationErrorDuringReport,
)
from tests.compat.programs import SCHEMA

Make = Callable[..., PipestatManager]


def test_a_formatter_is_called_by_the_names_of_its_arguments(make: Make) -> None:
    def turned(value: Any, res_id: str, record_identifier: str, pipeline_name: str) -> str:
        return f"{pipeline_name}/{record_identifier}/{res_id}={value}"

    psm = make()
    assert psm.report({"n": 1}, "s1", result_formatter=turned) == ["count/s1/n=1"]
    psm.result_formatter = turned
    assert psm.report({"n": 2}, "s1") == ["count/s1/n=2"]
    assert psm.cfg["_result_formatter"] is turned


def test_without_a_schema_names_of_files_become_files(make: Make, tmp_path: Path) -> None:
    psm = make()
    psm.report({"plot": "a/plot.PNG", "table": "t.tsv", "archive": "x.tar", "n": 1}, "s1")
    assert psm.retrieve_one("s1") == {
        "plot": {"path": "a/plot.PNG", "title": "plot"},
        "table": {"path": "t.tsv", "title": "table"},
        "archive": "x.tar",
        "n": 1,
        "record_identifier": "s1",
    }
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    strict = make(schema_path=tmp_path / "schema.yaml")
    strict.report({"text": "notes.txt"}, "s2")
    assert strict.retrieve_one("s2", "text") == "notes.txt"


def test_many_records_of_which_none_is_there_are_an_error(make: Make) -> None:
    psm = make()
    psm.report({"n": 1}, "s1")
    assert psm.retrieve_many(["s1", "s2"])["total_size"] == 1
    with pytest.raises(RecordNotFoundError, match="none of the records 's2', 's3' is stored"):
        psm.retrieve_many(["s2", "s3"])


def test_recent_results_begin_with_the_latest_time(make: Make) -> None:
    psm = make()
    psm.report({"n": 1}, "s1")

    def found(**times: str) -> int:
        return int(psm.list_recent_results(**times)["total_size"])

    assert found() == 1
    assert found(start="2100-01-01 00:00:00", end="2000-01-01 00:00:00") == 1
    assert found(end="2100-01-01 00:00:00") == 0
    assert found(start="2000-01-01 00:00:00") == 0


def test_select_records_takes_what_pipestat_takes(make: Make) -> None:
    psm = make()
    psm.report({"n": 1}, "s1")
    page = psm.select_records(None, None, 10, None, "AND", "sample", False)
    assert page["records"] == [{"n": 1, "record_identifier": "s1"}]


def test_what_looper_asks_for(make: Make, tmp_path: Path) -> None:
    psm = make(output_dir=tmp_path)
    psm.report({"n": 1}, "s1")
    report = psm.summarize(looper_samples=[], portable=True, output_dir=tmp_path / "x")
    assert report == f"{tmp_path}/x/reports/count/count_report.zip"
    assert psm.summarize() == f"{tmp_path}/reports/count/count_report.html"
    stats, _ = psm.table(output_dir=tmp_path / "x")
    assert stats == get_file_for_table(
        make(output_dir=tmp_path / "x"), "count", "stats_summary.tsv"
    )
    assert psm.link(link_dir=tmp_path / "links") == f"{tmp_path}/links"


def test_results_of_one_record(make: Make, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(
        "pipeline_name: count\nsamples:\n  n: {type: integer}\n  plot: {type: image}\n"
        "  rate: {type: number, highlight: true}\n"
    )
    psm = make(schema_path=tmp_path / "schema.yaml")
    plot = {"path": "p.png", "title": "T"}
    psm.report({"n": 1, "rate": 0.5, "plot": plot}, "s1")
    assert fetch_pipeline_results(psm, "s1") == {"n": 1, "plot": plot}
    assert fetch_pipeline_results(psm, "s1", highlighted=True) == {"rate": 0.5}
    assert fetch_pipeline_results(psm, "s1", lambda kind: kind == "image", str) == {
        "plot": str(plot)
    }


def test_where_a_summary_would_be(make: Make, tmp_path: Path, results: Path) -> None:
    psm = make(output_dir=tmp_path)
    where = get_file_for_table(psm, pipeline_name="count", appendix="stats_summary.tsv")
    assert where == f"{tmp_path}/count_stats_summary.tsv"
    reports = get_file_for_table(psm, pipeline_name="count", directory="reports")
    assert reports == f"{tmp_path}/reports/count"
    beside = get_file_for_table(make(), "count", "objs_summary.yaml")
    assert beside == f"{results.parent}/count_objs_summary.yaml"


def test_helpers(tmp_path: Path) -> None:
    assert mk_list_of_str("a") == ["a"]
    assert mk_list_of_str(["a", "b"]) == ["a", "b"]
    assert mk_list_of_str(None) is None
    with pytest.raises(TypeError):
        mk_list_of_str(1)
    make_subdirectories(str(tmp_path / "a" / "b" / "file"))
    make_subdirectories(str(tmp_path / "a" / "b" / "file"))
    assert (tmp_path / "a" / "b").is_dir()
    validate_type(1, {"type": "integer"}, strict_type=True)
    validate_type("1", {"type": "integer"})
    for strict, value in ((True, "1"), (False, "one")):
        with pytest.raises(SchemaValidationErrorDuringReport):
            validate_type(value, {"type": "integer"}, strict_type=strict)


# What pipestat does not validate: the schema comes from a configuration or the environment

KINDS = """
pipeline_name: count
samples:
  n: {type: integer, description: Number}
  table: {type: file, description: Table}
  plot: {type: image, description: Plot}
"""


@pytest.fixture
def config(tmp_path: Path, results: Path) -> Path:
    (tmp_path / "schema.yaml").write_text(KINDS)
    path = tmp_path / "config.yaml"
    path.write_text(f"schema_path: schema.yaml\nresults_file_path: {results}\n")
    return path


def test_values_that_pipestat_never_validated_are_stored_with_a_warning(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    psm = PipestatManager.from_config(config=str(config))
    psm.report({"n": "many", "table": "t.tsv", "plot": 5}, "s1")
    assert psm.retrieve_one("s1") == {
        "n": "many",
        "table": {"path": "t.tsv", "title": "table"},
        "plot": 5,
        "record_identifier": "s1",
    }
    told = [record.getMessage() for record in caplog.records]
    assert [text.split(":")[0] for text in told] == ["result 'n'", "result 'plot'"]
    assert psm.report({"n": 12}, "s2")
    assert len(caplog.records) == 2


@pytest.mark.parametrize("way", ["configuration", "argument", "schema"])
def test_unless_the_pipeline_asks_for_validation(config: Path, tmp_path: Path, way: str) -> None:
    settings: dict[str, Any] = {}
    if way == "configuration":
        config.write_text(config.read_text() + "validate_results: true\n")
    elif way == "argument":
        settings = {"validate_results": True}
    else:
        settings = {"schema_path": tmp_path / "schema.yaml"}
    psm = PipestatManager(config_file=config, **settings)
    with pytest.raises(SchemaValidationErrorDuringReport):
        psm.report({"n": "many"}, "s1")
    assert len(psm) == 0


@pytest.mark.parametrize("given", [{}, {"validate_results": True}])
def test_a_null_thumbnail_is_none(config: Path, given: dict[str, Any]) -> None:
    psm = PipestatManager(config_file=config, **given)
    image = {"path": "p.png", "title": "P"}
    psm.report({"plot": {**image, "thumbnail_path": None}}, "s1")
    assert psm.retrieve_one("s1", "plot") == image
