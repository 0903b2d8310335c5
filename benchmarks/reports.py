"""Reports of many records: beside pipestat's `summarize` and MultiQC."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.figures import Figure, milliseconds, seconds
from pipestat_spec import PipestatManager
from tests.environments import PythonEnvironment

BESIDE_PIPESTAT, BESIDE_MULTIQC = (100, 400), (1_000, 10_000)
ROUNDS = 3
TARGET = 20
RESULTS = 40
NAMESPACE = "rnaseq"


def schema() -> dict[str, Any]:
    """Return an output schema of 40 results: 30 numbers, 10 strings."""
    results = {
        f"result_{i:02}": {"type": "string" if i % 4 == 3 else "number", "description": f"No. {i}"}
        for i in range(RESULTS)
    }
    return {
        "title": "Records to look at",
        "type": "object",
        "properties": {
            "pipeline_name": NAMESPACE,
            # The form that pipestat reads, too.
            "samples": {"type": "array", "items": {"type": "object", "properties": results}},
        },
    }


def records(count: int) -> dict[str, dict[str, Any]]:
    """Return records by name, the same for every program."""
    chance = random.Random(1)
    return {
        f"sample_{n:05}": {
            f"result_{i:02}": f"v{chance.randrange(9)}" if i % 4 == 3 else round(chance.gauss(), 4)
            for i in range(RESULTS)
        }
        for n in range(count)
    }


def stored(path: Path, count: int) -> None:
    """Put the records into a store, with a status each; YAML files as pipestat reads them."""
    schema_path = path.parent / "schema.yaml"
    schema_path.write_text(yaml.safe_dump(schema()))
    layout = "levels" if path.suffix == ".yaml" else None
    with PipestatManager(
        config_dict={"results_file_path": str(path), "layout": layout} if layout else None,
        results_file_path=None if layout else str(path),
        schema_path=str(schema_path),
    ) as psm:
        psm.report_many(records(count))
        for name in records(count):
            psm.set_status("completed", name)


def figures(
    pipestat: PythonEnvironment, multiqc: PythonEnvironment, folder: Path
) -> Iterator[Figure]:
    """Measure whole runs, each program on the same records in the same run."""
    for count in BESIDE_PIPESTAT:
        place = folder / f"pipestat-{count}"
        place.mkdir()
        stored(place / "results.yaml", count)
        theirs = seconds(
            [pipestat.command("pipestat"), "summarize", *_letters("results.yaml")], place
        )
        yield _figure(f"report of {count} records", place, "results.yaml", theirs, "pipestat")
    for count in BESIDE_MULTIQC:
        place = folder / f"multiqc-{count}"
        place.mkdir()
        stored(place / "results.db", count)
        theirs = _multiqc(multiqc, place, count)
        yield _figure(f"report of {count} records", place, "results.db", theirs, "MultiQC")


def _letters(file: str) -> list[str]:
    return ["-f", file, "-s", "schema.yaml"]


def _figure(name: str, place: Path, file: str, theirs: float, beside: str) -> Figure:
    command = [sys.executable, "-m", "pipestat_spec", "summarize", *_letters(file)]
    ours = [seconds([*command, "-o", place / "report.html"], place) for _ in range(ROUNDS)]
    median = milliseconds(ours)
    return Figure(
        name,
        median,
        "ms",
        reference=theirs * 1000,
        target=f"{TARGET} times faster",
        met=theirs * 1000 >= TARGET * median,
        runs={"ours": ours, beside: [theirs]},
        beside=beside,
    )


def _multiqc(environment: PythonEnvironment, place: Path, count: int) -> float:
    content = {
        "id": "pipestat",
        "section_name": "Results",
        "plot_type": "table",
        "pconfig": {"id": "pipestat_table", "title": "Results"},
        "data": records(count),
    }
    (place / "pipestat_mqc.json").write_text(json.dumps(content))
    (place / "multiqc.yaml").write_text("max_table_rows: 100000\n")
    command = [environment.command("multiqc"), ".", "--config", "multiqc.yaml", "--force"]
    return seconds([*command, "--no-version-check"], place)
