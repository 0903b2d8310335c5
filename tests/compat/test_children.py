"""Processes that a program starts on the drop-in: pipelines of their own, in other Pythons too."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from tests.compat.programs import OURS, SHIM, drop_in, run
from tests.environments import PythonEnvironment

# A pipeline that knows nothing of the drop-in. Its last line: where its modules come from.
PIPELINE = """
import json, sys
from pipestat import PipestatManager
from pipestat.exceptions import RecordNotFoundError
psm = PipestatManager.from_file_backend("results.yaml", pipeline_name="p", record_identifier="s1")
psm.report({"n": 1})
psm.set_status("completed")
try:
    psm.retrieve_one("s2")
except RecordNotFoundError:
    loaded = {n: m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] == "pipestat"}
    print(json.dumps(loaded))
"""
# A program, such as looper, that starts it through a shell, and pipestat's command after it.
PROGRAM = """
import subprocess
subprocess.run(["sh", "-c", "python pipeline.py > loaded.json"], check=True)
subprocess.run("pipestat report -f results.yaml -r s2 -i n -v two --pipeline-name p".split(),
               check=True)
subprocess.run("pipestat status get -f results.yaml -r s1 --pipeline-name p".split(), check=True)
"""


def test_a_pipeline_and_the_command_run_on_this_package(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = drop_in(looper, "program.py", cwd=tmp_path)
    loaded = json.loads((tmp_path / "loaded.json").read_text())
    assert set(loaded) == {"pipestat", "pipestat.exceptions"}
    assert all("/pipestat_spec/compat/names/" in file for file in loaded.values())
    assert done.stdout == "completed\n"
    text = (tmp_path / "results.yaml").read_text()
    records = yaml.safe_load(text)["p"]["sample"]
    assert {name: record["n"] for name, record in records.items()} == {"s1": 1, "s2": "two"}
    assert "# pipestat-spec: " in text


def test_without_the_drop_in_the_same_program_runs_on_pipestat(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    done = run(looper, "python", "pipeline.py", cwd=tmp_path)
    loaded = json.loads(done.stdout)
    assert "pipestat.backends.abstract" in loaded
    assert "# pipestat-spec: " not in (tmp_path / "results.yaml").read_text()


def test_a_module_of_pipestat_as_a_child_s_first_import(tmp_path: Path) -> None:
    for text in ("from pipestat.const import STATUS", "import pipestat.helpers"):
        run(OURS, "python", "-c", text, cwd=tmp_path, PYTHONPATH=str(SHIM))
    done = run(OURS, "python", "-m", "pipestat", "-V", cwd=tmp_path, PYTHONPATH=str(SHIM))
    assert done.stdout.startswith("pipestat-spec ")


def test_a_python_without_this_package_gets_the_pipestat_that_it_has(
    reference: PythonEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    done = run(reference, "python", "pipeline.py", cwd=tmp_path, PYTHONPATH=str(SHIM))
    assert "pipestat.backends.abstract" in json.loads(done.stdout)
    warning = f"warning: {reference.python} has no pipestat_spec "
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning")]
    assert len(lines) == 1
    assert lines[0].startswith(warning)
    assert lines[0].endswith("; the pipestat that is installed there is used")


def test_a_python_with_neither_says_so(tmp_path: Path) -> None:
    # Without `site` nothing is installed for it.
    command = (OURS.python, "-S", "-c", "import pipestat")
    done = run(OURS, *command, cwd=tmp_path, code=1, PYTHONPATH=str(SHIM))
    first, *_, last = done.stderr.splitlines()
    assert first.startswith("warning: ")
    assert last.startswith("ModuleNotFoundError: ")
    assert "'pipestat'" in last


def test_an_isolated_python_is_left_alone(looper: PythonEnvironment, tmp_path: Path) -> None:
    text = "import pipestat; print(pipestat.__file__)"
    done = run(looper, "python", "-I", "-c", text, cwd=tmp_path, PYTHONPATH=str(SHIM))
    assert Path(done.stdout.strip()).is_relative_to(looper.folder)


def test_the_tests_have_no_pipestat_of_their_own() -> None:
    assert "pipestat" not in sys.modules
