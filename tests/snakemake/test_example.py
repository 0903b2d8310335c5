"""examples/snakemake runs, and stores what can be counted in its data by hand."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests import patience
from tests.environments import PythonEnvironment
from tests.repository import REPOSITORY
from tests.snakemake.places import Place


def stored(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Return the samples, the project's record, and the statuses."""
    content = yaml.safe_load((folder / "output" / "results.yaml").read_text("utf-8"))
    flags = [flag.stem.split("_") for flag in (folder / "output" / "status").iterdir()]
    levels = content["composition"]
    project = levels["project"]["small-genomes"]
    return levels["sample"], project, {name: status for _, name, status in flags}


def results(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "meta"}


def test_the_example_runs(snakemake: PythonEnvironment, tmp_path: Path) -> None:
    folder = tmp_path / "example"
    ignored = shutil.ignore_patterns("output", ".snakemake")
    shutil.copytree(REPOSITORY / "examples" / "snakemake", folder, ignore=ignored)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        environment = Place(folder, snakemake, ["snakemake"]).variables()
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
        )

    assert run("pipestat-spec", "shim", "install", "bin").returncode == 0
    assert run("snakemake").returncode == 1
    samples, project, statuses = stored(folder)
    assert statuses == {
        "phage": "completed",
        "plasmid": "completed",
        "mito": "completed",
        "damaged": "failed",
        "small-genomes": "waiting",
    }
    fasta = (folder / "data" / "phage.fasta").read_bytes()
    assert results(samples["phage"]) == {
        "sequences": 2,
        "bases": 16,
        "gc_percent": 66.67,
        "counts": {"path": "phage.counts.tsv", "title": "Bases"},
        "longest": 12,
        "md5": hashlib.md5(fasta).hexdigest(),
    }
    assert samples["mito"]["gc_percent"] == 85.71
    assert samples["damaged"]["meta"]["status_message"].endswith("line 3: 'X' is no base")
    assert results(project) == {}

    mended = (folder / "data" / "damaged.fasta").read_text().replace("X", "A")
    (folder / "data" / "damaged.fasta").write_text(mended)
    again = run("snakemake")
    assert again.returncode == 0, again.stderr
    samples, project, statuses = stored(folder)
    assert set(statuses.values()) == {"completed"}
    assert results(project) == {"samples": 4, "total_bases": 48}

    table = run("pipestat-spec", "select", "-c", "pipestat.yaml", "--columns", "bases,status")
    assert table.returncode == 0, table.stderr
    assert table.stdout.count("completed") == 4
