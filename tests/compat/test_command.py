"""The command `pipestat` of the drop-in takes the options of pipestat's command."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipestat_spec.compat.command import main
from pipestat_spec.compat.manager import PipestatManager


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    "options",
    [
        ("--silent",),
        ("--verbosity", "3"),
        ("--verbosity=DEBUG",),
        ("--logdev", "--verbosity", "1", "--silent"),
    ],
)
def test_options_of_the_log(folder: Path, options: tuple[str, ...]) -> None:
    # A value may look like such an option.
    report = ("report", "-f", "r.yaml", "-r", "s1", "-i", "note", "-v", "--silent")
    assert run(*options, *report, "--pipeline-name", "count") == 0
    found = yaml.safe_load((folder / "r.yaml").read_text())
    assert found["count"]["sample"]["s1"]["note"] == "--silent"


@pytest.mark.parametrize(
    "options", [("-g",), ("-n", "demo"), ("--project-name=demo", "--generic-config")]
)
def test_init_writes_a_configuration(folder: Path, options: tuple[str, ...]) -> None:
    assert run("init", *options) == 0
    assert (folder / "pipestat.yaml").exists()


def test_infer_schema_takes_the_name_of_a_project(folder: Path) -> None:
    PipestatManager(results_file_path="r.yaml", pipeline_name="count").report({"n": 1}, "s1")
    assert run("infer-schema", "-f", "r.yaml", "-n", "demo", "-o", "s.yaml") == 0
    schema = yaml.safe_load((folder / "s.yaml").read_text())
    assert schema["samples"]["n"]["type"] == "integer"


def test_an_empty_setting_is_none() -> None:
    psm = PipestatManager(results_file_path="r.yaml", pipeline_name="", project_name="")
    assert psm.pipeline_name == "default_pipeline_name"
    assert psm.project_name is None
    with pytest.raises(ValueError, match="record_identifier is empty"):
        PipestatManager(results_file_path="r.yaml", record_identifier="")
