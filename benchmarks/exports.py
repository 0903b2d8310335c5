"""Exports of many records: what CPU they take, and that their memory stays the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from benchmarks.figures import Figure
from benchmarks.reports import NAMESPACE, records, schema
from pipestat_spec import PipestatManager
from tests.environments import clean_environment
from tests.repository import REPOSITORY

SIZES = (10_000, 100_000)
# What the memory of the larger store may be above that of the smaller one.
_SLACK = 1.3
_EXPORTS = {
    "Parquet": ["-o", "table.parquet"],
    "Parquet by folders": ["--format", "parquet", "--partition", "result_03", "-o", "dataset"],
}


def figures(folder: Path) -> Iterator[Figure]:
    """Measure whole runs on databases of 40 results for each record."""
    peaks: dict[str, list[float]] = {name: [] for name in _EXPORTS}
    for count in SIZES:
        place = folder / str(count)
        place.mkdir()
        # In a process of its own: the largest memory of a parent counts for its children too.
        made = [sys.executable, "-m", "benchmarks.exports", str(place), str(count)]
        subprocess.run(made, cwd=REPOSITORY, env=clean_environment(), check=True)
        for name, options in _EXPORTS.items():
            taken, peak = _run(options, place)
            peaks[name].append(peak)
            yield Figure(f"{name}, {count:,} records", taken * 1000, "ms")
    for name, (few, many) in peaks.items():
        yield Figure(
            f"{name}, peak memory at {SIZES[-1]:,} records",
            many,
            "MB",
            target=f"as at {SIZES[0]:,}, which is {few:.0f} MB",
            met=many <= few * _SLACK,
            runs={"records": [float(size) for size in SIZES], "MB": [few, many]},
        )


def _store(place: Path, count: int) -> None:
    (place / "schema.yaml").write_text(yaml.safe_dump(schema()))
    with PipestatManager(
        results_file_path=str(place / "results.db"),
        schema_path=str(place / "schema.yaml"),
        pipeline_name=NAMESPACE,
    ) as psm:
        psm.report_many(records(count))


def _run(options: list[str], place: Path) -> tuple[float, float]:
    """Return the CPU seconds and the largest memory, in MB, of one export."""
    command = [sys.executable, "-m", "pipestat_spec", "table", "-q", "-f", "results.db"]
    with subprocess.Popen(
        [*command, "-s", "schema.yaml", *options],
        cwd=place,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"table {' '.join(options)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    _store(Path(sys.argv[1]), int(sys.argv[2]))
