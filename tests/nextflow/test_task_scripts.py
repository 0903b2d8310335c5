"""Task scripts that emit documents, run as Nextflow runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
import yaml

from pipestat_spec.engines.emitter import install_emitter
from pipestat_spec.ingest import ingest
from pipestat_spec.models.config import Config
from pipestat_spec.models.record import RecordKey
from pipestat_spec.opening import open_store
from tests import patience
from tests.commands import pipestat_spec
from tests.emitter.programs import programs_folder
from tests.nextflow.task import Pipeline
from tests.repository import REPOSITORY

DOCUMENTATION = REPOSITORY / "docs" / "nextflow.md"
EMIT = "pipestat-emit s1 -o s1.pipestat.json"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    programs = programs_folder(tmp_path / "programs", "sleep", "wc")
    install_emitter(tmp_path / "bin")
    return Pipeline(tmp_path, programs, tmp_path / "bin")


@pytest.mark.parametrize("closed", [False, True])
def test_a_task_leaves_its_document(pipeline: Pipeline, tmp_path: Path, closed: bool) -> None:
    reads = tmp_path / "s 1.fastq"
    reads.write_text("@r\nACGT\n+\nIIII\n" * 3)
    plot = tmp_path / "plot.json"
    plot.write_text('{"path": "s1.png",\n "title": "Coverage"}\n')
    script = f"lines=$(wc -l < 's 1.fastq')\n{EMIT} reads:=$((lines / 4)) plot:=@plot.json"
    task = pipeline.task(script, [reads, plot])
    assert (task.run(closed), task.said()) == (0, "")
    (path,) = task.outputs()
    assert json.loads(path.read_text())["results"] == {
        "reads": 3,
        "plot": {"path": "s1.png", "title": "Coverage"},
    }


def test_a_staged_document_of_another_task_stays_as_it_is(pipeline: Pipeline) -> None:
    first = pipeline.task(f"{EMIT} n:=1")
    assert first.run() == 0
    (before,) = first.outputs()
    # With -C `>` refuses to write to the link; the emitter replaces it.
    second = pipeline.task(f"{EMIT} n:=2", [before])
    assert second.run() == 0
    assert json.loads(before.read_text())["results"] == {"n": 1}
    (after,) = second.outputs()
    assert json.loads(after.read_text())["results"] == {"n": 2}


def test_a_refused_value_fails_the_task_and_leaves_no_document(pipeline: Pipeline) -> None:
    task = pipeline.task(f"{EMIT} n:=1.\necho not reached >late")
    assert task.run() == 1
    assert task.said() == "error: result 'n': not JSON: '1.' is not a number as JSON writes it\n"
    assert task.outputs() == []
    assert not (task.folder / "late").exists()


def test_a_retried_task_counts_by_its_attempt(pipeline: Pipeline, tmp_path: Path) -> None:
    trap = "trap '{ pipestat-emit s1 -o failed.pipestat.json --status failed --attempt 1; }' ERR"
    first = pipeline.task(f"{trap}\nfalse")
    assert first.run() == 1
    second = pipeline.task(f"{EMIT} n:=1 --status completed --attempt 2")
    assert second.run() == 0
    settings = {"results_file_path": str(tmp_path / "results.yaml"), "pipeline_name": "p"}
    store = open_store(Config(), settings).store
    # Whatever the order: work folders are named by hashes.
    ingest(store, [*second.outputs(), *first.outputs()])
    stored = store.read(RecordKey("sample", "s1"))
    assert stored is not None
    assert (stored.status, stored.results) == ("completed", {"n": 1})


def traps() -> str:
    """Return the lines that docs/nextflow.md shows."""
    found = re.search(r"```bash\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


TRAPS = traps()


def test_a_task_that_is_stopped_says_so(pipeline: Pipeline) -> None:
    task = pipeline.task(f"{TRAPS}\necho begun >begun\nwhile :; do sleep 0.05; done")
    running = task.start()
    patience.wait_until((task.folder / "begun").exists, "the task begins")
    # INT is ignored, as with tracing.
    os.killpg(running.pid, signal.SIGINT)
    time.sleep(0.1)
    assert running.poll() is None
    os.killpg(running.pid, signal.SIGTERM)
    running.wait(patience.SECONDS)
    patience.wait_until(task.outputs, "the document is written")
    (path,) = task.outputs()
    said = json.loads(path.read_text())
    assert (said["status"], said["status_message"]) == ("failed", "exit code 143")


def test_a_task_that_fails_says_so(pipeline: Pipeline) -> None:
    task = pipeline.task(f"{TRAPS}\nexit 3")
    assert task.run() == 3
    (path,) = task.outputs()
    assert json.loads(path.read_text())["status_message"] == "exit code 3"
    quiet = pipeline.task(f"{TRAPS}\nexit 0")
    assert quiet.run() == 0
    assert quiet.outputs() == []


def test_documents_of_200_tasks_with_one_name_each(pipeline: Pipeline, tmp_path: Path) -> None:
    # Eight in one script: what counts is that no two of them meet.
    script = "for i in {0..24}; do pipestat-emit s$1_$i -o s$1_$i.pipestat.json n:=$i & done; wait"
    tasks = [pipeline.task(f"set -- {number}\n{script}") for number in range(8)]
    running = [task.start() for task in tasks]
    assert [process.wait(patience.SECONDS) for process in running] == [0] * 8
    settings = {"results_file_path": str(tmp_path / "results.yaml"), "pipeline_name": "p"}
    store = open_store(Config(), settings).store
    report = ingest(store, [pipeline.work])
    assert (report.documents, report.records) == (200, 200)
    stored = {record.key.identifier: record.results for record in store.scan("sample")}
    assert stored == {f"s{a}_{i}": {"n": i} for a in range(8) for i in range(25)}


SCHEMA = """
pipeline_name: demo
samples:
  reads: {type: integer, description: a count}
  rate: {type: number, description: a share}
  name: {type: string, description: a text}
  table: {type: file, description: a table}
"""


def test_text_is_read_by_the_schema_as_report_reads_it(pipeline: Pipeline, tmp_path: Path) -> None:
    """One rule for `report`, `validate` and `ingest`."""
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    given = ["reads=5", "rate=5", "name=5", "table=t.tsv", "other=5"]
    task = pipeline.task(f"{EMIT} {' '.join(given)}")
    assert (task.run(), task.said()) == (0, "")
    (document,) = task.outputs()
    store = ("-s", "schema.yaml", "-f")
    pipestat_spec("validate", "-s", "schema.yaml", str(document), cwd=tmp_path)
    pipestat_spec("ingest", *store, "ingested.yaml", str(document), cwd=tmp_path)
    pipestat_spec("report", *store, "reported.yaml", "-r", "s1", *given, cwd=tmp_path)
    ingested, reported = (
        yaml.safe_load((tmp_path / name).read_text())["demo"]["s1"]
        for name in ("ingested.yaml", "reported.yaml")
    )
    expected = {
        "reads": 5,
        "rate": 5.0,
        "name": "5",
        "table": {"path": "t.tsv", "title": "a table"},
        "other": "5",
    }
    for record in (ingested, reported):
        record.pop("meta")
        assert record == expected
        assert type(record["reads"]) is int

    wrong = pipeline.task(f"{EMIT} reads=five rate=high")
    assert wrong.run() == 0
    (document,) = wrong.outputs()
    for command in (("validate", "-s", "schema.yaml"), ("ingest", *store, "new.yaml")):
        done = pipestat_spec(*command, str(document), cwd=tmp_path, code=1)
        assert "'reads'" in done.stdout + done.stderr
        assert "'rate'" in done.stdout + done.stderr
    assert not (tmp_path / "new.yaml").exists()
