"""The conformance suite on the contract server: conformant in all that is claimed.

What is claimed is judged with PIPESTAT_TRIALS=full. Other runs ask for what the server stores: not
for what is decided before it is asked, nor for thousands of records (test_requests.py reads two
thousand), and of searches, which see all samples of a project, for pages. Writers are killed after
an answer, whatever they write, and in the middle of a report.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.suite_runs import (
    FULL,
    conformance,
    notes_of_unsupported,
    passing_profiles,
    run_suite,
    run_trials,
    words,
)
from tests.pephub.contract_server import ContractServer

# What a vector may need and PEPhub does not offer, and names that no address can hold.
LEFT_OUT = {
    *("history", "times", "source", "project-level", "multi-namespace", "atomic-batch"),
    *("concurrent-writers", "the store holds no record"),
    "the capability unnamed-namespace is claimed",
}
PROFILES = {"core", "schema", "query", "exact-integers"}
VECTORS = [
    *("capabilities.*", "guarantees.*", "identifiers.*", "probe.*", "records.*", "report.*"),
    *("results.*", "scale.names.*", "scale.values.*", "status.*", "values.*"),
    *("query.after-changes", "query.cursor.*", "query.page.*"),
]
# Vectors with names that hold a slash, which no address of the server can.
UNNAMED = {
    "identifiers.file-names.encoded-text-is-no-identifier",
    "identifiers.record.spaces-and-punctuation",
    "scale.names.trailing-slashes",
}
KILLED = ["acknowledged", "in-flight"]
if FULL:
    PROFILES |= {"documents", "emitter", "qc"}
    VECTORS = []
    UNNAMED |= {"documents.form.several"}
    KILLED += ["batch", "removal"]
TOKEN = "a.token"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


def store_on(server: ContractServer) -> str:
    return json.dumps({"pephub_path": "auto/{unique}", "url": server.url, "token": TOKEN})


def on_server(server: ContractServer) -> list[str]:
    """Return the options that name the server as the target."""
    return ["--backend", "pephub", "--store", store_on(server)]


@pytest.fixture
def server():
    with ContractServer(tokens={TOKEN: {"auto"}}, on_demand=["auto"], pause=0) as server:
        yield server


def test_it_is_conformant(server: ContractServer, tmp_path: Path) -> None:
    report = run_suite(tmp_path, *on_server(server), "--quick", *words("--vector", VECTORS))
    assert report["outcome"] == ("conformant" if FULL else "selection")
    judged = passing_profiles(report)
    assert judged >= PROFILES
    if FULL:
        assert judged == PROFILES
        for profile in judged:
            assert report["profiles"][profile]["outcome"] == "conformant"
    verdicts = {result["id"]: result["verdict"] for result in report["results"]}
    for probe in ("history", "times", "source", "project-level"):
        assert verdicts[f"probe.{probe}"] == "pass"
    for probe in ("slash", "dots"):
        assert verdicts[f"probe.identifier.{probe}"] == "pass"
    notes = notes_of_unsupported(report)
    assert not [note for note in notes if not any(reason in note for reason in LEFT_OUT)]
    unnamed = {
        result["id"]
        for result in report["results"]
        if "the store holds no record" in result["note"]
    }
    assert unnamed == UNNAMED


def test_writers_are_killed(server: ContractServer, tmp_path: Path) -> None:
    chosen = {f"trial.kill.{kind}": "pass" for kind in KILLED}
    # Many writers at once are not claimed, and neither is what tells where a status comes from.
    unclaimed = {"trial.kill.next-writer": "disabled", "trial.kill.status": "unsupported"}
    asked = words("--vector", [*chosen, *unclaimed])
    assert run_trials(tmp_path, "pephub", store_on(server), *asked) == {**chosen, **unclaimed}


def test_random_operations_agree_with_the_model(server: ContractServer) -> None:
    said = conformance("walk", *on_server(server), "--walks", "20")
    assert "the target and the model agree" in said
