"""The conformance suite on the contract server: conformant in all that is claimed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.environments import clean_environment
from tests.pephub.contract_server import ContractServer

# What a vector may need and PEPhub does not offer, and names that no address can hold.
LEFT_OUT = {
    *("history", "times", "source", "project-level", "multi-namespace", "atomic-batch"),
    *("concurrent-writers", "the store holds no record"),
}
TOKEN = "a.token"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(server: ContractServer, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    store = {"pephub_path": "auto/{unique}", "url": server.url, "token": TOKEN}
    return subprocess.run(
        [
            *(sys.executable, "-m", "pipestat_conformance", command, "--backend", "pephub"),
            *("--store", json.dumps(store), *options),
        ],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )


@pytest.fixture
def server():
    with ContractServer(tokens={TOKEN: {"auto"}}, on_demand=["auto"], pause=0) as server:
        yield server


def test_it_is_conformant(server: ContractServer, tmp_path: Path) -> None:
    done = run(server, "run", "--report", str(tmp_path))
    assert done.returncode == 0, done.stdout[-8000:]
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["outcome"] == "conformant"
    judged = {name for name, found in report["profiles"].items() if found["counts"].get("pass")}
    assert judged == {"core", "query", "exact-integers", "durable"}
    for profile in judged:
        assert report["profiles"][profile]["outcome"] == "conformant"
    verdicts = {result["id"]: result["verdict"] for result in report["results"]}
    for probe in ("history", "times", "source", "project-level"):
        assert verdicts[f"probe.{probe}"] == "pass"
    for probe in ("slash", "dots"):
        assert verdicts[f"probe.identifier.{probe}"] == "pass"
    notes = [r["note"] for r in report["results"] if r["verdict"] == "unsupported"]
    assert not [note for note in notes if not any(reason in note for reason in LEFT_OUT)]
    assert sum("the store holds no record" in note for note in notes) == 3


def test_random_operations_agree_with_the_model(server: ContractServer) -> None:
    done = run(server, "walk", "--walks", "20")
    assert done.returncode == 0, done.stdout[-8000:]
    assert "the target and the model agree" in done.stdout
