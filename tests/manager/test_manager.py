"""PipestatManager's shapes and rules, the same on the memory and the YAML backend."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import (
    PipestatDualManager,
    PipestatManager,
    ProjectPipestatManager,
    SamplePipestatManager,
)
from pipestat_spec.errors import (
    ColumnNotFoundError,
    FilterSyntaxError,
    IncompatibleClassError,
    InvalidTimeFormatError,
    InvalidTypeError,
    InvalidValueError,
    MissingConfigDataError,
    NoBackendSpecifiedError,
    PipestatError,
    RecordNotFoundError,
    ResultConflictError,
    SchemaNotFoundError,
    UnrecognizedStatusError,
)
from pipestat_spec.models.record import RecordKey

SCHEMA = """
title: Read counts
type: object
properties:
  pipeline_name: count
  samples:
    type: object
    properties:
      n: {type: integer, description: reads, highlight: true}
      rate: {type: number}
      name: {type: string}
      ok: {type: boolean}
      tags: {type: array, items: {type: string}}
      align: {type: object, properties: {rate: {type: number}}}
      plot: {type: image}
  project:
    type: object
    properties:
      total: {type: integer}
"""

Make = Callable[..., PipestatManager]


@pytest.fixture
def schema_path(tmp_path: Path) -> Path:
    path = tmp_path / "schema.yaml"
    path.write_text(SCHEMA)
    return path


@pytest.fixture(params=["memory", "yaml"])
def make(request: pytest.FixtureRequest, tmp_path: Path, schema_path: Path) -> Make:
    def make(**settings: Any) -> PipestatManager:
        if request.param == "memory":
            return PipestatManager(**{"schema_path": schema_path, "backend": "memory", **settings})
        path = tmp_path / "results.yaml"
        return PipestatManager(
            **{"schema_path": schema_path, "results_file_path": path, **settings}
        )

    return make


def test_report_answers_with_a_text_for_each_result(make: Make) -> None:
    psm = make(record_identifier="s1")
    assert psm.report({"n": 1, "name": "x"}) == [
        "Reported records for 's1' in 'count' :\n - n: 1",
        "Reported records for 's1' in 'count' :\n - name: x",
    ]
    assert psm.report({}) == []


def test_retrieve_one_takes_three_forms(make: Make) -> None:
    psm = make()
    psm.report({"n": 1, "name": "x"}, "s1")
    assert psm.retrieve_one("s1") == {"n": 1, "name": "x", "record_identifier": "s1"}
    assert psm.retrieve_one("s1", "n") == 1
    assert psm.retrieve_one("s1", ["n", "rate"]) == {"n": 1, "record_identifier": "s1"}
    assert psm["s1"] == psm.retrieve_one("s1")


@pytest.mark.parametrize(
    ("record", "result"), [("s2", None), ("s1", "rate"), ("s1", ["rate", "x"])]
)
def test_what_is_not_stored_is_not_found(make: Make, record: str, result: Any) -> None:
    psm = make()
    psm.report({"n": 1}, "s1")
    with pytest.raises(RecordNotFoundError) as caught:
        psm.retrieve_one(record, result)
    assert isinstance(caught.value, LookupError)
    assert record in str(caught.value)


def test_overwriting_is_on_unless_it_is_switched_off(make: Make) -> None:
    psm = make(record_identifier="s1")
    psm.report({"n": 1})
    psm.report({"n": 2})
    assert psm.retrieve_one(result_identifier="n") == 2
    assert psm.report({"n": 3, "name": "x"}, force_overwrite=False) is False
    assert psm.retrieve_one() == {"n": 2, "record_identifier": "s1"}
    assert psm.report({"n": 2, "name": "x"}, force_overwrite=False) == [
        "Reported records for 's1' in 'count' :\n - n: 2",
        "Reported records for 's1' in 'count' :\n - name: x",
    ]
    psm.force_overwrite = False
    assert psm.report({"n": 3}) is False


def test_five_fast_overwrites_leave_five_entries(make: Make) -> None:
    psm = make(record_identifier="s1")
    for n in range(6):
        psm.report({"n": n})
    history = psm.retrieve_history("s1", "n")
    assert list(history) == ["n"]
    assert list(history["n"].values()) == [0, 1, 2, 3, 4]
    assert list(history["n"]) == sorted(history["n"])
    assert psm.retrieve_history("s1", "name") == {}
    with pytest.raises(RecordNotFoundError):
        psm.retrieve_history("s9")


def test_history_can_be_switched_off(make: Make) -> None:
    psm = make(record_identifier="s1")
    psm.report({"n": 1})
    psm.report({"n": 2}, history_enabled=False)
    assert psm.retrieve_history("s1") == {}


@pytest.mark.parametrize(
    ("values", "error", "named"),
    [
        ({"n": "twelve"}, InvalidTypeError, "'n'"),
        ({"n": "12"}, InvalidTypeError, "'n'"),
        ({"n": True}, InvalidTypeError, "'n'"),
        ({"n": 1.5}, InvalidTypeError, "'n'"),
        ({"n": float("nan")}, InvalidValueError, "nan"),
        ({"n": 2**63}, InvalidValueError, "64-bit"),
        ({"name": "a\0"}, InvalidValueError, "NUL"),
        ({"tags": ["a", 1]}, PipestatError, "'tags'"),
        ({"plot": {"path": "p.png"}}, PipestatError, "title"),
        ({"name": "fine", "n": "x"}, InvalidTypeError, "'n'"),
        ({"status": "x"}, PipestatError, "reserved|holds the status"),
    ],
)
def test_a_refused_report_stores_nothing(
    make: Make, values: dict[str, Any], error: type[Exception], named: str
) -> None:
    psm = make()
    with pytest.raises(error, match=named) as caught:
        psm.report(values, "s1")
    assert "\n" not in str(caught.value)
    assert "s1" not in psm
    assert psm.count_records() == 0


def test_declared_types_decide_what_is_stored(make: Make) -> None:
    psm = make(record_identifier="s1")
    psm.report({"n": 3.0, "rate": 2})
    n, rate = psm.retrieve_one(result_identifier="n"), psm.retrieve_one(result_identifier="rate")
    assert (type(n), n) == (int, 3)
    assert (type(rate), rate) == (float, 2.0)


def test_conversion_stores_the_converted_value(make: Make) -> None:
    psm = make(record_identifier="s1")
    values = {"n": "12", "rate": "0.5", "name": 7, "ok": "true", "tags": '["a"]'}
    psm.report(values, strict_type=False)
    assert psm.retrieve_one() == {
        "n": 12,
        "rate": 0.5,
        "name": "7",
        "ok": True,
        "tags": ["a"],
        "record_identifier": "s1",
    }


def test_an_undeclared_result_is_stored_with_one_warning(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    psm = make()
    with caplog.at_level(logging.WARNING, "pipestat_spec"):
        psm.report({"nam": 1}, "s1")
        psm.report({"nam": 2}, "s2")
    assert [record.getMessage() for record in caplog.records] == [
        "result 'nam' is not in the output schema; did you mean 'name'?"
    ]
    assert psm.retrieve_one("s2", "nam") == 2


def test_what_a_filter_can_never_match_is_told_once(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    psm = make(schema_path=None)
    psm.report({"n": 1, "name": "x"}, "s1")
    psm.report({"late": True}, "s2")

    def said() -> list[str]:
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    with caplog.at_level(logging.WARNING, "pipestat_spec"):
        for where in ("n > 5", "late = false", "status = 'failed'", "n = 1 and name = 'x'"):
            psm.select_records(where=where)
        assert said() == []
        assert psm.select_records(where="staus = 'failed'")["total_size"] == 0
        assert said() == ["no record has staus; did you mean 'status'?"]
        # Told also where every record matches, and where a field is asked for twice.
        assert psm.select_records(where="not (nam = 'x')", columns="n")["total_size"] == 2
        assert said() == ["no record has nam; did you mean 'name'?"]
        psm.select_records(where="nam = 'y' and staus = 'done'")
        assert said() == []
        assert list(psm.iter_records(where="n = '1'")) == []
        assert said() == ["n has no text, only numbers; write numbers without quotes"]
        assert [r["record_identifier"] for r in psm.iter_records(where="n = 1")] == ["s1"]
        assert list(psm.to_dataframe(where="n = 1").index) == ["s1"]
        assert said() == []
        psm.select_records(filter_conditions=[{"key": "nme", "operator": "eq", "value": "x"}])
        assert said() == ["no record has nme; did you mean 'name'?"]


def test_additional_properties_can_be_closed(make: Make) -> None:
    psm = make(additional_properties=False)
    with pytest.raises(ColumnNotFoundError, match=r"'nam'.*'name'"):
        psm.report({"nam": 1}, "s1")
    assert psm.additional_properties is False


def test_the_caller_s_object_does_not_reach_the_store(make: Make) -> None:
    psm = make(record_identifier="s1")
    tags = ["a"]
    psm.report({"tags": tags})
    tags.append("b")
    assert psm.retrieve_one(result_identifier="tags") == ["a"]


def test_removing(make: Make) -> None:
    psm = make()
    psm.report({"n": 1, "name": "x"}, "s1")
    assert psm.remove("s1", "n") is True
    assert psm.remove("s1", "n") is False
    assert psm.retrieve_one("s1") == {"name": "x", "record_identifier": "s1"}
    assert list(psm.retrieve_history("s1")["n"].values()) == [1]
    assert psm.remove("s1", "name") is True
    assert psm.retrieve_one("s1") == {"record_identifier": "s1"}
    assert psm.remove_record("s1") is None
    assert psm.remove_record("s1", rm_record=True) is True
    assert psm.remove_record("s1", rm_record=True) is False
    assert "s1" not in psm


def test_status(make: Make) -> None:
    psm = make(record_identifier="s1")
    assert psm.get_status() is None
    assert psm.set_status("running") is None
    assert psm.get_status("s1") == "running"
    psm.set_status(record_identifier="s1", status_identifier="completed")
    assert psm.get_status() == "completed"
    assert psm.clear_status(flag_names=["failed"]) == []
    assert psm.clear_status() == ["completed"]
    assert psm.clear_status() == []
    assert psm.get_status() is None
    with pytest.raises(UnrecognizedStatusError, match=r"'done'.*running, completed"):
        psm.set_status("done")


def test_the_status_time_is_told_everywhere(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "x.db")
    assert psm.get_status_time("s1") is None
    before = datetime.now(UTC)
    psm.set_status("running", "s1")
    since = psm.get_status_time("s1")
    assert since is not None
    assert before <= since <= datetime.now(UTC)
    text = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    [level] = [levels["sample"] for levels in psm.data.values()]
    assert level["s1"]["meta"]["status_time"] == text  # type: ignore[index,call-overload]
    assert f"<td>{text}</td>" in psm._repr_html_()
    psm.set_status("running", "s1", message="lane 2")
    assert psm.get_status_time("s1") == since
    psm.clear_status("s1")
    assert psm.get_status_time("s1") is None
    [level] = [levels["sample"] for levels in psm.data.values()]
    assert "status_time" not in level["s1"]["meta"]  # type: ignore[operator]


def test_records_that_share_a_prefix_do_not_meet(make: Make) -> None:
    psm = make()
    for name, status in {"b": "running", "b_x": "failed", "b_x_running": "waiting"}.items():
        psm.set_status(status, name)
    assert [psm.get_status(name) for name in ("b", "b_x", "b_x_running")] == [
        "running",
        "failed",
        "waiting",
    ]
    psm.clear_status("b")
    assert [psm.get_status(name) for name in ("b", "b_x")] == [None, "failed"]


def test_a_run_keeps_its_status(make: Make) -> None:
    psm = make()
    with psm.record("s1") as run:
        assert psm.get_status("s1") == "running"
        run.report(n=1)
        run.report({"name": "x"})
    assert psm.get_status("s1") == "completed"
    assert psm["s1"] == {"n": 1, "name": "x", "record_identifier": "s1"}


def test_a_failing_run_is_failed_with_its_text(make: Make) -> None:
    psm = make()
    with pytest.raises(ZeroDivisionError) as caught, psm.record("s1") as run:
        run.report(n=1 // 0)
    assert psm.get_status("s1") == "failed"
    record = psm.store.get(RecordKey("sample", "s1"))
    assert record.status_message == f"ZeroDivisionError: {caught.value}"


def test_a_run_as_decorator(make: Make) -> None:
    psm = make()

    @psm.record("s1", source={"engine": "make", "attempt": 2})
    def work() -> int:
        psm.report({"n": 5}, "s1")
        return 7

    assert work() == 7
    assert psm.get_status("s1") == "completed"
    assert psm.store.get(RecordKey("sample", "s1")).source == {"engine": "make", "attempt": 2}
    with pytest.raises(UnrecognizedStatusError):
        psm.record("s1", completed="done")


def test_a_status_set_in_a_run_stays(make: Make) -> None:
    psm = make()
    with psm.record("s1") as run:
        run.set_status("partial", "3 of 4 lanes")
    record = psm.store.get(RecordKey("sample", "s1"))
    assert (record.status, record.status_message) == ("partial", "3 of 4 lanes")
    with psm.record("s1"):
        assert psm.get_status("s1") == "running"
    assert psm.get_status("s1") == "completed"
    run = psm.record("s1")

    @run
    def work() -> None:
        run.set_status("partial")
        raise KeyError("lane4")

    with pytest.raises(KeyError):
        work()
    assert psm.get_status("s1") == "failed"


def test_a_conflict_fails_the_run(make: Make) -> None:
    psm = make()
    psm.report({"n": 1}, "s1")
    psm.force_overwrite = False
    run = psm.record("s1")

    @run
    def work() -> None:
        run.report(n=1, name="x")
        run.report(n=2)

    with pytest.raises(ResultConflictError, match="'n'"):
        work()
    assert psm.get_status("s1") == "failed"
    assert psm["s1"] == {"n": 1, "name": "x", "record_identifier": "s1"}


@pytest.fixture
def filled(make: Make) -> PipestatManager:
    psm = make()
    psm.report_many(
        {
            "a": {"n": 1, "name": "x", "align": {"rate": 0.5}},
            "B": {"n": 2, "name": "y", "align": {"rate": 0.9}},
            "_": {"n": 3, "ok": True},
            "10": {"n": 4, "name": "x"},
            "9": {"n": 5},
        }
    )
    return psm


def names(page: Any) -> list[str]:
    return [record["record_identifier"] for record in page["records"]]


def test_a_page(filled: PipestatManager) -> None:
    page = filled.select_records(columns=["n"], limit=2)
    assert page == {
        "total_size": 5,
        "page_size": 2,
        "next_page_token": "9",
        "records": [{"n": 4, "record_identifier": "10"}, {"n": 5, "record_identifier": "9"}],
    }
    second = filled.select_records(limit=2, cursor="9")
    assert (names(second), second["next_page_token"]) == (["B", "_"], "_")
    third = filled.select_records(limit=2, cursor="_")
    assert (names(third), third["next_page_token"]) == (["a"], None)


def test_filters(filled: PipestatManager) -> None:
    page = filled.select_records(where="align.rate >= 0.9 or n in (1, 4)", limit=1)
    assert (names(page), page["total_size"]) == (["10"], 3)
    conditions = [
        {"value": "x", "operator": "eq", "key": "name"},
        {"key": ["align", "rate"], "operator": "lt", "value": 0.9},
    ]
    assert names(filled.select_records(filter_conditions=conditions)) == ["a"]
    assert names(filled.select_records(filter_conditions=conditions, bool_operator="OR")) == [
        "10",
        "a",
    ]
    nothing = [*conditions, {"key": "n", "operator": "eq", "value": 99}]
    assert names(filled.select_records(filter_conditions=nothing)) == []
    both = filled.select_records(filter_conditions=conditions[:1], where="n > 1")
    assert names(both) == ["10"]
    with pytest.raises(FilterSyntaxError):
        filled.select_records(where="n >")


def test_other_ways_to_read(filled: PipestatManager) -> None:
    assert names(filled.retrieve_many(["a", "zz", "9"])) == ["9", "a"]
    assert filled.retrieve_many(["a"], "n")["records"] == [{"n": 1, "record_identifier": "a"}]
    assert filled.select_distinct("name") == [("x",), ("y",)]
    assert list(filled) == ["10", "9", "B", "_", "a"]
    assert [r["record_identifier"] for r in filled.iter_records(limit=2, cursor="9")] == ["B", "_"]
    assert len(filled) == filled.record_count == filled.count_records() == 5
    assert "a" in filled
    assert "b" not in filled
    assert "zz" not in filled
    assert filled.list_projects() == []
    del filled["a"]
    assert "a" not in filled
    with pytest.raises(RecordNotFoundError):
        del filled["a"]


def test_recent_results(filled: PipestatManager) -> None:
    filled.report({"n": 9}, "B")
    page = filled.list_recent_results(limit=1)
    assert (names(page), page["total_size"]) == (["B"], 5)
    assert names(filled.list_recent_results(start="2100-01-01")) == []
    with pytest.raises(InvalidTimeFormatError, match="yesterday"):
        filled.list_recent_results(start="yesterday")


def test_one_refused_record_refuses_the_batch(make: Make) -> None:
    psm = make()
    with pytest.raises(InvalidTypeError):
        psm.report_many({"a": {"n": 1}, "b": {"n": "x"}})
    assert len(psm) == 0


def test_records_reported_as_they_come(make: Make) -> None:
    psm = make(result_formatter=lambda pipeline, record, name, value: f"{record} {name} {value}")
    pairs = ((name, {"n": number}) for number, name in enumerate(["b", "a", "b"], 1))
    # A text tells what the record has at the time of its report.
    assert psm.report_many(pairs) == ["b n 1", "a n 2", "b n 3"]
    assert [record["n"] for record in psm.iter_records()] == [2, 3]
    assert list(psm.retrieve_history("b")["n"].values()) == [1]
    assert psm.report_many(iter([("a", {"n": 5})]), force_overwrite=False) is False
    for wrong in (["a"], ["ab"], [("a",)], [("c", {"n": 1}), {"a", "b"}], [("c", 3)]):
        with pytest.raises(IncompatibleClassError):
            psm.report_many(wrong)
    assert [record["n"] for record in psm.iter_records()] == [2, 3]


def test_levels_are_kept_apart(make: Make) -> None:
    psm = make(project_name="study")
    psm.report({"n": 1}, "s1")
    psm.report({"total": 1}, level="project")
    assert psm.retrieve_one("study", level="project") == {
        "total": 1,
        "record_identifier": "study",
    }
    assert psm.list_projects() == ["study"]
    assert list(psm) == ["s1"]
    with pytest.raises(PipestatError, match="level"):
        psm.report({"n": 1}, "s1", level="run")


def test_properties(make: Make, schema_path: Path) -> None:
    psm = make()
    assert psm.pipeline_name == "count"
    assert psm.pipeline_type == "sample"
    assert psm.project_name is None
    assert psm.highlighted_results == ["n"]
    assert psm.result_schemas["rate"] == {"type": "number"}
    assert list(psm.all_result_schemas) == ["sample", "project"]
    assert psm.validate_results is True
    assert psm.additional_properties is True
    assert psm.schema_path == str(schema_path)
    assert psm.config_path is None
    assert psm.db_url is None
    assert psm.status_schema["failed"]["color"] == [220, 20, 60]
    assert psm.output_dir is None
    psm.output_dir = "out"
    assert psm.output_dir == "out"
    assert "count" in str(psm)


def test_a_record_must_be_named(make: Make) -> None:
    psm = make()
    with pytest.raises(MissingConfigDataError, match="no record is named"):
        psm.report({"n": 1})
    psm.record_identifier = "s1"
    psm.report({"n": 1})
    assert psm.retrieve_one() == {"n": 1, "record_identifier": "s1"}


def test_without_a_store() -> None:
    with pytest.raises(NoBackendSpecifiedError, match="results_file_path"):
        PipestatManager()


def test_validation_needs_a_schema(tmp_path: Path) -> None:
    with pytest.raises(SchemaNotFoundError):
        PipestatManager(results_file_path=tmp_path / "r.yaml", validate_results=True)


def test_siblings(tmp_path: Path, schema_path: Path) -> None:
    settings = {"results_file_path": tmp_path / "r.yaml", "schema_path": schema_path}
    sample = SamplePipestatManager(**settings, record_identifier="s1")
    project = ProjectPipestatManager(**settings, project_name="study")
    sample.report({"n": 4})
    project.report({"total": 4})
    assert project.record_identifier == "study"
    dual = PipestatDualManager(**settings, project_name="study")
    assert dual.sample.retrieve_one("s1", "n") == 4
    assert dual.project.retrieve_one(result_identifier="total") == 4


def test_a_schema_from_the_configuration_or_the_environment_turns_validation_on(
    tmp_path: Path, schema_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "results_file_path: r.yaml\nschema_path: schema.yaml\nforce_overwrite: false\n"
    )
    psm = PipestatManager.from_config(config)
    with pytest.raises(InvalidTypeError):
        psm.report({"n": "x"}, "s1")
    assert psm.file == str(tmp_path / "r.yaml")
    assert psm.force_overwrite is False
    monkeypatch.setenv("PIPESTAT_RESULTS_SCHEMA", str(schema_path))
    with pytest.raises(InvalidTypeError):
        PipestatManager(results_file_path=tmp_path / "q.yaml").report({"n": "x"}, "s1")


def test_to_dataframe(filled: PipestatManager) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    filled.set_status("completed", "a")
    frame = filled.to_dataframe()
    assert list(frame.index) == ["10", "9", "B", "_", "a"]
    assert frame.loc["a", "n"] == 1
    assert frame.loc["a", "status"] == "completed"


def test_ingesting(make: Make) -> None:
    psm = make()
    psm.ingest(
        [
            {
                "pipestat_report": "1.0",
                "record_identifier": "s1",
                "results": {"n": 3},
                "status": "completed",
            }
        ]
    )
    assert (psm.retrieve_one("s1", "n"), psm.get_status("s1")) == (3, "completed")


def test_the_folder_of_a_records_files(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "out" / "r.yaml", record_identifier="s1")
    assert psm.folder() == str(tmp_path / "out")
    with psm.record("s2") as run:
        assert run.folder == str(tmp_path / "out")
    memory = PipestatManager(backend="memory", output_dir=tmp_path / "files")
    assert memory.folder("s1") == str(tmp_path / "files")
    config = tmp_path / "conf" / "c.yaml"
    config.parent.mkdir()
    config.write_text("backend: memory\n")
    assert PipestatManager(config_file=config).folder("s1") == str(tmp_path / "conf")


def test_the_file_and_the_folder_where_each_record_has_its_own(tmp_path: Path) -> None:
    template = str(tmp_path / "{record_identifier}" / "stats.yaml")
    psm = PipestatManager(results_file_path=template)
    assert psm.file == template
    psm.record_identifier = "s1"
    assert psm.file == str(tmp_path / "s1" / "stats.yaml")
    assert psm.folder("a/b") == str(tmp_path / "a%2Fb")
    with psm.record("s2") as run:
        assert run.folder == str(tmp_path / "s2")


def test_columns_may_name_the_status_and_the_times(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "r.yaml")
    psm.report({"n": 1, "m": 2}, "s1")
    psm.set_status("completed", "s1")
    psm.set_status("waiting", "s2")
    psm.report({"n": 3}, "s3")
    page = psm.select_records(columns=["n", "status"])
    assert page["records"] == [
        {"n": 1, "status": "completed", "record_identifier": "s1"},
        {"status": "waiting", "record_identifier": "s2"},
        {"n": 3, "status": None, "record_identifier": "s3"},
    ]
    (record,) = psm.select_records(columns="pipestat_created_time", where="n = 1")["records"]
    assert set(record) == {"pipestat_created_time", "record_identifier"}
    assert "status" not in psm.select_records()["records"][0]
