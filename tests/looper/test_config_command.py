"""`pipestat-spec looper-config` and `PipestatManager.from_looper`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipestat_spec import PipestatManager
from pipestat_spec.errors import MissingConfigDataError
from tests import patience
from tests.environments import clean_environment
from tests.looper.projects import STORES, write_looper_config, write_project

NAME = "example_pipestat_pipeline"


def command(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipestat_spec", "looper-config", *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )


def add_summary(folder: Path) -> None:
    """Add a project-level pipeline to a project."""
    (folder / "summary.yaml").write_text(
        "pipeline_name: summary\noutput_schema: summary_schema.yaml\n"
        "project_interface: {command_template: summarize}\n"
    )
    (folder / "summary_schema.yaml").write_text(
        "pipeline_name: summary\nproject: {total: {type: integer}}\n"
    )
    write_looper_config(folder, STORES["file"], ("pipeline_interface.yaml", "summary.yaml"))


def test_it_writes_prints_and_tells(tmp_path: Path) -> None:
    write_project(tmp_path, STORES["file"])
    path = tmp_path / "results" / f"pipestat_config_{NAME}.yaml"
    done = command(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{path}\n")
    assert done.stderr == f"{path}: written\n"
    done = command("-c", tmp_path / ".looper.yaml", cwd=Path("/"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
    path.write_text(path.read_text().replace("TEST_PROJECT_NAME", "mine"))
    done = command("--quiet", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        f"warning: {path}: project_name stays as it is, edited by hand; "
        "looper's configuration says TEST_PROJECT_NAME (-o takes that)\n"
    )
    done = command("-o", cwd=tmp_path)
    assert done.stderr == (
        f"{path}: refreshed project_name\n{path}: the former file is kept as {path}.bak\n"
    )
    assert yaml.safe_load(path.read_text())["project_name"] == "TEST_PROJECT_NAME"


def test_the_variables_of_command_templates_as_json(tmp_path: Path) -> None:
    write_project(tmp_path, STORES["file"])
    add_summary(tmp_path)
    done = command("--format", "json", "--dry-run", cwd=tmp_path)
    results = f"{tmp_path}/results"
    answer = json.loads(done.stdout)
    assert answer["total_size"] == 2
    assert answer["records"] == [
        {
            "pipeline_name": NAME,
            "config_file": f"{results}/pipestat_config_{NAME}.yaml",
            "levels": ["sample"],
            "action": "written",
            "template_variables": {
                "config_file": f"{results}/pipestat_config_{NAME}.yaml",
                "results_file": f"{results}/{NAME}/tmp_pipestat_results.yaml",
                "output_schema": f"{tmp_path}/pipeline_pipestat/pipestat_output_schema.yaml",
                "flag_file_dir": f"{tmp_path}/output/results_pipeline",
            },
        },
        {
            "pipeline_name": "summary",
            "config_file": f"{results}/pipestat_config_summary.yaml",
            "levels": ["project"],
            "action": "written",
            "template_variables": {
                "config_file": f"{results}/pipestat_config_summary.yaml",
                "results_file": f"{results}/summary/tmp_pipestat_results.yaml",
                "record_identifier": "TEST_PROJECT_NAME",
                "output_schema": f"{tmp_path}/summary_schema.yaml",
                "flag_file_dir": f"{tmp_path}/output/results_pipeline",
            },
        },
    ]
    assert not (tmp_path / "results").exists()


def test_an_interface_that_is_named(tmp_path: Path) -> None:
    write_project(tmp_path, STORES["file"])
    add_summary(tmp_path)
    done = command("--pipeline-interface", "summary.yaml", cwd=tmp_path)
    assert done.stdout == f"{tmp_path}/results/pipestat_config_summary.yaml\n"


def test_nothing_is_written_when_one_of_several_is_wrong(tmp_path: Path) -> None:
    write_project(tmp_path, STORES["file"])
    add_summary(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "pipestat_config_summary.yaml").write_text("a: [")
    done = command(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path}/results/pipestat_config_summary.yaml: line ")
    assert done.stderr.count("\n") == 1
    assert len(list((tmp_path / "results").iterdir())) == 1


def test_a_manager_from_looper_stores_where_looper_looks(tmp_path: Path) -> None:
    looper = write_project(tmp_path, STORES["file"])
    with PipestatManager.from_looper(looper, record_identifier="frog_1") as psm:
        assert psm.config_path == f"{tmp_path}/results/pipestat_config_{NAME}.yaml"
        assert psm.pipeline_name == NAME
        psm.report({"number_of_lines": 12})
        psm.set_status("completed")
    stored = yaml.safe_load(
        (tmp_path / "results" / NAME / "tmp_pipestat_results.yaml").read_text("utf-8")
    )
    assert list(stored[NAME]) == ["project", "sample"]
    assert stored[NAME]["sample"]["frog_1"]["number_of_lines"] == 12
    flag = tmp_path / "output" / "results_pipeline" / f"{NAME}_frog_1_completed.flag"
    assert flag.read_text() == "completed"


def test_a_manager_from_looper_of_a_project_pipeline(tmp_path: Path) -> None:
    looper = write_project(tmp_path, STORES["file"])
    add_summary(tmp_path)
    with pytest.raises(MissingConfigDataError) as info:
        PipestatManager.from_looper(looper)
    assert str(info.value) == (
        f"looper runs several pipelines: {NAME}, summary; say which one with pipeline_name"
    )
    with pytest.raises(MissingConfigDataError, match="looper runs no pipeline 'sumary'"):
        PipestatManager.from_looper(looper, "sumary")
    with PipestatManager.from_looper(looper, "summary") as psm:
        assert (psm.pipeline_type, psm.record_identifier) == ("project", "TEST_PROJECT_NAME")
        psm.report({"total": 3})
    with PipestatManager.from_looper(looper, pipeline_interface=tmp_path / "summary.yaml") as psm:
        assert psm.retrieve_one("TEST_PROJECT_NAME", "total") == 3


def test_a_manager_from_looper_of_sqlite(tmp_path: Path) -> None:
    looper = write_project(tmp_path, STORES["sqlite"])
    with PipestatManager.from_looper(looper, record_identifier="frog_1") as psm:
        psm.report({"number_of_lines": 3})
    # Relative to the configuration that was written.
    assert (tmp_path / "results" / "yourdatabase.sqlite3").exists()
