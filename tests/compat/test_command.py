"""The command `pipestat` of the drop-in takes the options of pipestat's command."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipestat_spec.cli.dispatch import build_parser
from pipestat_spec.compat.command import main, without_effect
from pipestat_spec.compat.manager import PipestatManager
from tests.environments import PythonEnvironment


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
    "options", [("-g",), ("-n", "demo"), ("-ndemo", "-g"), ("--project-name=", "--generic-config")]
)
def test_init_writes_a_configuration(folder: Path, options: tuple[str, ...]) -> None:
    assert run("init", *options) == 0
    assert (folder / "pipestat.yaml").exists()


def test_infer_schema_takes_the_name_of_a_project(folder: Path) -> None:
    PipestatManager(results_file_path="r.yaml", pipeline_name="count").report({"n": 1}, "s1")
    assert run("infer-schema", "-f", "r.yaml", "-n", "demo", "-o", "s.yaml") == 0
    schema = yaml.safe_load((folder / "s.yaml").read_text())
    assert schema["samples"]["n"]["type"] == "integer"


OPTIONS = """
import argparse, json
from pipestat.argparser import build_argparser

def options(parser, *words):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from options(command, *words, word)
        for text in action.option_strings:
            yield [*words], text, action.nargs != 0, action.choices

print(json.dumps(list(options(build_argparser("")))))
"""
# Reading over HTTP is not here yet.
MISSING = "serve"


def test_every_option_of_pipestat(folder: Path, reference: PythonEnvironment) -> None:
    """Each is taken by the same command, with a value where pipestat wants one."""
    found = reference.script(OPTIONS, cwd=folder)
    assert isinstance(found, list)
    assert len(found) > 150
    refused = []
    for words, option, has_value, choices in found:
        if words in ([], ["status"]) or MISSING in words:
            continue
        value = choices[0] if choices else "x"
        rest = without_effect([*words, option, *([value] if has_value else [])])[len(words) :]
        taken = {
            text: a.nargs is None
            for a in build_parser(" ".join(words)).actions()
            for text in a.option_strings
        }
        if rest and taken.get(option) != has_value:
            refused.append((words, option))
    assert not refused


def test_a_file_of_json_as_a_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """pipestat reads it where the result is an object; here it is said how it is read."""
    (folder / "schema.yaml").write_text("pipeline_name: count\nsamples: {plot: {type: object}}\n")
    (folder / "plot.json").write_text('{"n": 1}')
    report = ("report", "-f", "r.yaml", "-s", "schema.yaml", "-r", "s1")
    assert run(*report, "-i", "plot", "-v", "plot.json") == 1
    assert "'plot:=@plot.json'" in capsys.readouterr().err
    assert run(*report, "plot:=@plot.json") == 0
    found = yaml.safe_load((folder / "r.yaml").read_text())
    assert found["count"]["sample"]["s1"]["plot"] == {"n": 1}


def test_an_empty_setting_is_none() -> None:
    psm = PipestatManager(results_file_path="r.yaml", pipeline_name="", project_name="")
    assert psm.pipeline_name == "default_pipeline_name"
    assert psm.project_name is None
    with pytest.raises(ValueError, match="record_identifier is empty"):
        PipestatManager(results_file_path="r.yaml", record_identifier="")
