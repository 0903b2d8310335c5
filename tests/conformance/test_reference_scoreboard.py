"""pipestat 0.13.1 against the suite: it fails what it is known to fail, and nothing else.

It is never conformant, and what it does right must not be forgotten either. When vectors
change, `conformance_tests/targets/known_failures.py` writes the file anew, and a run with
PIPESTAT_TRIALS=full looks at all of it; any other run at one vector in three, since neither
pipestat 0.13.1 nor what its harness does with it changes.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import pytest
from pipestat_conformance.known_failures import read_known_failures
from pipestat_conformance.vectors import load_vectors

from tests.conformance.suite_runs import FULL, words
from tests.environments import (
    REPOSITORY,
    MissingPart,
    PythonEnvironment,
    clean_environment,
    reference_environment,
)
from tests.forking import running
from tests.legs import leave_out

TARGETS = REPOSITORY / "conformance_tests" / "targets"
KNOWN = TARGETS / "pipestat-0.13.1.known-failures.yaml"
SCOREBOARD = REPOSITORY / "docs" / "scoreboard.md"
_SECONDS = 1500


def _module(name: str) -> ModuleType:
    spec = spec_from_file_location(f"targets_{name}", TARGETS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # Dataclasses look for the module that they are defined in.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bare_reference() -> PythonEnvironment:
    """pipestat without its extras."""
    try:
        return reference_environment("reference-bare")
    except MissingPart as missing:
        leave_out("reference", str(missing), "connect to a package index for 'pip install'")


def chosen() -> list[str]:
    """Return the ids of the vectors of this run: neighbours ask much the same."""
    ids = [vector.id for vector in load_vectors()]
    return ids if FULL else ids[::3]


@pytest.fixture(scope="module")
def report(
    bare_reference: PythonEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Any]:
    """The report of a run with the file of known failures."""
    folder = tmp_path_factory.mktemp("reference")
    # Each vector needs a process or two, and pipestat takes long to import. Without the variable
    # the order of its sets would change from run to run.
    with running(
        str(TARGETS / "reference_harness.py"),
        ["reference_harness:read_own_files_once"],
        python=bare_reference.python,
        environment=clean_environment(PYTHONHASHSEED="0", PYTHONPATH=str(TARGETS)),
    ) as harness:
        command = [sys.executable, "-m", "pipestat_conformance", "run"]
        options = ["--quick", "--known-failures", str(KNOWN), "--report", str(folder)]
        # Longer than the harness waits for pipestat.
        options += ["--timeout", "300", *words("--vector", chosen())]
        done = subprocess.run(
            [*command, "--exec", shlex.join(harness), *options],
            cwd=REPOSITORY,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return found


@pytest.mark.reference
@pytest.mark.slow
@pytest.mark.timeout(_SECONDS)
def test_the_reference_fails_what_is_known_and_nothing_else(report: Mapping[str, Any]) -> None:
    verdicts = {result["id"]: result["verdict"] for result in report["results"]}
    assert report["target"] == {
        "name": "pipestat",
        "version": "0.13.1",
        "language": "Python",
        "driver": "json-lines",
    }
    assert verdicts.keys() == set(chosen())
    assert "error" not in verdicts.values()
    known_failures = _module("known_failures")
    # What depends on where a second ends may fail by luck in one run, and pass in another.
    luck, reasons = known_failures.clock_reasons(), known_failures.load_reasons()
    unknown = [
        failure["id"]
        for failure in report["failures"]
        if failure["verdict"] == "fail" and known_failures.reason_for(failure, reasons) not in luck
    ]
    assert not unknown, "write the file of known failures anew"
    lucky = _ids_with(luck)
    passing = [id for id, verdict in verdicts.items() if verdict == "xpass" and id not in lucky]
    assert not passing, "it passes what it is known to fail: write the file anew"
    complaints = [line for line in report["known_failures"]["complaints"] if ": passes" not in line]
    assert not complaints
    # It is judged, and not only failed.
    assert list(verdicts.values()).count("pass") > 100
    for profile in ("core", "history", "query", "yaml-layout"):
        counts = report["profiles"][profile]["counts"]
        assert counts["pass"] > 0
        assert counts["xfail"] > 0


def _ids_with(reasons: set[str]) -> set[str]:
    return {entry.id for entry in read_known_failures(KNOWN).entries if entry.reason in reasons}


def test_every_known_failure_is_a_vector_and_has_one_of_the_reasons() -> None:
    entries = read_known_failures(KNOWN).entries
    ids = {vector.id for vector in load_vectors()}
    reasons = {entry["reason"] for entry in _module("known_failures").load_reasons()}
    assert not [entry.id for entry in entries if entry.id not in ids]
    assert not {entry.reason for entry in entries} - reasons
    used = {entry.reason for entry in entries}
    assert not reasons - used, "a reason that explains nothing"


def test_a_failure_without_a_reason_is_an_error() -> None:
    failure = {
        "id": "new.vector",
        "verdict": "fail",
        "step": "1",
        "steps": [{"op": "open"}, {"op": "report", "id": "1"}],
        "message": "something that nobody has looked at",
    }
    with pytest.raises(LookupError, match=r"new\.vector \| report"):
        _module("known_failures").known_failures({"failures": [failure]})


def test_the_scoreboard_lists_the_known_failures() -> None:
    listed = _module("known_failures").listed()
    written = SCOREBOARD.read_text("utf-8")
    scoreboard = _module("scoreboard")
    for section in (
        "".join(scoreboard.reference_section(listed)),
        scoreboard.about_the_reference(),
    ):
        assert section in written, "run conformance_tests/targets/scoreboard.py"


def test_the_harness_uses_what_its_environment_has() -> None:
    import ast

    tree = ast.parse((TARGETS / "reference_harness.py").read_text("utf-8"))
    used = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else _names(node))
        if name
    }
    assert used - set(sys.stdlib_module_names) == {"pipestat", "yaml"}


def _names(node: Any) -> list[str]:
    return [alias.name for alias in node.names]
