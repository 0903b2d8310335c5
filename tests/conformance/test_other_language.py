"""The implementation in Go, written from spec/: it is conformant, and shares files with ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipestat_conformance.claims import TRIAL_PROFILES

from tests import patience
from tests.conformance.suite_runs import (
    FULL,
    one_of_each_trial,
    run_suite,
    served,
    trials_of,
    words,
)
from tests.environments import MissingPart, environments_folder, go_command
from tests.legs import leave_out
from tests.repository import REPOSITORY

SOURCE = REPOSITORY / "examples" / "other_language"
PROFILES = {
    "core",
    "schema",
    "yaml-layout",
    "history",
    "concurrent-writers",
    "durable",
    "exact-integers",
}

# It stores in YAML files only.
NOT_TRIED = "trial.sql.new-database"

pytestmark = pytest.mark.timeout(2400)


def go_environment() -> dict[str, str]:
    """Return an environment in which what Go has compiled once, its own library too, is kept.

    It is kept for every copy of the source, wherever that lies, with `-trimpath`.
    """
    return {**os.environ, "GOCACHE": str(environments_folder() / "go-compiled")}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harness, built from its source."""
    try:
        go = go_command()
    except MissingPart as missing:
        leave_out("go", str(missing), "install Go 1.24 or newer")
    built = tmp_path_factory.mktemp("go") / "pipestat-go"
    done = subprocess.run(
        [str(go), "build", "-trimpath", "-o", str(built), "."],
        cwd=SOURCE,
        env=go_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    if done.returncode and ("dial tcp" in done.stderr or "proxy" in done.stderr):
        last = done.stderr.strip().splitlines()[-1]
        leave_out("go", f"go build: {last}", "connect to a module proxy for 'go build'")
    assert done.returncode == 0, done.stderr
    return built


def run_it(program: Path, folder: Path, *options: str) -> Mapping[str, Any]:
    """Run the suite on the program and return the report, which says that it is conformant."""
    return run_suite(folder, "--exec", str(program), *options, timeout=1500)


@pytest.mark.slow
def test_it_is_conformant_in_all_that_it_claims(program: Path, tmp_path: Path) -> None:
    report = run_it(program, tmp_path, "--quick")
    assert report["outcome"] == "conformant"
    assert set(report["claimed_profiles"]) == PROFILES
    for profile in PROFILES - set(TRIAL_PROFILES):
        found = report["profiles"][profile]
        assert found["outcome"] == "conformant"
        assert found["counts"]["pass"] > 1
    # What it may do without is little beside what it does.
    unsupported = [r["id"] for r in report["results"] if r["verdict"] == "unsupported"]
    allowed = ("results.convert.", "interchange.template", "query.")
    others = [id for id in unsupported if not id.startswith(allowed)]
    assert len(others) < 20, others


@pytest.mark.slow
def test_no_trial_finds_a_fault(program: Path, tmp_path: Path) -> None:
    # Those with another program are made with ours, below.
    trials = [pattern for pattern in one_of_each_trial() if pattern != "trial.mixed.*"]
    report = run_it(program, tmp_path, *words("--vector", trials))
    verdicts = {result["id"]: result["verdict"] for result in report["results"]}
    assert verdicts.keys() == trials_of(trials)
    assert {id for id, verdict in verdicts.items() if verdict != "pass"} == {NOT_TRIED}


@pytest.mark.parametrize("seed", ["1", "2"] if FULL else ["1"])
@pytest.mark.slow
def test_it_shares_a_file_with_our_writer(program: Path, tmp_path: Path, seed: str) -> None:
    with served("yaml", '{"path": "{tmp}/results.yaml"}') as ours:
        options = ["--vector", "trial.mixed.*", "--peer", ours, "--seed", seed]
        report = run_it(program, tmp_path, *options)
    verdicts = {r["id"]: r["verdict"] for r in report["results"]}
    assert verdicts == {"trial.mixed.writers": "pass", "trial.mixed.exchange": "pass"}


def test_its_readme_shows_what_it_answers(program: Path, tmp_path: Path) -> None:
    text = (SOURCE / "README.md").read_text("utf-8")
    dialogue = text.split("$ ./pipestat-go\n")[1].split("```")[0]
    file = tmp_path / "results.yaml"
    lines = dialogue.replace("/tmp/demo/results.yaml", str(file)).splitlines()
    requests = [line for line in lines if '"cmd"' in line]
    answers = [line for line in lines if '"cmd"' not in line]
    done = subprocess.run(
        [str(program)],
        input="\n".join(requests),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert list(map(json.loads, done.stdout.splitlines())) == list(map(json.loads, answers))
    shown = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    stored = yaml.safe_load(file.read_text("utf-8"))
    for document in (shown, stored):
        meta = document["rnaseq"]["patient1"].pop("meta")
        assert sorted(meta) == ["created", "modified", "status", "status_time"]
    assert shown == stored


@pytest.mark.slow
def test_its_own_tests_pass(program: Path) -> None:
    done = subprocess.run(
        [str(go_command()), "test", "-trimpath", "./..."],
        cwd=SOURCE,
        env=go_environment(),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
