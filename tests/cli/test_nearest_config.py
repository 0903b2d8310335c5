"""The nearest `pipestat.yaml` is the configuration where nothing else names one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from tests import patience
from tests.cli.runs import Run, stored
from tests.environments import clean_environment


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a configuration; the working folder is two below it."""
    (folder / "pipestat.yaml").write_text(
        "results_file_path: out/results.yaml\n"
        "schema_path: schema.yaml\n"
        "project_name: cohort\n"
        "record_identifier: s1\n"
    )
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return folder


def test_it_is_found_above(run: Run, project: Path) -> None:
    assert run("report", "reads=12").err == "s1: reported reads\n"
    assert stored(project / "out" / "results.yaml") == {"reads": 12}
    assert run("report", "reads=many", code=1).err.startswith("error: result 'reads'")


def test_the_nearest_counts(run: Run, project: Path) -> None:
    (project / "a" / "pipestat.yaml").write_text("results_file_path: near.yaml\n")
    (project / "a" / "b" / "pipestat.yaml").mkdir()
    run("report", "-r", "s2", "n:=1")
    assert (project / "a" / "near.yaml").exists()
    assert not (project / "out").exists()


def test_inspect_tells(run: Run, project: Path) -> None:
    run("report", "reads=12")
    config = project / "pipestat.yaml"
    assert f"config file: {config} (the nearest pipestat.yaml)\n" in run("inspect").out
    found = json.loads(run("inspect", "--format", "json").out)
    assert (found["config_file"], found["config_found"]) == (str(config), True)
    named = run("inspect", "-c", str(config)).out
    assert f"config file: {config}\n" in named
    assert (
        json.loads(run("inspect", "-c", str(config), "--format", "json").out)["config_found"]
        is False
    )


def test_the_managers_find_it_too(project: Path) -> None:
    job: Any = SimpleNamespace(
        params=SimpleNamespace(),
        config={},
        wildcards={"sample": "s7"},
        rule="align",
        resources=None,
    )
    for psm in (PipestatManager(), PipestatManager.from_snakemake(job)):
        assert psm.config_path == str(project / "pipestat.yaml")
        assert psm.file == str(project / "out" / "results.yaml")
        assert psm.project_name == "cohort"
        assert psm.pipeline_name == "rnaseq"
    assert psm.record_identifier == "s7"


def test_it_is_weaker_than_the_environment(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPESTAT_PROJECT_NAME", "exported")
    assert PipestatManager().project_name == "exported"
    assert PipestatManager(project_name="given").project_name == "given"
    named = PipestatManager(config_file=project / "pipestat.yaml")
    assert named.project_name == "cohort"
    monkeypatch.setenv("PIPESTAT_RESULTS_FILE", "exported.yaml")
    assert PipestatManager().file == str(project / "a" / "b" / "exported.yaml")


def test_it_fills_in_what_is_left_open(run: Run, project: Path) -> None:
    run("report", "-f", "own.yaml", "reads=3")
    document = (project / "a" / "b" / "own.yaml").read_text()
    assert document.startswith("rnaseq:")
    assert "reads: 3" in document
    run("report", "-f", "own.yaml", "reads=x", code=1)


def test_another_configuration_takes_its_place(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = project / "other.yaml"
    other.write_text("results_file_path: other_results.yaml\npipeline_name: other\n")
    assert PipestatManager(config_file=other).project_name is None
    assert PipestatManager.from_config({"results_file_path": "r.yaml"}).project_name is None
    monkeypatch.setenv("PIPESTAT_CONFIG", str(other))
    assert PipestatManager().project_name is None


def test_what_is_wrong_in_it_is_said(run: Run, project: Path) -> None:
    (project / "pipestat.yaml").write_text("result_file_path: r.yaml\n")
    done = run("report", "reads=1", code=1)
    assert done.err.startswith(f"error: {project / 'pipestat.yaml'}: unknown key")


def test_the_schema_of_the_configured_store(run: Run, project: Path) -> None:
    run("report", "reads=12")
    assert "reads" in run("infer-schema").out


def test_init_leads_on(run: Run, folder: Path) -> None:
    (folder / "schema.yaml").unlink()
    done = run("init")
    assert done.err.splitlines() == [
        "wrote pipestat.yaml",
        "wrote output_schema.yaml",
        "next: edit output_schema.yaml, then pipestat-spec report -r sample1 reads=1200",
    ]
    assert run("validate").err.splitlines()[0].startswith("warning: there are no results at")
    assert run("report", "-r", "sample1", "reads=1200").err == "sample1: reported reads\n"
    assert run("status", "list", "--format", "csv").out.splitlines()[1] == "sample1,,,"
    there = run("init", "my project").err.splitlines()[-1]
    assert "cd 'my project' && pipestat-spec report" in there
    assert run("init", "-q", "quiet").err == ""


def in_a_deleted_folder(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = (
        "import os, sys\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "from pipestat_spec.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )


def test_a_deleted_working_folder(folder: Path) -> None:
    for place in (folder / "r.yaml", folder / "r.db"):
        where = ["-f", str(place), "-s", str(folder / "schema.yaml"), "-r", "s1"]
        done = in_a_deleted_folder(folder, "report", *where, "reads=1")
        assert (done.returncode, done.stderr) == (0, "s1: reported reads\n")
        assert in_a_deleted_folder(folder, "retrieve", *where, "-i", "reads").stdout == "1\n"
    done = in_a_deleted_folder(folder, "report", "-f", "r.yaml", "-r", "s1", "reads=1")
    assert done.returncode == 1
    assert done.stderr == (
        "error: r.yaml is relative to the working folder, which was deleted; "
        "give an absolute path, or go to another folder\n"
    )
    done = in_a_deleted_folder(folder, "select")
    assert (done.returncode, done.stderr[:30]) == (1, "error: no store is named; give")
