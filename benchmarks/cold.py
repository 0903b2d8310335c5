"""Processes from start to end: one report, and 40 at once."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from benchmarks.figures import Figure, milliseconds, seconds
from benchmarks.warm import SCHEMA
from tests.environments import PythonEnvironment, clean_environment

ROUNDS = 15
CPU_ROUNDS = 20
WRITERS = 40
Command = Sequence[str | Path]


def report_command(
    program: Path, folder: Path, record: str, *, schema: bool = True, name: str = "results.yaml"
) -> Command:
    """Return the command that reports one integer; both programs take the same letters."""
    given: Command = ["-s", folder / "schema.yaml"] if schema else []
    file = folder / name
    return [program, "report", "-f", file, *given, "-r", record, "-i", "reads", "-v", "12"]


def prepared(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "schema.yaml").write_text(SCHEMA)
    return folder


def measure(
    programs: dict[str, tuple[Path, bool]], folder: Path, rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of CPU of each program's cold report, in turns, and of bare Python.

    `programs` maps a name to the program and whether it is given an output schema.
    """
    folders = {name: prepared(folder / name) for name in programs}
    found: dict[str, list[float]] = {name: [] for name in ("python", *programs)}
    for number in range(-1, rounds):
        times = {"python": _cpu([sys.executable, "-c", "pass"])}
        for name, (program, schema) in programs.items():
            command = report_command(program, folders[name], f"r{number}", schema=schema)
            times[name] = _cpu(command)
        # The first round only fills caches.
        if number >= 0:
            for name, value in times.items():
                found[name].append(value)
    return found


def figures(bare: PythonEnvironment, full: PythonEnvironment, folder: Path) -> Iterator[Figure]:
    """Measure a cold report against two installations of the existing package, and 40 at once.

    With all its extras its command line imports a web framework at each start.
    """
    ours = Path(sys.executable).parent / "pipestat-spec"
    runs = measure(
        {
            "ours": (ours, True),
            "ours without a schema": (ours, False),
            "bare": (bare.command("pipestat"), True),
            "full": (full.command("pipestat"), True),
        },
        folder / "cold",
        ROUNDS,
    )
    floor = milliseconds(runs["python"])
    for against, target in (("full", 6), ("bare", None)):
        took, reference_took = milliseconds(runs["ours"]), milliseconds(runs[against])
        yield Figure(
            f"cold report, CPU; pipestat {against}",
            took,
            "ms",
            floor,
            reference_took,
            f"at least {target} x faster than pipestat" if target else "",
            reference_took >= target * took if target else None,
            {"ours": runs["ours"], "floor": runs["python"], "reference": runs[against]},
        )
    without = runs["ours without a schema"]
    yield Figure(
        "cold report without a schema, CPU",
        milliseconds(without),
        "ms",
        floor,
        target="60 ms is the aim",
        met=milliseconds(without) <= 60,
        runs={"ours": without},
    )
    yield _beside_python(ours, folder / "cpu")
    yield _into_sqlite(ours, folder / "sqlite")
    yield from _at_once(ours, bare.command("pipestat"), folder / "at once")


def _beside_python(program: Path, folder: Path) -> Figure:
    """Measure the CPU of a cold report with a configuration and a schema, beside bare Python."""
    prepared(folder)
    config = folder / "pipestat.yaml"
    config.write_text("schema_path: schema.yaml\nresults_file_path: results.yaml\n")
    runs: dict[str, list[float]] = {"ours": [], "floor": []}
    for number in range(-1, CPU_ROUNDS):
        report = [program, "report", "-c", config, "-r", f"r{number}", "-i", "reads", "-v", "12"]
        times = _cpu(report), _cpu([sys.executable, "-c", "pass"])
        if number >= 0:
            for name, value in zip(runs, times, strict=True):
                runs[name].append(value)
    took, floor = milliseconds(runs["ours"]), milliseconds(runs["floor"])
    wanted, name = "at most 4.5 x bare Python", "cold report with a configuration, CPU"
    return Figure(name, took, "ms", floor, target=wanted, met=took <= 4.5 * floor, runs=runs)


def _cpu(command: Command) -> float:
    """Return the seconds of CPU, of the user and of the system, that a process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _into_sqlite(program: Path, folder: Path) -> Figure:
    """Measure a cold report into a database; the floor is what the libraries take to import."""
    prepared(folder)
    runs: dict[str, list[float]] = {"ours": [], "floor": []}
    imports = [sys.executable, "-c", "import sqlalchemy.dialects.sqlite, sqlite3"]
    for number in range(-1, ROUNDS):
        command = report_command(program, folder, f"r{number}", name="results.db")
        times = seconds(command), seconds(imports)
        if number >= 0:
            for name, value in zip(runs, times, strict=True):
                runs[name].append(value)
    took, floor = milliseconds(runs["ours"]), milliseconds(runs["floor"])
    wanted = "150 ms is the aim; the floor is to import SQLAlchemy"
    name = "cold report into SQLite"
    return Figure(name, took, "ms", floor, target=wanted, met=took <= 150, runs=runs)


def _at_once(ours: Path, theirs: Path, folder: Path) -> Iterator[Figure]:
    wall, stored, failed = _start_all(ours, prepared(folder / "ours"))
    ref_wall, ref_stored, ref_failed = _start_all(theirs, prepared(folder / "reference"))
    yield Figure(f"{WRITERS} reports at once, wall time", wall * 1000, "ms", None, ref_wall * 1000)
    yield Figure(
        f"{WRITERS} reports at once, records stored",
        stored,
        "",
        None,
        ref_stored,
        f"{WRITERS}",
        stored == WRITERS,
    )
    yield Figure(f"{WRITERS} reports at once, exit codes not 0", failed, "", None, ref_failed)


def _start_all(program: Path, folder: Path) -> tuple[float, int, int]:
    """Start all writers; return the wall time, the records stored and the failed processes."""
    # A first report, so that all find the file.
    seconds(report_command(program, folder, "first"))
    begin = time.perf_counter()
    processes = [
        subprocess.Popen(
            report_command(program, folder, f"s{number}"),
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(WRITERS)
    ]
    codes = [process.wait() for process in processes]
    wall = time.perf_counter() - begin
    document = yaml.safe_load((folder / "results.yaml").read_bytes()) or {}
    inside = document.get("benchmark", {})
    records = inside.get("sample", inside)
    return wall, len(records) - ("first" in records), sum(code != 0 for code in codes)
