"""A third party's backend, from wheels in an empty environment to its badge.

The console blocks of its README run as they stand, but for the installation: the wheels of
package and suite are installed, and the backend as a wheel of its own, so that what a wheel
lacks is found.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile

import pytest

from tests.conformance.suite_runs import (
    FULL,
    one_of_each_trial,
    run_suite,
    run_trials,
    storing_vectors,
    trials_of,
    words,
)
from tests.docs.test_code_blocks import Block, Reader
from tests.environments import (
    MissingPart,
    PythonEnvironment,
    built_distributions,
    clean_environment,
    third_party_environment,
)
from tests.legs import leave_out
from tests.repository import REPOSITORY

SUITE = REPOSITORY / "conformance_tests"
EXAMPLE = REPOSITORY / "examples" / "third_party_backend"
STORE = '{"path": "{tmp}/lmdb"}'
Made = TypeVar("Made")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def wheels() -> dict[str, Path]:
    """The wheels of package and suite, as they are distributed."""
    built = _made(built_distributions)
    return {path.name.partition("-")[0]: path for path in built.glob("pipestat_*.whl")}


@pytest.fixture(scope="module")
def installed() -> PythonEnvironment:
    """An environment that holds the wheels and what they ask for, and nothing else."""
    return _made(lambda: third_party_environment(EXAMPLE))


def _made(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except MissingPart as missing:
        leave_out("wheels", str(missing), "connect to a package index for 'pip install'")


def _files(wheel: Path) -> set[str]:
    with ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if not name.endswith("/")}


def test_the_wheel_of_the_suite_holds_its_data(wheels: dict[str, Path]) -> None:
    found = _files(wheels["pipestat_conformance"])
    wanted = {
        "pipestat_conformance/data/requirements.yaml",
        "pipestat_conformance/data/rules.json",
        "pipestat_conformance/data/protocol/README.md",
        *(
            f"pipestat_conformance/data/{path.relative_to(SUITE)}"
            for folder in ("vectors", "schemas", "protocol")
            for path in (SUITE / folder).rglob("*.json")
        ),
    }
    assert not wanted - found
    # What checks the suite itself is for its developers.
    assert {name.partition("/")[0].partition("-")[0] for name in found} == {"pipestat_conformance"}


def test_who_stores_results_installs_no_suite(wheels: dict[str, Path]) -> None:
    found = _files(wheels["pipestat_spec"])
    assert {name.partition("/")[0].partition("-")[0] for name in found} == {
        *("pipestat_spec", "pipestat_pephub", "pipestat_serve", "pipestat_sql", "pipestat_yaml"),
        *("pipestat_report", "pipestat_exports"),
    }
    with ZipFile(wheels["pipestat_spec"]) as wheel:
        (points,) = [name for name in found if name.endswith(".dist-info/entry_points.txt")]
        (metadata,) = [name for name in found if name.endswith(".dist-info/METADATA")]
        assert b"conformance" not in wheel.read(points)
        lines = wheel.read(metadata).decode("utf-8").splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist:")]
    assert needed
    assert not [line for line in needed if "pytest" in line or "conformance" in line]


def test_all_that_it_claims_is_conformant(installed: PythonEnvironment, tmp_path: Path) -> None:
    options = ["--backend", "lmdb", "--store", STORE, "--quick", *storing_vectors()]
    report = run_suite(tmp_path, *options, python=installed.python)
    assert report["outcome"] == ("conformant" if FULL else "selection")
    for profile in ("core", "history", "query"):
        assert report["profiles"][profile]["outcome"] == report["outcome"]


def test_no_trial_finds_a_fault(installed: PythonEnvironment, tmp_path: Path) -> None:
    trials = one_of_each_trial()
    options = words("--vector", trials)
    verdicts = run_trials(tmp_path, "lmdb", STORE, *options, python=installed.python)
    assert verdicts.keys() == trials_of(trials)
    others = {"trial.mixed.writers", "trial.mixed.exchange", "trial.sql.new-database"}
    assert {id for id, verdict in verdicts.items() if verdict != "pass"} == others


def test_the_commands_of_its_readme_print_what_it_shows(
    installed: PythonEnvironment, tmp_path: Path
) -> None:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "report"))
    reader = InstalledReader(EXAMPLE / "README.md", folder)
    reader.environment["PATH"] = f"{installed.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    del reader.environment["PYTHONPATH"]
    reader.follow()
    assert reader.left_out == 3
    # What the verdict on core leaves.
    for name in ("report.json", "junit.xml", "matrix.md", "matrix.html"):
        assert (folder / "report" / name).stat().st_size
    badge = (folder / "report" / "badge-core.json").read_text()
    assert badge == (EXAMPLE / "badge-core.json").read_text()


class InstalledReader(Reader):
    """Follows a document whose three lines of installation are done already."""

    left_out = 0

    def run_console(self, block: Block) -> None:
        lines = block.body.splitlines(keepends=True)
        kept = [line for line in lines if ".venv" not in line]
        self.left_out += len(lines) - len(kept)
        super().run_console(replace(block, body="".join(kept)))


def test_its_own_tests_pass(installed: PythonEnvironment, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    shutil.copy(EXAMPLE / "pyproject.toml", tmp_path)
    done = _run([str(installed.python), "-m", "pytest", "-q", "tests/test_lmdb.py"], tmp_path)
    assert done.returncode == 0, done.stdout


def test_it_uses_the_public_interface_only() -> None:
    import ast

    from tests.architecture.test_imports import FOR_PLUGINS

    used = set()
    for path in (EXAMPLE / "pipestat_lmdb").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module)
    ours = {name for name in used if name.startswith("pipestat_spec")}
    assert ours
    assert not [
        name for name in ours if not any(f"{name}.".startswith(f"{ok}.") for ok in FOR_PLUGINS)
    ]


def _run(command: list[str], cwd: Path, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
