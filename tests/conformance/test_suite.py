"""`suite`: one test for each vector, in a pytest of its own; and what importing costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from packaging.requirements import Requirement
from pipestat_conformance._version import __version__ as suite_version
from pipestat_conformance.reports.document import check_report
from pipestat_conformance.trials import ALL
from pipestat_conformance.vectors import load_vectors

from pipestat_spec import __version__ as package_version
from tests import patience
from tests.conformance.conftest import tiny_command
from tests.environments import clean_environment
from tests.repository import REPOSITORY

SUITE = REPOSITORY / "conformance_tests"

BACKEND = """
from pipestat_conformance import suite

TestMemory = suite("memory", store=lambda tmp: {{"path": f"{{tmp}}/r"}}{more})
"""
# A backend, a program that is wrong, and a backend with a reader that says otherwise.
THREE = (
    BACKEND
    + """
TestTiny = suite(command={command!r}, profiles=["core"])
TestRead = suite(
    "memory",
    store=lambda tmp: {{"path": f"{{tmp}}/r"}},
    reader=lambda store, level: {{"s1": {{"n": "other"}}}},
    profiles=["core"],
)
"""
)
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
# Plugins that have no part in it, and take as long as the rest to start.
PYTEST += ["-p", "no:anyio", "-p", "no:hypothesispytest"]
IDS = "report.persist.reopen or report.conflict.nothing-stored or probe or trial"


def pytest_run(
    folder: Path, text: str, *options: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    (folder / "test_mine.py").write_text(text)
    done = subprocess.run(
        [
            *(*PYTEST, "-W", "error", "--junitxml", "r.xml", "--strict-markers", *options),
        ],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    verdicts = {}
    for case in ElementTree.parse(folder / "r.xml").iter("testcase"):
        name = f"{case.attrib['classname'].rpartition('.')[2]}.{case.attrib['name']}"
        verdicts[name] = next((child.tag for child in case), "passed")
    return done, verdicts


def test_every_vector_and_trial_is_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(BACKEND.format(more=""))
    done = subprocess.run(
        [*PYTEST, "--collect-only"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    ids = {line.partition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "[" in line}
    assert ids >= {vector.id for vector in load_vectors()} | set(ALL)


def test_what_passes_and_what_fails(tmp_path: Path) -> None:
    text = THREE.format(more=', profiles=["core"]', command=tiny_command(wrong="forgets"))
    done, verdicts = pytest_run(tmp_path, text, "-k", IDS)
    assert done.returncode == 1
    wanted = {
        "TestMemory.test_vector[report.persist.reopen]": "passed",
        "TestMemory.test_vector[report.conflict.nothing-stored]": "passed",
        "TestMemory.test_vector[probe.history]": "skipped",
        "TestMemory.test_trial[trial.kill.acknowledged]": "skipped",
        "TestTiny.test_vector[report.persist.reopen]": "failure",
        "TestTiny.test_vector[report.conflict.nothing-stored]": "passed",
        "TestRead.test_vector[report.conflict.nothing-stored]": "failure",
    }
    assert {name: verdicts[name] for name in wanted} == wanted
    assert "failure" not in {v for name, v in verdicts.items() if name.startswith("TestMemory")}
    assert "PS-VAL-013: On every backend a reader MUST" in done.stdout
    assert "something else than the target says" in done.stdout


def test_suite_takes_one_of_two() -> None:
    from pipestat_conformance import suite

    with pytest.raises(TypeError):
        suite()
    with pytest.raises(TypeError):
        suite("memory", command="x")


def test_a_report_like_that_of_the_command(tmp_path: Path) -> None:
    ids = "report.persist.reopen or report.conflict.nothing-stored"
    text = BACKEND.format(more="")
    done, _ = pytest_run(tmp_path, text, "-k", ids, "--conformance-report", "reports")
    assert done.returncode == 0, done.stdout
    folder = tmp_path / "reports" / "TestMemory"
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert check_report(report) is None
    assert report["outcome"] == "selection"
    assert report["selection"] == ["report.conflict.nothing-stored", "report.persist.reopen"]
    assert {result["id"]: result["verdict"] for result in report["results"]} == {
        "report.conflict.nothing-stored": "pass",
        "report.persist.reopen": "pass",
    }
    assert {path.name for path in folder.iterdir()} >= {"junit.xml", "matrix.html", "matrix.md"}


@pytest.mark.slow
def test_a_whole_class_gets_its_badge(tmp_path: Path) -> None:
    # The smallest of the profiles.
    text = BACKEND.format(more=', profiles=["emitter"]')
    done, _ = pytest_run(tmp_path, text, "--conformance-report", str(tmp_path / "reports"))
    assert done.returncode == 0, done.stdout
    folder = tmp_path / "reports" / "TestMemory"
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert (report["outcome"], report["selection"]) == ("conformant", [])
    badge = json.loads((folder / "badge-emitter.json").read_text("utf-8"))
    assert badge["message"] == "conformant"


def test_with_several_workers_there_is_no_report(tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed: pip install pytest-xdist")
    options = ("-n", "1", "-k", "report.persist.reopen", "--conformance-report", "reports")
    done, _ = pytest_run(tmp_path, BACKEND.format(more=""), *options)
    assert done.returncode == 1
    assert "--conformance-report needs one process" in done.stdout
    assert not (tmp_path / "reports").exists()


def test_a_pytest_that_does_not_use_it_imports_nothing() -> None:
    # The package itself is looked at by every command, the plugin by every pytest.
    script = (
        "import sys; import pipestat_conformance.command, pipestat_conformance.pytest_plugin; "
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("pipestat_conformance")} == {
        "pipestat_conformance",
        "pipestat_conformance.command",
        "pipestat_conformance.pytest_plugin",
    }
    assert not loaded & {"pytest", "yaml", "jsonschema", "pydantic", "argparse", "subprocess"}


def test_the_data_is_found_in_an_installed_package(tmp_path: Path) -> None:
    build = tomllib.loads((SUITE / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    package = tmp_path / "pipestat_conformance"
    shutil.copytree(SUITE / "pipestat_conformance", package)
    (package / "data").mkdir()
    for name, target in build["targets"]["wheel"]["force-include"].items():
        copy = shutil.copytree if (SUITE / name).is_dir() else shutil.copy
        copy(SUITE / name, tmp_path / target)
    script = (
        "from pipestat_conformance import vectors, catalogue, data_files\n"
        "print(len(vectors.load_vectors()), len(catalogue.load_catalogue()),"
        " len(catalogue.rule_texts()), data_files.rules_file())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=clean_environment(PYTHONPATH=str(tmp_path)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.split()
    files = (package / "data" / "vectors").rglob("*.json")
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    vectors = sum(len(found) if isinstance(found, list) else 1 for found in documents)
    rules = yaml.safe_load((package / "data" / "requirements.yaml").read_text(encoding="utf-8"))
    assert words[:3] == [str(vectors), str(len(rules)), str(len(rules))]
    assert len(rules) > 100
    assert words[3] == str(package / "data" / "rules.json")


def test_it_has_the_version_of_the_package_that_it_is_made_for() -> None:
    assert suite_version == package_version
    project = tomllib.loads((SUITE / "pyproject.toml").read_text("utf-8"))["project"]
    needed = map(Requirement, project["dependencies"])
    (ours,) = [one for one in needed if one.name == "pipestat-spec"]
    assert ours.specifier.contains(package_version)
