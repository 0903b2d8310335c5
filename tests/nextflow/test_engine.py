"""`examples/nextflow` on a real Nextflow engine: 8 samples, one of which fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from tests import patience
from tests.commands import pipestat_spec
from tests.environments import clean_environment
from tests.repository import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "nextflow"
SAMPLES = [f"s{number}" for number in range(8)]
BROKEN = "s5"
TRACE = ("--nextflow-trace", "output/trace.txt", "--record", "{tag}", "--run-exit", "0")


class Run:
    """A copy of the example and the engine."""

    def __init__(self, folder: Path, engine: Path) -> None:
        self.folder = folder
        self.engine = engine
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("output", "work", ".next*"))

    def __call__(self, *options: str, code: int = 0) -> str:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            [self.engine, "run", "main.nf", *options],
            cwd=self.folder,
            env=clean_environment(PATH=path, NXF_HOME=str(self.folder / ".home")),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ingest_trace(self, run: str) -> str:
        arguments = ("ingest", "-c", "pipestat.yaml", *TRACE, "--run", run)
        return pipestat_spec(*arguments, cwd=self.folder).stderr

    def trace(self) -> Counter[tuple[str, str]]:
        """Return how often each process has each status."""
        header, *lines = (self.folder / "output" / "trace.txt").read_text().splitlines()
        columns = header.split("\t")
        rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
        return Counter((row["process"], row["status"]) for row in rows)

    def stored(self) -> Any:
        """Return what the results file says, without what changes with the time."""
        content = yaml.safe_load((self.folder / "output" / "results.yaml").read_text())
        for records in content["count_reads"].values():
            for record in records.values():
                meta = record["meta"]
                kept = ("source", "status_message", "history")
                record["meta"] = {key: meta.get(key) for key in kept}
        return content

    def statuses(self) -> dict[str, str]:
        flags = [path.stem for path in (self.folder / "output").glob("*.flag")]
        return {flag.split("_")[2]: flag.split("_")[3] for flag in flags}


def write_reads(folder: Path) -> None:
    """Sample number n has n + 1 reads of 10 bases, of which n % 5 are G and the rest A."""
    folder.mkdir()
    for number, sample in enumerate(SAMPLES):
        read = f"@r\n{'G' * (number % 5)}{'A' * (10 - number % 5)}\n+\nIIIIIIIIII\n"
        text = read * (number + 1)
        if sample == BROKEN:
            text = text[: text.rindex("+")]
        (folder / f"{sample}.fastq").write_text(text)


def test_the_example(engine: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "pipeline", engine)
    pipestat_spec("shim", "install", "bin", cwd=run.folder)
    write_reads(tmp_path / "reads")
    options = ("--reads", str(tmp_path / "reads"))

    # Documents that the schema refuses fail the run, and nothing is stored.
    schema = run.folder / "output_schema.yaml"
    good = schema.read_text()
    schema.write_text(good.replace("type: integer", "type: boolean", 1))
    said = run(*options, "-name", "first", code=1)
    assert "7 problems; nothing was ingested" in said
    assert not (run.folder / "output" / "results.yaml").exists()
    schema.write_text(good)

    # Nothing is lost: what an earlier run made is cached, and ingested by this one.
    run(*options, "-name", "second", "-resume")
    assert run.trace() == {
        ("COUNT_READS", "CACHED"): 7,
        ("COUNT_READS", "FAILED"): 2,
        ("COUNT_BASES", "CACHED"): 8,
        ("PIPESTAT_INGEST", "COMPLETED"): 1,
        ("REPORT_PROJECT", "COMPLETED"): 1,
    }
    told = "ingested the trace of 8 records: 8 records changed, 0 unchanged\n"
    assert run.ingest_trace("r1") == told
    second = run.stored()
    check_results(second, run.folder / "output")
    assert run.statuses() == dict.fromkeys(SAMPLES, "completed") | {BROKEN: "failed"}
    sources = {name: one["meta"]["source"] for name, one in second["count_reads"]["sample"].items()}
    assert {source["run"] for source in sources.values()} == {"r1"}
    assert (sources[BROKEN]["process"], sources[BROKEN]["attempt"]) == ("COUNT_READS", 2)

    # The sample is mended: only its tasks run, and its failure goes away. Nothing is doubled.
    (tmp_path / "reads" / f"{BROKEN}.fastq").write_text("@r\nGGGAAAAAAA\n+\nIIIIIIIIII\n" * 6)
    run(*options, "-name", "third", "-resume")
    assert run.trace() == {
        ("COUNT_READS", "CACHED"): 7,
        ("COUNT_READS", "COMPLETED"): 1,
        ("COUNT_BASES", "CACHED"): 7,
        ("COUNT_BASES", "COMPLETED"): 1,
        ("PIPESTAT_INGEST", "COMPLETED"): 1,
        ("REPORT_PROJECT", "COMPLETED"): 1,
    }
    run.ingest_trace("r3")
    third = run.stored()["count_reads"]
    mended = third["sample"].pop(BROKEN)
    assert (mended["reads"], mended["gc_percent"]) == (6, 30.0)
    assert mended["meta"]["status_message"] is None
    assert run.statuses() == dict.fromkeys(SAMPLES, "completed")
    for name, record in third["sample"].items():
        before = second["count_reads"]["sample"][name]
        assert without_source(record) == without_source(before)
    project = third["project"]["project"]
    assert project["samples_counted"] == 8
    assert list(project["meta"]["history"]["samples_counted"].values()) == [7]


def without_source(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "meta": {**record["meta"], "source": None}}


def check_results(stored: Any, output: Path) -> None:
    records = stored["count_reads"]["sample"]
    assert sorted(records) == SAMPLES
    for number, sample in enumerate(SAMPLES):
        record = records[sample]
        if sample == BROKEN:
            assert "reads" not in record
            message = "COUNT_READS failed, exit code 3, attempt 2"
            assert record["meta"]["status_message"] == message
        else:
            assert record["reads"] == number + 1
            assert record["meta"]["status_message"] is None
        assert record["meta"]["history"] is None
        assert record["gc_percent"] == number % 5 * 10.0
        # The path is the published one.
        assert record["bases"]["path"] == str(output / "bases" / f"{sample}.tsv")
        assert Path(record["bases"]["path"]).is_file()
    assert stored["count_reads"]["project"]["project"]["samples_counted"] == 7
