"""`python -m pipestat_spec.compat`: what it runs, and how that ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compat.programs import OURS, SHIM, drop_in
from tests.compat.project import write_project
from tests.environments import PythonEnvironment

# Prints where it runs, and ends with the code that is asked for.
TELL = """
import json, os, sys
import pipestat
print(json.dumps({
    "argv": sys.argv, "name": __name__, "file": __file__, "path": sys.path[:2],
    "main": sys.modules["__main__"].__file__, "manager": pipestat.PipestatManager.__module__,
    "PYTHONPATH": os.environ["PYTHONPATH"],
}))
sys.exit(int(sys.argv[1]))
"""
OPTIONS = "usage: python -m pipestat_spec.compat [--debug] COMMAND [ARGUMENT ...]\n"


def told(text: str) -> Any:
    return json.loads(text)


def test_a_script_runs_as_python_runs_it(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "tell.py"
    script.parent.mkdir()
    script.write_text(TELL)
    done = drop_in(OURS, "scripts/tell.py", "3", "--debug", cwd=tmp_path, code=3)
    assert told(done.stdout) == {
        "argv": ["scripts/tell.py", "3", "--debug"],
        "name": "__main__",
        "file": "scripts/tell.py",
        "path": [str(script.parent), str(SHIM)],
        "main": "scripts/tell.py",
        "manager": "pipestat_spec.compat.manager",
        "PYTHONPATH": str(SHIM),
    }
    assert done.stderr == ""


def test_a_module_runs_as_python_runs_it(tmp_path: Path) -> None:
    package = tmp_path / "tools"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tell.py").write_text(TELL)
    done = drop_in(OURS, "-m", "tools.tell", "0", cwd=tmp_path)
    found = told(done.stdout)
    assert found["argv"] == [str(package / "tell.py"), "0"]
    assert found["name"] == "__main__"
    assert found["path"] == [str(tmp_path), str(SHIM)]
    assert found["manager"] == "pipestat_spec.compat.manager"


def test_what_is_on_the_path_already_stays(tmp_path: Path) -> None:
    (tmp_path / "tell.py").write_text(TELL)
    for before in ("/first", f"{SHIM}{os.pathsep}/first"):
        found = told(drop_in(OURS, "tell.py", "0", cwd=tmp_path, PYTHONPATH=before).stdout)
        assert found["PYTHONPATH"] == f"{SHIM}{os.pathsep}/first"


def test_an_error_of_a_script_has_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "import pipestat\nraise pipestat.PipestatError('no reads')\n"
    )
    done = drop_in(OURS, "wrong.py", cwd=tmp_path, code=1)
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("PipestatError: no reads\n")


def test_an_installed_command(tmp_path: Path) -> None:
    # What the working folder holds does not get in the way of the command's own modules.
    (tmp_path / "pytest.py").write_text("raise SystemExit(9)")
    assert drop_in(OURS, "pytest", "--version", cwd=tmp_path).stdout.startswith("pytest ")
    # pytest's code for a usage error.
    drop_in(OURS, "pytest", "--no-such-option", cwd=tmp_path, code=4)


def test_an_installed_command_by_its_path(tmp_path: Path, looper: PythonEnvironment) -> None:
    path = looper.command("looper")
    assert path.is_file()
    # The drop-in writes the configuration, so it is run as the command that it is.
    project = write_project(
        tmp_path / "pond", results_file_path="results.yaml", project_name="pond"
    )
    drop_in(looper, str(path), "check", cwd=project)
    (config,) = project.glob("*/pipestat_config_count.yaml")
    assert "layout: levels" in config.read_text()


def test_pipestat_is_our_command_line_without_being_installed(tmp_path: Path) -> None:
    done = drop_in(OURS, "pipestat", "--version", cwd=tmp_path)
    assert done.stdout.startswith("pipestat-spec ")
    store = ("-f", "results.yaml", "--pipeline-name", "p")
    result = ("-i", "genome", "-v", "hg38")
    drop_in(OURS, "pipestat", "report", *store, "-r", "s1", *result, cwd=tmp_path)
    text = (tmp_path / "results.yaml").read_text()
    assert text.startswith("p:\n  project: {}\n  sample:\n    s1:\n      genome: hg38\n")


def test_pipestat_is_our_command_line_where_pipestat_is_installed(
    looper: PythonEnvironment, tmp_path: Path
) -> None:
    done = drop_in(looper, "pipestat", "--version", cwd=tmp_path)
    assert done.stdout.startswith("pipestat-spec ")
    # A command that is ours: pipestat has none of it.
    done = drop_in(looper, "pipestat", "select", "-f", "r.yaml", cwd=tmp_path, code=1)
    assert done.stderr.startswith("error: there are no results at ")


def test_an_unknown_command_is_one_line(tmp_path: Path) -> None:
    done = drop_in(OURS, "loper", "run", cwd=tmp_path, code=1)
    python = OURS.command("python")
    assert done.stderr == (
        f"error: no package that is installed for {python} has a command 'loper'\n"
    )
    done = drop_in(OURS, "missing.py", cwd=tmp_path, code=1)
    assert done.stderr == "error: there is no script 'missing.py'\n"


@pytest.mark.parametrize("arguments", [(), ("--nothing",), ("-m",), ("--debug",)])
def test_wrong_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = drop_in(OURS, *arguments, cwd=tmp_path, code=2)
    assert done.stderr.startswith(OPTIONS)
    assert done.stdout == ""


def test_help(tmp_path: Path) -> None:
    done = drop_in(OURS, "--help", cwd=tmp_path)
    assert done.stdout.startswith(OPTIONS)
    for part in ("-m MODULE", "SCRIPT.py", "--debug", "'pipestat' is the command line"):
        assert part in done.stdout


def test_processes_that_multiprocessing_spawns_have_it_too(tmp_path: Path) -> None:
    (tmp_path / "spawn.py").write_text(
        """
import multiprocessing

def told(_):
    import pipestat
    return pipestat.PipestatManager.__module__

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(told, [0])[0])
"""
    )
    done = drop_in(OURS, "spawn.py", cwd=tmp_path)
    assert done.stdout == "pipestat_spec.compat.manager\n"


def test_python_is_the_one_that_runs_the_tests() -> None:
    assert OURS.command("python").resolve() == Path(sys.executable).resolve()
