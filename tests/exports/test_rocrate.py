"""RO-Crates, judged by the real validator of Process Run Crate, offline."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatDependencyError, PipestatSummarizeError
from pipestat_spec.installing import install_hint
from pipestat_spec.plugins.loading import plugins
from tests.environments import PythonEnvironment

SCHEMA = """
pipeline_name: rna seq
title: RNA-seq
description: Runs of the lab
samples:
  reads: {type: integer, description: All reads, unit: M, qc: {fail: "value < 5"}}
  align: {type: object, properties: {rate: {type: number, description: Aligned}}}
  tags: {type: array}
  plot: {type: image, description: Coverage}
  logs: {type: array, items: {type: file}}
project:
  total: {type: integer}
"""
SEED = Path(__file__).parent / "seed_cache.py"
LICENSE = "https://creativecommons.org/licenses/by/4.0/"


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "a plot ü.png").write_bytes(b"picture")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "out.txt").write_text("done")
    psm = PipestatManager(
        results_file_path=tmp_path / "results.yaml", schema_path=tmp_path / "schema.yaml"
    )
    values = {
        "reads": 7,
        "align": {"rate": 0.5},
        "tags": ["x", 1],
        "plot": {"path": "a plot ü.png", "title": "P"},
        "logs": [
            {"path": "logs", "title": "All logs"},
            {"path": "https://example.org/log.txt", "title": "There"},
            {"path": "gone.txt", "title": "Gone"},
            {"path": "s3://lab/big.bam", "title": "Far"},
        ],
    }
    psm.report(values, "s/1 <b>")
    psm.set_status("completed", "s/1 <b>")
    psm.report({"reads": 1}, "s2")
    psm.set_status("failed", "s2", message="no reads left")
    psm.set_status("partial", "s3")
    psm.report({"total": 2}, level="project")
    exporter = plugins().exporter("rocrate")
    (folder,) = exporter.export(psm.store, tmp_path / "crate", {"license": LICENSE})
    return folder


def entities(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "ro-crate-metadata.json").read_text("utf-8"))
    assert content["@context"] == "https://w3id.org/ro/crate/1.1/context"
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_actions_properties_and_files(crate: Path) -> None:
    found = entities(crate)
    root = found["./"]
    assert root["name"] == "RNA-seq"
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    assert root["license"] == {"@id": LICENSE}
    first = "#sample/s%2F1%20%3Cb%3E"
    actions = [first, "#sample/s2", "#sample/s3", "#project/project"]
    assert [mention["@id"] for mention in root["mentions"]] == actions
    action = found[first]
    assert action["@type"] == "CreateAction"
    assert action["name"] == "s/1 <b>"
    assert action["actionStatus"] == {"@id": "http://schema.org/CompletedActionStatus"}
    assert action["startTime"] <= action["endTime"]
    assert action["endTime"].endswith("+00:00")
    assert found[action["instrument"]["@id"]]["name"] == "rna seq"
    results = {found[result["@id"]]["name"]: found[result["@id"]] for result in action["result"]}
    assert {name: r.get("value") for name, r in results.items() if "value" in r} == {
        "verdict": "pass",
        "reads": 7,
        "align.rate": 0.5,
        "tags": '["x", 1]',
        "logs.2": "gone.txt",
    }
    assert results["reads"]["unitText"] == "M"
    assert results["align.rate"]["description"] == "Aligned"
    assert results["P"]["encodingFormat"] == "image/png"
    assert results["P"]["contentSize"] == "7"
    assert results["There"]["@id"] == "https://example.org/log.txt"
    assert results["Far"]["@id"] == "s3://lab/big.bam"
    assert results["All logs"]["@type"] == "Dataset"
    kept = {path.name: path.read_bytes() for path in (crate / "files").rglob("*.*")}
    assert kept == {"a plot ü.png": b"picture", "out.txt": b"done"}
    failed = found["#sample/s2"]
    assert failed["actionStatus"] == {"@id": "http://schema.org/FailedActionStatus"}
    assert failed["error"] == "no reads left"
    verdict = found["#sample/s2/verdict"]
    assert (verdict["value"], verdict["description"]) == ("fail", "value < 5 (reads = 1)")
    assert "actionStatus" not in found["#sample/s3"]


def test_the_validator_passes_it_and_finds_what_is_taken_out(
    crate: Path, rocrate_validator: PythonEnvironment, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    rocrate_validator.run("python", SEED, cache, cwd=tmp_path)

    def judged() -> dict[str, Any]:
        report = tmp_path / "report.json"
        rocrate_validator.run(
            *("rocrate-validator", "--no-interactive", "validate", "--offline"),
            *("--cache-path", cache, "--profile-identifier", "process-run-crate-0.5"),
            *("--output-format", "json", "--output-file", report, crate),
            cwd=tmp_path,
            check=False,
            HOME=str(tmp_path),
        )
        content: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return content

    first = judged()
    assert first["passed"] is True, first["issues"]
    path = crate / "ro-crate-metadata.json"
    path.write_text(path.read_text("utf-8").replace('"instrument"', '"agent"'), "utf-8")
    assert judged()["passed"] is False


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = plugins().exporter("rocrate")
    with PipestatManager(results_file_path=tmp_path / "r.yaml") as psm:
        psm.report({"x": 1}, "s1")
        with pytest.raises(PipestatSummarizeError, match="license"):
            exporter.export(psm.store, tmp_path / "c", {"license": 3})
        exporter.export(psm.store, tmp_path / "c", {})
        assert entities(tmp_path / "c")["./"]["license"].startswith("No license")
        with pytest.raises(PipestatSummarizeError, match="is there already"):
            exporter.export(psm.store, tmp_path / "c", {})
        exporter.export(psm.store, tmp_path / "c", {"replace": True})
        monkeypatch.setitem(sys.modules, "rocrate", None)
        hint = install_hint("pipestat-spec[rocrate]")
        with pytest.raises(PipestatDependencyError, match=re.escape(hint)):
            exporter.export(psm.store, tmp_path / "d", {})
