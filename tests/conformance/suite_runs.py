"""Runs of the suite's command, as anybody would start it."""

from __future__ import annotations

import fnmatch
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipestat_conformance.trials import ALL as TRIALS
from pipestat_conformance.vectors import Vector, load_vectors

from tests.environments import clean_environment
from tests.forking import running
from tests.repository import REPOSITORY

FULL = os.environ.get("PIPESTAT_TRIALS") == "full"
# Vectors about what is stored and found again. The others, of the families `schema`, `qc` and
# `documents`, are about what a schema may say, which rule fails and what a document may be: it is
# decided before a backend is asked, which then gets changes and queries like those of these.
STORING = (
    *("capabilities", "guarantees", "history", "identifiers", "query", "records", "report"),
    *("results", "scale", "status", "values"),
)


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
    # Seconds for one answer, on a machine that does much else.
    options += ("--timeout", "300", "--report", str(folder))
    conformance("run", *options, timeout=timeout, python=python)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


# What a process that serves the backend imports: it takes longer than all that a trial does.
_IMPORTED = {
    "memory": ["pipestat_conformance.targets.memory"],
    "pephub": ["pipestat_pephub.backend"],
    "sql": ["pipestat_sql.backend", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"],
    "yaml": ["pipestat_yaml.local.backend", "pipestat_yaml.local.record_files"],
    "s3": [
        *("pipestat_yaml.remote.factory", "pipestat_yaml.remote.backend", "s3fs"),
        "tests.remote.descriptions:read",
    ],
}
_SERVED = [
    *("pipestat_conformance.targets.operations", "pipestat_conformance.targets.target"),
    *("pipestat_spec.opening", "pipestat_spec.plugins.loading:plugins"),
]


@contextmanager
def served(backend: str, store: str, python: str | Path = sys.executable) -> Iterator[str]:
    """Give the command that serves a backend, each time in a fork."""
    asked = ["--backend", backend, "--store", store.replace("{unique}", "asked")]
    on_s3 = "s3://" in store
    with running(
        "pipestat_conformance.serve",
        [*_SERVED, *_IMPORTED.get("s3" if on_s3 else backend, [])],
        python=python,
        environment=clean_environment(),
        # What it imports is beside the tests.
        cwd=REPOSITORY if on_s3 else None,
    ) as command:
        yield shlex.join([*command, *asked])


def run_trials(
    folder: Path, backend: str, store: str, *options: str, python: str | Path = sys.executable
) -> dict[str, str]:
    """Run trials on a backend, whose processes are forks; return verdict by id."""
    with served(backend, store, python) as command:
        options = ("--exec", command, "--store", store, *options)
        if backend == "yaml":
            # The other program of mixed trials is of this backend, and may fork as well.
            options += ("--peer", command)
        report = run_suite(folder, *options, python=python)
    return {result["id"]: result["verdict"] for result in report["results"]}


def words(option: str, values: Iterable[str]) -> list[str]:
    """Return an option with each of the values, as words of a command."""
    return [word for value in sorted(values) for word in (option, value)]


def storing_vectors() -> list[str]:
    """Return the options for a store whose backend is asked for all vectors elsewhere.

    With PIPESTAT_TRIALS=full they choose all vectors.
    """
    return [] if FULL else words("--vector", [f"{family}.*" for family in STORING])


def one_in_three(families: Iterable[str], start: int = 0) -> list[str]:
    """Return options for a store whose code is tried by all vectors of the families elsewhere.

    They choose each third vector of a family, from number `start` on, one vector for each
    operation and each profile of a family that is then missing, and those for one kind of database.
    `families` are patterns; with PIPESTAT_TRIALS=full they are chosen themselves.
    """
    families = list(families)
    if FULL:
        return words("--vector", families)
    vectors = [v for v in load_vectors() if any(fnmatch.fnmatch(v.id, f) for f in families)]
    chosen: set[str] = set()
    for family in {vector.id.partition(".")[0] for vector in vectors}:
        members = [vector for vector in vectors if vector.id.startswith(f"{family}.")]
        taken = members[start % len(members) :: 3]
        asked = {what for vector in taken for what in _asked_by(vector)}
        for vector in members:
            missing = _asked_by(vector) - asked
            if missing or len(vector.dialects) == 1:
                taken.append(vector)
                asked |= missing
        chosen.update(vector.id for vector in taken)
    return words("--vector", chosen)


def _asked_by(vector: Vector) -> set[str]:
    return {f"profile {vector.profile}", *(step.op for step in vector.steps)}


def one_of_each_trial() -> list[str]:
    """Return patterns of trials for a store that makes changes as one does that gets all trials.

    They are each scenario of writers once, one writer that is killed amid several records, and one
    that holds a lock. With PIPESTAT_TRIALS=full they are all trials.
    """
    if FULL:
        return ["trial.*"]
    return [
        *("trial.writers.*.n8", "trial.kill.batch", "trial.kill.next-writer"),
        *("trial.mixed.*", "trial.sql.*"),
    ]


def trials_of(patterns: Iterable[str]) -> set[str]:
    """Return the ids of the trials that patterns mean."""
    return {id for pattern in patterns for id in fnmatch.filter(TRIALS, pattern)}


def passing_profiles(report: dict[str, Any]) -> set[str]:
    """Return the profiles of which something passes."""
    return {name for name, found in report["profiles"].items() if found["counts"].get("pass")}


def notes_of_unsupported(report: dict[str, Any]) -> list[str]:
    """Return for each vector that was left out why it was; no store has to lack names."""
    notes = [r["note"] for r in report["results"] if r["verdict"] == "unsupported"]
    return [note for note in notes if note != "the capability unnamed-namespace is not claimed"]
