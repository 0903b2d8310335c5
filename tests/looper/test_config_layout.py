"""What a configuration of looper's own making means for the layout (PS-CFG-012)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from tests.looper.projects import OUTPUT_SCHEMA


def looper_file(folder: Path, store: str, name: str = "pipestat_config_lines.yaml") -> Path:
    """Write a configuration as looper 2.1.1 does, and the output schema of its pipeline."""
    (folder / "schema.yaml").write_text(OUTPUT_SCHEMA.format(name="lines"))
    path = folder / name
    path.write_text(
        f"output_dir: {folder}\npipeline_name: lines\nschema_path: {folder}/schema.yaml\n{store}\n"
    )
    return path


def report(config: Path, record: str = "frog_1", **settings: Any) -> None:
    with PipestatManager(config_file=config, **settings) as psm:
        psm.report({"number_of_lines": 3}, record)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("template", ["r.yaml", "{record_identifier}/stats.yaml"])
def test_a_new_namespace_has_levels(tmp_path: Path, template: str) -> None:
    report(looper_file(tmp_path, f"results_file_path: '{tmp_path}/{template}'"))
    stored = read(tmp_path / template.format(record_identifier="frog_1"))
    assert list(stored["lines"]) == ["project", "sample"]
    assert stored["lines"]["sample"]["frog_1"]["number_of_lines"] == 3


def test_beside_the_namespace_of_another_pipeline(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("first:\n  project: {}\n  sample: {}\n")
    config = looper_file(tmp_path, f"results_file_path: {tmp_path}/r.yaml")
    report(config, multi_pipelines=True)
    assert list(read(tmp_path / "r.yaml")["lines"]["sample"]) == ["frog_1"]


def test_an_existing_namespace_keeps_its_layout(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("lines:\n  frog_0:\n    number_of_lines: 1\n")
    report(looper_file(tmp_path, f"results_file_path: {tmp_path}/r.yaml"))
    assert list(read(tmp_path / "r.yaml")["lines"]) == ["frog_0", "frog_1"]


def test_a_layout_in_the_file_is_stronger(tmp_path: Path) -> None:
    report(looper_file(tmp_path, f"results_file_path: {tmp_path}/r.yaml\nlayout: records"))
    assert list(read(tmp_path / "r.yaml")["lines"]) == ["frog_1"]


def test_tables_of_a_new_database_have_levels(tmp_path: Path) -> None:
    report(looper_file(tmp_path, f"database: {{sqlite_url: {tmp_path}/r.db}}"))
    with sqlite3.connect(tmp_path / "r.db") as database:
        found = database.execute("SELECT record_identifier, project_name FROM lines__sample")
        assert found.fetchall() == [("frog_1", "project")]
    database.close()


@pytest.mark.parametrize("name", ["pipestat_config.yaml", "pipestat_config_other.yaml"])
def test_any_other_file_follows_the_output_schema(tmp_path: Path, name: str) -> None:
    report(looper_file(tmp_path, f"results_file_path: {tmp_path}/r.yaml", name))
    assert list(read(tmp_path / "r.yaml")["lines"]) == ["frog_1"]
