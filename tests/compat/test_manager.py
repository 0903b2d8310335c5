"""What the drop-in's managers have beside this package's: layout, attributes, answers."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager as NativeManager
from pipestat_spec.compat.manager import PipestatDualManager, PipestatManager
from pipestat_spec.errors import LayoutError, PipestatStartupError, UnsupportedOperation
from tests.compat.programs import SCHEMA

Make = Callable[..., PipestatManager]


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


# Stores


def test_a_new_results_file_is_there_at_once(make: Make, results: Path) -> None:
    make()
    assert document(results) == {"count": {"project": {}, "sample": {}}}


def test_new_records_have_a_level(make: Make, results: Path) -> None:
    make().report({"n": 1}, "s1")
    assert document(results)["count"]["sample"]["s1"]["n"] == 1


def test_existing_records_keep_their_layout(make: Make, results: Path) -> None:
    NativeManager(results_file_path=results, pipeline_name="count").report({"n": 1}, "s1")
    make().report({"n": 2}, "s2")
    assert [*document(results)["count"]] == ["s1", "s2"]


def test_a_second_pipeline_of_a_file_gets_levels_too(make: Make, results: Path) -> None:
    NativeManager(results_file_path=results, pipeline_name="other").report({"n": 1}, "s1")
    make(multi_pipelines=True).report({"n": 2}, "s2")
    found = document(results)
    assert [*found["other"]] == ["s1"]
    assert [*found["count"]["sample"]] == ["s2"]


def test_files_of_records_have_levels(make: Make, tmp_path: Path) -> None:
    psm = make(results_file_path=tmp_path / "{record_identifier}" / "results.yaml")
    assert not list(tmp_path.iterdir())
    psm.report({"n": 1}, "s1")
    assert document(tmp_path / "s1" / "results.yaml")["count"]["sample"]["s1"]["n"] == 1


def test_the_configuration_decides_the_layout(make: Make, results: Path) -> None:
    psm = make(layout="records")
    assert not results.exists()
    psm.report({"n": 1}, "s1")
    assert [*document(results)["count"]] == ["s1"]
    with pytest.raises(LayoutError):
        make(layout="levels")


def test_a_database_gets_the_tables_of_both_levels(tmp_path: Path) -> None:
    file = tmp_path / "results.sqlite"
    psm = PipestatManager.from_config(
        {"pipeline_name": "count", "project_name": "demo", "database": {"sqlite_url": str(file)}}
    )
    psm.report({"n": 1}, "s1")
    psm.close()
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = {name for (name,) in connection.execute(query)}
    assert {"count__sample", "count__project"} <= names
    assert "count" not in names


def test_this_package_s_own_manager_is_as_before(make: Make, tmp_path: Path) -> None:
    make()
    NativeManager(results_file_path=tmp_path / "native.yaml", pipeline_name="count").report(
        {"n": 1}, "s1"
    )
    assert [*document(tmp_path / "native.yaml")["count"]] == ["s1"]


def test_a_file_that_cannot_be_made_is_one_line(make: Make) -> None:
    with pytest.raises(PipestatStartupError) as caught:
        make(results_file_path="/proc/none/results.yaml")
    assert str(caught.value) == f"/proc/none/results.yaml: {os.strerror(errno.ENOENT)}"


def test_both_levels_over_one_file(results: Path) -> None:
    both = PipestatDualManager(results_file_path=str(results), pipeline_name="count")
    both.sample.report({"n": 1}, "s1")
    both.project.report({"total": 1})
    both.close()
    found = document(results)["count"]
    assert ([*found["project"]], [*found["sample"]]) == (["project"], ["s1"])


# Attributes


def test_the_file_is_that_of_the_manager_s_record(make: Make, tmp_path: Path) -> None:
    template = f"{tmp_path}/{{record_identifier}}/results.yaml"
    psm = make(results_file_path=template)
    assert psm.file == template
    psm.record_identifier = "s1"
    assert psm.file == f"{tmp_path}/s1/results.yaml"
    assert psm.cfg["_file"] == psm.backend.results_file_path == psm.file
    assert psm.cfg["unresolved_result_path"] == template


def test_cfg_tells_what_looper_reads(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    config = {
        "schema_path": "schema.yaml",
        "results_file_path": "results.yaml",
        "flag_file_dir": "flags",
        "project_name": "demo",
        "output_dir": str(tmp_path),
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    psm = PipestatManager.from_config(str(path), pipeline_type="sample", multi_pipelines=True)
    assert psm.cfg["_schema_path"] == str(tmp_path / "schema.yaml")
    assert psm.cfg["pephub_path"] is None
    assert psm.cfg["config_path"] == str(path)
    # As it is written, and as it is meant.
    assert psm.cfg["_config"].data.get("flag_file_dir") == "flags"
    assert psm.cfg["_config"].data == config
    assert psm.cfg["_config"].exp["flag_file_dir"] == str(tmp_path / "flags")
    assert psm.cfg["_status_file_dir"] == str(tmp_path / "flags")
    assert psm.cfg["pipeline_name"] == "count"
    assert psm.cfg["_multi_pipelines"] is True
    assert psm.cfg.get("nothing") is None
    assert psm.status_schema["failed"]["color"] == [220, 20, 60]


def test_a_configuration_s_password_shows_in_no_repr(tmp_path: Path) -> None:
    database = {"sqlite_url": str(tmp_path / "x.sqlite"), "password": "hidden"}
    psm = PipestatManager.from_config({"pipeline_name": "count", "database": database})
    assert "hidden" not in f"{psm.cfg!r} {psm.cfg['_config']!r} {psm.backend!r} {psm}"
    assert psm.cfg["_config"]["database"]["password"] == "hidden"
    psm.close()


def test_what_is_set_on_the_manager_shows_in_cfg_and_back(make: Make) -> None:
    psm = make()
    psm.record_identifier = "s1"
    assert psm.cfg["record_identifier"] == psm.cfg["_sample_name"] == "s1"
    psm.cfg["_output_dir"] = "elsewhere"
    assert psm.output_dir == "elsewhere"
    with pytest.raises(UnsupportedOperation, match="cannot be set here"):
        psm.cfg["_file"] = "other.yaml"
    assert set(psm.cfg) >= {"_config", "_file"}
    assert len(psm.cfg) == len(list(psm.cfg))


def test_the_backend_does_what_the_manager_does(make: Make, results: Path) -> None:
    psm = make(record_identifier="s1")
    psm.report({"n": 1, "m": 2}, "s1")
    psm.backend.set_status("failed", "s1")
    assert psm.backend.get_status(record_identifier="s1") == psm.get_status("s1") == "failed"
    flag = results.parent / "count_s1_failed.flag"
    assert psm.backend.get_status_flag_path("failed") == str(flag)
    assert flag.read_text() == "failed"
    assert psm.backend.list_results(record_identifier="s1") == ["n", "m"]
    assert psm.backend.list_results(["m", "x"], "s1") == ["m"]
    assert psm.backend.check_result_exists("n", "s1")
    assert not psm.backend.check_record_exists("s2")
    assert psm.backend.list_results(record_identifier="s2") == []
    assert psm.backend.remove_record(record_identifier="s1", rm_record=True) is True
    assert psm.backend.remove_record(record_identifier="s1", rm_record=True) is False
    assert psm.count_records() == 0
    assert not hasattr(psm.backend, "_data")
    assert getattr(psm.backend, "db_engine_key", "none") == "none"


def test_schemas_of_both_levels_are_there(make: Make, tmp_path: Path) -> None:
    assert make().all_result_schemas == {"sample": {}, "project": {}}
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    found = make(schema_path=tmp_path / "schema.yaml").all_result_schemas
    assert ([*found["sample"]], found["project"]) == (["n", "text"], {})
