"""Runs of the suite's command, as anybody would start it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.environments import clean_environment
from tests.forking import running


def conformance(*arguments: str, timeout: int = 1500, python: str | Path = sys.executable) -> str:
    """Run the command and return what it printed, which a failure shows the end of."""
    done = subprocess.run(
        [python, "-m", "pipestat_conformance", *arguments],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def run_suite(
    folder: Path, *options: str, timeout: int = 1500, python: str | Path = sys.executable
) -> dict[str, Any]:
    """Run the suite on a target that passes, and return the report that it leaves in `folder`."""
    conformance("run", *options, "--report", str(folder), timeout=timeout, python=python)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


# What a process that serves the backend imports: it takes longer than all that a trial does.
_IMPORTED = {
    "memory": ["pipestat_conformance.targets.memory"],
    "sql": ["pipestat_sql.backend", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"],
    "yaml": ["pipestat_yaml.local.backend", "pipestat_yaml.local.record_files"],
    "s3": ["pipestat_yaml.remote.factory", "pipestat_yaml.remote.backend", "s3fs"],
}
_SERVED = [
    *("pipestat_conformance.targets.operations", "pipestat_conformance.targets.target"),
    *("pipestat_spec.opening", "pipestat_spec.plugins.loading:plugins"),
]


@contextmanager
def served(backend: str, store: str, python: str | Path = sys.executable) -> Iterator[str]:
    """Give the command that serves a backend, each time in a fork."""
    asked = ["--backend", backend, "--store", store.replace("{unique}", "asked")]
    modules = [*_SERVED, *_IMPORTED.get("s3" if "s3://" in store else backend, [])]
    program = "pipestat_conformance.serve"
    with running(program, modules, python=python, environment=clean_environment()) as command:
        yield shlex.join([*command, *asked])


def run_trials(
    folder: Path, backend: str, store: str, *options: str, python: str | Path = sys.executable
) -> dict[str, str]:
    """Run trials on a backend, whose processes are forks; return verdict by id."""
    with served(backend, store, python) as command:
        report = run_suite(folder, "--exec", command, "--store", store, *options, python=python)
    return {result["id"]: result["verdict"] for result in report["results"]}


def passing_profiles(report: dict[str, Any]) -> set[str]:
    """Return the profiles of which something passes."""
    return {name for name, found in report["profiles"].items() if found["counts"].get("pass")}


def notes_of_unsupported(report: dict[str, Any]) -> list[str]:
    """Return for each vector that was left out why it was; no store has to lack names."""
    notes = [r["note"] for r in report["results"] if r["verdict"] == "unsupported"]
    return [note for note in notes if note != "the capability unnamed-namespace is not claimed"]
