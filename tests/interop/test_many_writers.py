"""Many processes write one file at once: nothing is lost, nobody fails, readers see no half."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import patience
from tests.environments import clean_environment
from tests.forking import running

WRITERS = 24
Commands = Sequence[Sequence[object]]
StartAll = Callable[[Commands, Path], list[subprocess.Popen[str]]]


@pytest.fixture(scope="module")
def start_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartAll]:
    """Start commands of `pipestat-spec` at once: forks, so that many of them write at once."""
    folder = tmp_path_factory.mktemp("rehearsal")
    with running("pipestat_spec.__main__", [], environment=clean_environment()) as program:

        def start(commands: Commands, cwd: Path) -> list[subprocess.Popen[str]]:
            return [
                subprocess.Popen(
                    [*program, *map(str, command)],
                    cwd=cwd,
                    env=clean_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                for command in commands
            ]

        # What these import all others have then.
        common = ["-f", folder / "results.yaml", "--pipeline-name", "p", "-r", "s1"]
        finish(start([["report", *common, "n:=1"]], folder))
        finish(start([["status", "set", *common, "completed"]], folder))
        yield start


@contextmanager
def reading_all_the_time(path: Path) -> Iterator[list[int]]:
    """Parse the file in a loop meanwhile; gives the number of records of each read."""
    counts: list[int] = []
    failures: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
            except FileNotFoundError:
                continue
            except Exception as error:  # noqa: BLE001
                failures.append(error)
                return
            counts.append(len(document["p"]))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield counts
    finally:
        done.set()
        thread.join()
    assert not failures, failures
    assert counts == sorted(counts), "a record was there and then was not"


def finish(processes: list[subprocess.Popen[str]]) -> None:
    outcomes = [
        (process.communicate(timeout=patience.SECONDS)[1], process.returncode)
        for process in processes
    ]
    assert [code for _, code in outcomes] == [0] * len(processes), outcomes


def stored(path: Path) -> dict[str, dict[str, Any]]:
    records = yaml.safe_load(path.read_bytes())["p"]
    return {
        name: {key: value for key, value in record.items() if key != "meta"}
        for name, record in records.items()
    }


@pytest.fixture
def file(folder: Path) -> Iterator[Path]:
    yield folder / "results.yaml"
    assert {path.name for path in folder.iterdir()} == {"results.yaml", ".results.yaml.lock"}


def test_each_process_its_own_record(file: Path, start_all: StartAll) -> None:
    commands = [
        ["report", "-f", file, "--pipeline-name", "p", "-r", f"s{i}", f"n:={i}"]
        for i in range(WRITERS)
    ]
    with reading_all_the_time(file):
        finish(start_all(commands, file.parent))
    assert stored(file) == {f"s{i}": {"n": i} for i in range(WRITERS)}


def test_each_process_its_own_result_of_one_record(file: Path, start_all: StartAll) -> None:
    commands = [
        ["report", "-f", file, "--pipeline-name", "p", "-r", "s1", f"n{i}:={i}"]
        for i in range(WRITERS)
    ]
    with reading_all_the_time(file):
        finish(start_all(commands, file.parent))
    assert stored(file) == {"s1": {f"n{i}": i for i in range(WRITERS)}}


def test_all_overwrite_one_result(file: Path, start_all: StartAll) -> None:
    commands = [
        ["report", "-f", file, "--pipeline-name", "p", "-r", "s1", "-o", f"n:={i}"]
        for i in range(WRITERS)
    ]
    with reading_all_the_time(file):
        finish(start_all(commands, file.parent))
    record = yaml.safe_load(file.read_bytes())["p"]["s1"]
    # Each value is the last one or in the history, none twice.
    history = record["meta"]["history"]["n"]
    assert sorted([record["n"], *history.values()]) == list(range(WRITERS))
    assert list(history) == sorted(history)


def test_reports_and_status_changes_together(folder: Path, start_all: StartAll) -> None:
    file = folder / "results.yaml"
    common = ["-f", file, "--pipeline-name", "p"]
    commands: list[list[object]] = []
    for i in range(WRITERS // 2):
        commands.append(["report", *common, "-r", f"s{i}", f"n:={i}"])
        commands.append(["status", "set", *common, "-r", f"s{i}", "completed"])
    finish(start_all(commands, folder))
    assert stored(file) == {f"s{i}": {"n": i} for i in range(WRITERS // 2)}
    flags = {f"p_s{i}_completed.flag" for i in range(WRITERS // 2)}
    assert {path.name for path in folder.iterdir()} == {
        file.name, f".{file.name}.lock", f".{file.name}.status", *flags
    }  # fmt: skip
