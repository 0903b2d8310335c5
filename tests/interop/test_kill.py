"""SIGKILL at a random moment of a reporting process: what was acknowledged is there."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipestat_spec import PipestatManager
from tests.environments import clean_environment
from tests.forking import running
from tests.interop.killed_reporter import RECORDS, status_of


@pytest.fixture(scope="module")
def reporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The program that reports, in forks: what it imports takes longer than what it does."""
    program = str(Path(__file__).with_name("killed_reporter.py"))
    with running(program, [], environment=clean_environment()) as command:
        # Of those that are killed the next ones would have no modules.
        file = tmp_path_factory.mktemp("rehearsal") / "results.yaml"
        subprocess.run([*command, file, "records", "1", "2"], stdout=subprocess.PIPE, check=True)
        yield command


def run_and_kill(
    reporter: list[str], file: Path, layout: str, first: int, chance: random.Random
) -> tuple[int, int]:
    """Let a process report from `first` on and kill it; return its last report and status."""
    with subprocess.Popen(
        [*reporter, str(file), layout, str(first)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline())]
        # Spread over several reports and over the moments within one.
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout.read().split()]
    assert process.returncode == -signal.SIGKILL
    return max(acknowledged), max([first - 1, *(-number for number in acknowledged)])


def samples(file: Path, layout: str) -> dict[str, Any]:
    inside = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)["p"]
    records: dict[str, Any] = inside["sample"] if layout == "levels" else inside
    return records


def check_results(file: Path, layout: str, acknowledged: int) -> int:
    """Check the results that a killed process left; return the number of the last one."""
    records = samples(file, layout)
    stored = {
        (int(name[1:]), record, value)
        for record, results in records.items()
        for name, value in results.items()
        if name[0] == "n"
    }
    last = max(number for number, _, _ in stored)
    # All that was acknowledged, and at most the one under way.
    assert acknowledged <= last <= acknowledged + 1
    assert stored == {(n, f"s{n % RECORDS}", n) for n in range(1, last + 1)}
    for number in range(max(1, last - RECORDS + 1), last + 1):
        assert records[f"s{number % RECORDS}"]["last"] == number
    return last


def check_statuses(psm: PipestatManager, acknowledged: int) -> None:
    """Check the flags: each record has the status acknowledged, or the one under way."""
    for number in range(max(1, acknowledged - RECORDS + 1), acknowledged + 1):
        possible = {status_of(number)}
        if number + RECORDS == acknowledged + 1:
            possible.add(status_of(acknowledged + 1))
        assert psm.get_status(f"s{number % RECORDS}") in possible


@pytest.fixture(params=["records", "levels"])
def layout(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


def test_acknowledged_reports_survive(
    folder: Path,
    layout: str,
    reporter: list[str],
    trials: Callable[[int, int], Iterator[random.Random]],
) -> None:
    file = folder / "results.yaml"
    with PipestatManager(results_file_path=file, layout=layout, pipeline_name="p") as psm:
        # A file that takes a moment to write.
        psm.report_many({f"bulk{i}": {"x": i, "text": "word " * 20} for i in range(400)})
    first = 1
    for chance in trials(200, 15):
        report, status = run_and_kill(reporter, file, layout, first, chance)
        last = check_results(file, layout, report)
        with PipestatManager(results_file_path=file, pipeline_name="p") as psm:
            check_statuses(psm, status)
            first = last + 1
            psm.report({f"n{first}": first, "last": first}, f"s{first % RECORDS}")
            # The status of the last report may never have been set.
            for number in (last, first):
                psm.set_status(status_of(number), f"s{number % RECORDS}")
        first += 1
        names = {path.name for path in folder.iterdir()}
        flags = {name for name in names if name.endswith(".flag")}
        assert names - flags == {"results.yaml", ".results.yaml.lock", ".results.yaml.status"}
        assert len(flags) <= RECORDS
