"""Where pipestat 0.13.1 loses or confuses data, the Python interface does not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.errors import (
    PipestatError,
    RecordNotFoundError,
    SchemaValidationErrorDuringReport,
    UnrecognizedStatusError,
)

SCHEMA = """
pipeline_name: rnaseq
samples:
  reads: {type: integer, description: number of reads}
  name: {type: string, description: name}
  align: {type: object, description: alignment}
project:
  total: {type: integer, description: total}
"""


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.yaml"
    path.write_text(SCHEMA)
    return path


@pytest.fixture(params=["records", "levels"])
def psm(request: pytest.FixtureRequest, folder: Path) -> PipestatManager:
    """A manager without a schema, of a new file."""
    return PipestatManager(
        results_file_path=folder / "results.yaml", pipeline_name="rnaseq", layout=request.param
    )


def stored(psm: PipestatManager) -> dict[str, dict[str, object]]:
    """Return the samples as they stand in the file, without `meta`."""
    assert psm.file is not None
    inside = yaml.safe_load(Path(psm.file).read_bytes())["rnaseq"]
    inside = inside.get("sample", inside)
    return {
        name: {key: value for key, value in record.items() if key != "meta"}
        for name, record in inside.items()
    }


def test_an_existing_and_a_new_result_in_one_report(psm: PipestatManager) -> None:
    psm.report({"reads": 1}, "s1")
    psm.report({"reads": 2, "name": "x"}, "s1")
    assert stored(psm) == {"s1": {"reads": 2, "name": "x"}}


def test_a_refused_report_changes_neither_file_nor_memory(psm: PipestatManager) -> None:
    psm.report({"reads": 1}, "s1")
    before = Path(psm.file or "").read_bytes()
    assert psm.report({"reads": 2, "name": "x"}, "s1", force_overwrite=False) is False
    with pytest.raises(PipestatError):
        psm.report({"name": "x", "reads": float("nan")}, "s1")
    assert psm.retrieve_one("s1") == {"reads": 1, "record_identifier": "s1"}
    assert Path(psm.file or "").read_bytes() == before


def test_a_removed_result_leaves_nothing_that_looks_like_one(psm: PipestatManager) -> None:
    psm.report({"reads": 1, "name": "x"}, "s1")
    assert psm.remove("s1", "reads") is True
    assert stored(psm) == {"s1": {"name": "x"}}
    assert psm.retrieve_one("s1") == {"name": "x", "record_identifier": "s1"}
    assert list(psm.retrieve_history("s1", "reads")["reads"].values()) == [1]
    assert psm.remove("s1", "reads") is False


def test_fast_overwrites_all_stay_in_the_history(psm: PipestatManager) -> None:
    for number in range(6):
        psm.report({"reads": number}, "s1")
    history = psm.retrieve_history("s1", "reads")["reads"]
    assert list(history.values()) == [0, 1, 2, 3, 4]
    times = [datetime.fromisoformat(time) for time in history]
    assert times == sorted(set(times))


def test_history_of_what_is_not_there(psm: PipestatManager) -> None:
    psm.report({"reads": 1, "name": "x"}, "s1")
    psm.report({"reads": 2}, "s1")
    assert psm.retrieve_history("s1", "name") == {}
    assert psm.retrieve_history("s1", "never_reported") == {}
    with pytest.raises(RecordNotFoundError, match="s2"):
        psm.retrieve_history("s2")


def test_names_that_start_alike_keep_their_own_status(psm: PipestatManager) -> None:
    names = ["b", "b_x", "b_x_running", "b*", "b?", "[b]", "rnaseq_b"]
    statuses = ["running", "failed", "completed", "waiting", "partial", "running", "failed"]
    for name, status in zip(names, statuses, strict=True):
        psm.set_status(status, name)
    assert [psm.get_status(name) for name in names] == statuses
    assert psm.clear_status("b") == ["running"]
    assert psm.get_status("b") is None
    assert [psm.get_status(name) for name in names[1:]] == statuses[1:]


def test_filters(psm: PipestatManager) -> None:
    psm.report_many(
        {
            "a": {"reads": 10, "name": "human_1", "align": {"rate": 0.5, "tool": {"v": 2}}},
            "b": {"reads": 20, "name": "Human_2", "align": {"rate": 0.9, "tool": {"v": 3}}},
            "c": {"reads": 30, "name": "mouse_1"},
        }
    )

    def found(*conditions: dict[str, object], bool_operator: str = "AND") -> list[object]:
        page = psm.select_records(filter_conditions=conditions, bool_operator=bool_operator)
        names = [record["record_identifier"] for record in page["records"]]
        assert page["total_size"] == len(names)
        return names

    over = {"key": "reads", "operator": "gt", "value": 15}
    nothing = {"key": "reads", "operator": "gt", "value": 1000}
    assert found(over) == ["b", "c"]
    assert found(over, nothing) == []
    assert found(over, nothing, bool_operator="OR") == ["b", "c"]
    assert found({"key": "name", "operator": "like", "value": "human%"}) == ["a"]
    assert found({"key": "name", "operator": "like", "value": "%\\_1"}) == ["a", "c"]
    assert found({"key": "reads", "operator": "in", "value": [10, 30]}) == ["a", "c"]
    assert found({"key": ["align", "rate"], "operator": "ge", "value": 0.9}) == ["b"]
    assert found({"key": ["align", "tool", "v"], "operator": "eq", "value": 2}) == ["a"]
    # The order of the three keys means nothing.
    assert found({"value": 15, "operator": "gt", "key": "reads"}) == ["b", "c"]
    page = psm.select_records(filter_conditions=[over], limit=1)
    assert (page["total_size"], len(page["records"])) == (2, 1)


def test_an_undefined_status_is_refused_without_a_schema_too(psm: PipestatManager) -> None:
    with pytest.raises(UnrecognizedStatusError, match="runing"):
        psm.set_status("runing", "s1")
    assert "s1" not in psm
    psm.set_status("running", "s1")
    assert psm.clear_status("s1") == ["running"]
    assert psm.get_status("s1") is None


@pytest.mark.parametrize("source", ["argument", "config", "environment"])
def test_a_schema_turns_validation_on_wherever_it_is_given(
    source: str, folder: Path, schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = folder / "results.yaml"
    if source == "argument":
        psm = PipestatManager(results_file_path=results, schema_path=schema)
    elif source == "config":
        config = folder / "config.yaml"
        config.write_text("results_file_path: results.yaml\nschema_path: ../schema.yaml\n")
        psm = PipestatManager(config_file=config)
    else:
        monkeypatch.setenv("PIPESTAT_RESULTS_SCHEMA", str(schema))
        psm = PipestatManager(results_file_path=results)
    assert psm.validate_results
    with pytest.raises(SchemaValidationErrorDuringReport, match="reads"):
        psm.report({"reads": "twelve"}, "s1")
    assert not results.exists() or "twelve" not in results.read_text()


@pytest.mark.parametrize("source", ["config", "environment"])
def test_a_status_schema_is_read_wherever_it_is_given(
    source: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = folder.parent / "statuses.yaml"
    statuses.write_text("sequenced: {description: the machine is done, color: [1, 2, 3]}\n")
    settings: dict[str, object] = {"results_file_path": str(folder / "results.yaml")}
    if source == "config":
        settings["status_schema_path"] = str(statuses)
    else:
        monkeypatch.setenv("PIPESTAT_STATUS_SCHEMA", str(statuses))
    psm = PipestatManager.from_config(settings)
    psm.set_status("sequenced", "s1")
    assert psm.get_status("s1") == "sequenced"
    with pytest.raises(UnrecognizedStatusError):
        psm.set_status("running", "s1")


def test_one_file_per_record(folder: Path) -> None:
    psm = PipestatManager(
        results_file_path=str(folder / "{record_identifier}" / "stats.yaml"),
        record_identifier="s1",
        pipeline_name="rnaseq",
    )
    psm.report({"reads": 1})
    psm.report({"reads": 2}, "s2")
    psm.report({"reads": 3}, "a/b")
    psm.set_status("running", "s2")
    assert yaml.safe_load((folder / "s1" / "stats.yaml").read_bytes())["rnaseq"].keys() == {"s1"}
    assert yaml.safe_load((folder / "s2" / "stats.yaml").read_bytes())["rnaseq"].keys() == {"s2"}
    assert yaml.safe_load((folder / "a%2Fb" / "stats.yaml").read_bytes())["rnaseq"].keys() == {
        "a/b"
    }
    assert (folder / "s2" / "rnaseq_s2_running.flag").exists()
    assert [record["record_identifier"] for record in psm.select_records()["records"]] == [
        "a/b",
        "s1",
        "s2",
    ]
    seen = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert seen == {"s1", "s2", "a%2Fb"}


def test_a_url_makes_no_local_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(PipestatError, match="s3"):
        PipestatManager(results_file_path="s3://bucket/x.yaml").report({"reads": 1}, "s1")
    assert list(folder.iterdir()) == []


def test_a_project_result_reported_from_a_sample_manager(folder: Path, schema: Path) -> None:
    psm = PipestatManager(
        results_file_path=folder / "results.yaml", schema_path=schema, project_name="cohort"
    )
    psm.report({"reads": 1}, "s1")
    psm.report({"total": 2}, level="project")
    assert psm.retrieve_one(level="project") == {"total": 2, "record_identifier": "cohort"}
    assert list(psm) == ["s1"]
    document = yaml.safe_load((folder / "results.yaml").read_bytes())
    assert document["rnaseq"]["project"]["cohort"]["total"] == 2
