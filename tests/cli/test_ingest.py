"""`ingest` of many documents: its time, and that a second call changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.cli.runs import Run, stored
from tests.commands import pipestat_spec

DOCUMENTS = 2000


def write(path: Path, record: str, **keys: Any) -> Path:
    document = {"pipestat_report": "1.0", "record_identifier": record, **keys}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def test_2000_documents_are_ingested_once(run: Run, store: Path, folder: Path) -> None:
    for number in range(DOCUMENTS):
        path = folder / "jobs" / f"{number % 50}" / f"s{number}.pipestat.json"
        plot = {"path": f"s{number}/plot.png", "title": f"Plot of s{number}"}
        results = {"reads": number, "rate": number / 7, "name": f"sample {number}", "plot": plot}
        source = {"engine": "nextflow", "run": "r1", "attempt": 1}
        write(path, f"s{number}", results=results, status="completed", source=source)

    done = pipestat_spec("ingest", "jobs", "-f", store, "-s", "schema.yaml", cwd=folder)
    assert f"ingested {DOCUMENTS} documents: {DOCUMENTS} records changed" in done.stderr

    content = yaml.load(store.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert len(content["rnaseq"]["sample"]) == DOCUMENTS
    assert content["rnaseq"]["sample"]["s1999"]["reads"] == 1999

    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert len(before) == DOCUMENTS + 3  # flags, results, lock, schema
    again = run("ingest", "jobs").err.splitlines()[-1]
    expected = f"ingested {DOCUMENTS} documents: 0 records changed, {DOCUMENTS} unchanged"
    assert again == expected
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_every_kind_of_bad_document_is_named_and_the_good_ones_wait(
    run: Run, store: Path, folder: Path
) -> None:
    write(folder / "jobs" / "good.pipestat.json", "s1", results={"reads": 1})
    write(folder / "jobs" / "key.pipestat.json", "s2", result={"reads": 1}, status="failed")
    write(folder / "jobs" / "type.pipestat.json", "s3", results={"reads": "1"})
    write(folder / "jobs" / "name.pipestat.json", "s4", namespace="other", status="failed")
    (folder / "jobs" / "json.pipestat.json").write_text('{"pipestat_report": "1.0",')
    told = run("ingest", "jobs", code=1).err.splitlines()
    assert [line.split(":")[:2] for line in told[:-1]] == [
        ["refused", " jobs/json.pipestat.json"],
        ["refused", " jobs/key.pipestat.json"],
        ["refused", " jobs/name.pipestat.json"],
        ["refused", " jobs/type.pipestat.json"],
    ]
    assert told[-1] == "error: 4 problems; nothing was ingested"
    assert not store.exists()

    told = run("ingest", "--keep-going", "jobs", code=1).err.splitlines()
    assert told[0] == "ingested 1 document: 1 record changed, 0 unchanged"
    assert sum(line.startswith("left out: jobs/") for line in told) == 4
    assert stored(store) == {"reads": 1}


def test_a_document_of_a_link_into_a_work_folder(run: Run, store: Path, folder: Path) -> None:
    # As Nextflow stages it.
    path = write(
        folder / "work" / "ab" / "s1.pipestat.json",
        "s1",
        results={"plot": {"path": "plots/s1.png", "title": "t"}, "tags": ["plots/x"]},
    )
    (folder / "documents" / "1").mkdir(parents=True)
    (folder / "documents" / "1" / path.name).symlink_to(path)
    run("ingest", "documents", "--path-prefix", "plots=/published/plots")
    plot = {"path": "/published/plots/s1.png", "title": "t"}
    assert stored(store) == {"plot": plot, "tags": ["plots/x"]}
