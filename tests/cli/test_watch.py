"""`watch`: what is printed, what it waits for, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from jsonschema import Draft202012Validator

from pipestat_spec import PipestatManager
from pipestat_spec.cli import main
from pipestat_spec.documents.json_schemas import FOLDER, file_name
from pipestat_spec.watching import Watch
from tests import patience
from tests.cli.runs import Run
from tests.environments import clean_environment

FAST = ["--interval", "0.05", "--timeout", "600"]
RULES = """
pipeline_name: rnaseq
samples:
  reads: {type: integer, qc: {fail: "value < 10"}}
"""


@pytest.fixture
def manager(folder: Path) -> Iterator[PipestatManager]:
    """Writes into `r.yaml`, of which `rules.yaml` is the schema; a first record is there."""
    (folder / "rules.yaml").write_text(RULES)
    psm = PipestatManager(folder / "rules.yaml", folder / "r.yaml")
    psm.report({"reads": 100}, "old")
    psm.set_status("completed", "old")
    yield psm
    psm.close()


STORE = ["-f", "r.yaml", "-s", "rules.yaml"]


class Looks:
    """Counts the looks of the command, so that another thread can act between two of them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    def batches(self, original: Any) -> Any:
        def counted(watch: Watch) -> Iterator[Any]:
            for events in original(watch):
                yield events
                with self._condition:
                    self._count += 1
                    self._condition.notify_all()

        return counted

    def wait(self, looks: int = 2) -> None:
        """Wait until a look that begins from now on is done."""
        with self._condition:
            end = self._count + looks
            assert self._condition.wait_for(lambda: self._count >= end, timeout=patience.SECONDS)


@contextmanager
def meanwhile(*steps: Callable[[], object]) -> Iterator[None]:
    """Do something from another thread, once the command has begun, with a look after each step."""
    looks, failed = Looks(), []

    def work() -> None:
        try:
            looks.wait(1)
            for number, step in enumerate(steps):
                if number:
                    looks.wait()
                step()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=work)
    with patch.object(Watch, "batches", looks.batches(Watch.batches)):
        thread.start()
        yield
        thread.join()
    assert failed == []


def ends(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    capsys.readouterr()
    code = main(["watch", *arguments])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def told(lines: list[str]) -> list[str]:
    """Return the lines without their times."""
    assert all(line[10] == "T" and line[19] == "Z" for line in lines)
    return [line.partition("Z ")[2] for line in lines]


def test_the_lines_of_what_is_there(
    manager: PipestatManager, capsys: pytest.CaptureFixture[str]
) -> None:
    manager.report({"reads": 1, "b\u202ea": "x" * 100, "list": [1, None]}, "s 1")
    manager.store.set_status(manager._opened.resolve_key("s 1"), "failed", "two\nlines")
    code, lines, err = ends([*STORE, "--from-start", "--timeout", "0"], capsys)
    assert (code, err) == (0, "")
    assert told(lines) == [
        "old reads = 100",
        "old status completed",
        "old verdict pass",
        "s 1 reads = 1",
        's 1 b\\u202ea = "' + "x" * 58 + "…",
        "s 1 list = [1, null]",
        "s 1 status failed: two\\nlines",
        "s 1 verdict fail: value < 10 (reads = 1)",
    ]


def test_it_begins_now_and_ends_when_so_many_match(
    manager: PipestatManager, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        manager.report({"reads": 50}, "s1")
        manager.set_status("completed", "s1")
        manager.remove(record_identifier="s1", result_identifier="reads")
        manager.report({"reads": 70}, "s2")
        manager.set_status("completed", "s2")

    with meanwhile(work):
        code, lines, err = ends([*STORE, *FAST, "--until", "completed", "--count", "3"], capsys)
    assert (code, err) == (0, "")
    assert "old" not in " ".join(lines)
    assert "s2 reads = 70" in told(lines)
    assert told(lines)[-2:] == ["s2 status completed", "s2 verdict pass"] or (
        told(lines)[-1] == "s2 status completed"
    )


def test_json_lines_fit_their_schema(
    manager: PipestatManager, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads((FOLDER / file_name("event")).read_text("utf-8"))

    with meanwhile(
        lambda: manager.report({"reads": 5, "x": None}, "é"),
        lambda: manager.remove(record_identifier="é", result_identifier="x"),
        lambda: manager.remove(record_identifier="é"),
        lambda: manager.set_status("failed", "last"),
    ):
        code, lines, _ = ends(
            [*STORE, *FAST, "--format", "jsonl", "--until", "status = 'failed'"], capsys
        )
    assert code == 0
    events = [json.loads(line) for line in lines]
    for event in events:
        Draft202012Validator(schema).validate(event)
        del event["time"]
    at = {"level": "sample", "record_identifier": "é"}
    assert events[:6] == [
        {"event": "result", **at, "result": "reads", "value": 5},
        {"event": "result", **at, "result": "x", "value": None},
        {"event": "verdict", **at, "verdict": "fail", "message": "value < 10 (reads = 5)"},
        {"event": "result_removed", **at, "result": "x"},
        {"event": "record_removed", **at},
        {**at, "event": "status", "record_identifier": "last", "status": "failed", "message": None},
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--until", "completed"], 0, ""),
        (["--until", "reads > 50 and status = 'completed'"], 0, ""),
        (["--until", "verdict = 'pass'"], 0, ""),
        (["--timeout", "0.1"], 0, ""),
        (
            ["--until", "failed", "--timeout", "0.1"],
            3,
            "the time is over: 0 records of 1 with failed",
        ),
        (
            ["--until", "completed", "--count", "2", "--timeout", "0.1"],
            3,
            "the time is over: 1 record of 2 with completed",
        ),
        (["--fail-on", "completed"], 3, "1 record with completed"),
        (["--until", "completed", "--fail-on", "verdict = 'pass'"], 3, "1 record with verdict"),
        (["--until", "failed", "--timeout", "0.1", "-q"], 3, ""),
    ],
)
def test_how_it_ends(
    manager: PipestatManager,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    text: str,
) -> None:
    found, lines, err = ends([*STORE, "--interval", "0.05", *arguments], capsys)
    assert (found, lines) == (code, [])
    assert err.startswith(text)
    assert bool(err) is bool(text)


def test_a_record_that_fails_ends_the_wait(
    manager: PipestatManager, capsys: pytest.CaptureFixture[str]
) -> None:
    with meanwhile(lambda: manager.set_status("failed", "s1")):
        code, lines, err = ends(
            [*STORE, *FAST, "--until", "completed", "--count", "2", "--fail-on", "failed"], capsys
        )
    assert code == 3
    assert told(lines)[0] == "s1 status failed"
    assert err == "1 record with failed\n"


WRONG = [
    (["-f", "nothing.yaml"], 1, "there are no results at"),
    (["-f", "r.yaml", "--pipeline-name", "rna"], 1, "holds namespace 'rnaseq'"),
    ([*STORE, "--until", "compelted"], 1, "did you mean 'completed'"),
    ([*STORE, "--fail-on", "bad"], 1, "status 'bad' is not defined"),
    ([*STORE, "--until", "status ="], 1, "column"),
    ([*STORE, "--since", "noon"], 1, "'noon' is not a time"),
    ([*STORE, "--count", "2"], 2, "--count goes with --until"),
    ([*STORE, "--until", "failed", "--count", "0"], 2, "0 is no number of records"),
    ([*STORE, "--interval", "0"], 2, "is too short"),
    ([*STORE, "--timeout", "-1"], 2, "is no number of seconds"),
    ([*STORE, "--since", "2026-01-01", "--from-start"], 2, "not allowed with"),
]


@pytest.mark.usefixtures("manager")
@pytest.mark.parametrize(("arguments", "code", "text"), WRONG, ids=lambda value: str(value))
def test_what_is_wrong_is_said_at_once(
    run: Run, arguments: list[str], code: int, text: str
) -> None:
    done = run("watch", *arguments, code=code)
    assert done.out == ""
    assert text in done.err
    assert len(done.err.splitlines()) == 1


def test_a_name_that_no_record_has_is_warned_of(
    manager: PipestatManager, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, err = ends([*STORE, "--until", "raeds > 1", "--timeout", "0"], capsys)
    assert "raeds" in err.splitlines()[0]
    assert "did you mean 'reads'?" in err


def test_a_store_that_is_not_there_is_waited_for_when_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["-f", "new.yaml", "--wait-for-store"]

    def work() -> None:
        PipestatManager(results_file_path="new.yaml", pipeline_name="p").report({"n": 1}, "s1")

    # Whenever it comes: of a store that was not there, all is news.
    writer = threading.Timer(0.5, work)
    writer.start()
    code, lines, err = ends([*store, *FAST, "--until", "n = 1"], capsys)
    writer.join()
    assert (code, told(lines)) == (0, ["s1 n = 1"])
    code, lines, err = ends(["-f", "no.yaml", "--wait-for-store", "--timeout", "0.1"], capsys)
    assert (code, lines) == (3, [])
    said = err.splitlines()
    assert said[0].startswith("waiting: there are no results at")
    assert said[1:] == ["the time is over: there is no store yet"]


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, past its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipestat_spec", "watch", *STORE, "--from-start", *arguments],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_each_line_is_there_at_once_and_ctrl_c_ends_it(
    manager: PipestatManager, folder: Path
) -> None:
    with watching(folder, "--interval", "0.05") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines[0].endswith(" old reads = 100\n")
        manager.report({"reads": 20}, "s1")
        assert process.stdout.readline().endswith(" s1 reads = 20\n")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=patience.SECONDS)
        assert (process.returncode, err) == (130, "")


def test_a_closed_pipe_ends_it_though_nothing_happens(
    manager: PipestatManager, folder: Path
) -> None:
    with watching(folder, "--interval", "0.05") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(3):
            process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=patience.SECONDS) == 141
        assert process.stderr.read() == ""


def test_a_file_that_is_broken_meanwhile_is_told(
    manager: PipestatManager, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, new = folder / "r.yaml", folder / "new"
    whole = path.read_bytes()

    def replace(content: bytes) -> None:
        # At once: a look would see a file that is written in place while it is empty.
        new.write_bytes(content)
        new.replace(path)

    with meanwhile(
        lambda: replace(whole + b"\n  : ["),
        lambda: replace(whole),
        lambda: manager.set_status("failed", "old"),
    ):
        code, lines, err = ends([*STORE, *FAST, "--until", "failed"], capsys)
    assert code == 0
    assert told(lines) == ["old status failed"]
    said = err.splitlines()
    assert said[0].startswith("warning: the store does not answer, it is asked again: ")
    assert said[1:] == ["the store answers again"]
    path.write_bytes(whole + b"\n  : [")
    os.utime(path, (1, 1))
    code, lines, err = ends([*STORE, *FAST], capsys)
    assert (code, lines) == (1, [])
    assert err.startswith("error: ")


def test_the_level_is_that_of_other_commands(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    psm = PipestatManager(
        config_dict={"results_file_path": "r.db", "pipeline_name": "p", "layout": "levels"}
    )
    psm.report({"n": 1}, "s1")
    psm.report({"total": 1}, "all", level="project")
    found: Any = {}
    for level in ("sample", "project"):
        _, found[level], _ = ends(
            ["-f", "r.db", "-p", level, "--from-start", "--timeout", "0"], capsys
        )
    assert {level: told(lines) for level, lines in found.items()} == {
        "sample": ["s1 n = 1"],
        "project": ["all total = 1"],
    }
