"""One report and one `retrieve_one` in a warm process, into files of several sizes; memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, milliseconds
from pipestat_spec import PipestatManager
from tests.environments import PythonEnvironment, clean_environment

_SCRIPT = Path(__file__).with_name("in_process.py")
# Records in the file, repetitions of ours and of the reference, which needs seconds for one.
SIZES = ((100, 60, 20), (1000, 60, 8), (10_000, 40, 2))
SCHEMA = """
title: benchmark
type: object
properties:
  pipeline_name: benchmark
  samples:
    type: array
    items:
      type: object
      properties:
        reads: {type: integer, description: number of reads}
        rate: {type: number, description: rate}
        name: {type: string, description: name}
        passed: {type: boolean, description: whether it passed}
        tags: {type: array, description: tags}
"""


def make_file(folder: Path, count: int) -> tuple[Path, Path]:
    """Write a file of `count` records in the layout that both read, and the schema."""
    schema = folder / "schema.yaml"
    schema.write_text(SCHEMA)
    file = folder / "results.yaml"
    records = {
        f"s{number}": {
            "reads": number,
            "rate": number / 7,
            "name": f"sample number {number}",
            "passed": number % 2 == 0,
            "tags": [number, number + 1, number + 2],
        }
        for number in range(count)
    }
    with PipestatManager(results_file_path=file, schema_path=schema, layout="levels") as psm:
        psm.report_many(records)
    return file, schema


def measure_ours(folder: Path, count: int, repeats: int) -> dict[str, Any]:
    """Return the seconds of ours and of the floor, measured in turns in one process."""
    file, schema = make_file(folder, count)
    arguments = ["pipestat_spec", file, schema, count, repeats, "floor"]
    return _measure(Path(sys.executable), arguments)


def measure_reference(
    reference: PythonEnvironment, folder: Path, count: int, repeats: int
) -> dict[str, Any]:
    """Return the seconds of the existing package, on a file of the same content."""
    file, schema = make_file(folder, count)
    return _measure(reference.python, ["pipestat", file, schema, count, repeats])


def _measure(python: Path, arguments: list[Any]) -> dict[str, Any]:
    done = subprocess.run(
        [python, _SCRIPT, *map(str, arguments)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{python} {_SCRIPT.name} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def figures(reference: PythonEnvironment, folder: Path) -> Iterator[Figure]:
    """Measure all sizes; the target holds for 10,000 records and is shown for each."""
    for count, repeats, reference_repeats in SIZES:
        ours = measure_ours(_fresh(folder / "ours"), count, repeats)
        theirs = measure_reference(
            reference, _fresh(folder / "reference"), count, reference_repeats
        )
        floor = milliseconds(ours["floor"])
        most = 3 * floor + 5
        for kind, text in (
            ("new", "report, new record"),
            ("update", "report, update in the middle"),
        ):
            yield Figure(
                f"{text}, {count:,} records",
                milliseconds(ours[kind]),
                "ms",
                floor,
                milliseconds(theirs[kind]),
                f"at most 3 x floor + 5 ms = {most:.1f} ms",
                milliseconds(ours[kind]) <= most,
                {"ours": ours[kind], "floor": ours["floor"], "reference": theirs[kind]},
            )
        yield Figure(
            f"retrieve_one, {count:,} records",
            milliseconds(ours["retrieve"]),
            "ms",
            None,
            milliseconds(theirs["retrieve"]),
            "pipestat did not find the record" if theirs["missed"] else "",
            None if not ours["missed"] else False,
            runs={"ours": ours["retrieve"], "reference": theirs["retrieve"]},
        )
        yield Figure(
            f"peak memory, {count:,} records", ours["peak_mb"], "MB", None, theirs["peak_mb"]
        )


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
