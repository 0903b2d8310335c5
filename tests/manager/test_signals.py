"""What SIGTERM and SIGHUP leave of a run."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager

START = """
import os, signal, sys, time
from pipestat_spec import PipestatManager

# Under nohup it is ignored, and would stay so.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
psm = PipestatManager(results_file_path="r.yaml", pipeline_name="count")
def wait():
    print("ready", flush=True)
    time.sleep(9999)
"""


def ended(tmp_path: Path, text: str, number: int, times: int = 1) -> tuple[int, str]:
    """Return the exit code of a program that got a signal once it was ready, and its output."""
    with subprocess.Popen(
        [sys.executable, "-c", START + text],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        assert program.stdout is not None
        while "ready" not in program.stdout.readline():
            assert program.poll() is None
        for _ in range(times):
            program.send_signal(number)
        told = program.stdout.read()
    return program.returncode, told


def record(tmp_path: Path) -> tuple[str | None, object]:
    psm = PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="count")
    meta = psm.data["count"]["sample"]["s1"]["meta"]
    return psm.get_status("s1"), meta.get("status_message")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_run_has_failed(tmp_path: Path, number: signal.Signals) -> None:
    code, told = ended(tmp_path, "with psm.record('s1'): wait()", number)
    assert code == 128 + number
    assert not told
    assert record(tmp_path) == ("failed", f"EndedBySignal: {number.name}")


def test_so_has_that_of_a_decorated_function(tmp_path: Path) -> None:
    ended(tmp_path, "psm.record('s1')(wait)()", signal.SIGTERM)
    assert record(tmp_path)[0] == "failed"


def test_a_second_signal_does_not_stop_the_end(tmp_path: Path) -> None:
    text = """
try:
    with psm.record("s1"):
        try:
            wait()
        finally:
            time.sleep(0.5)
            print("closed")
finally:
    print("left")
"""
    code, told = ended(tmp_path, text, signal.SIGTERM, times=2)
    assert (code, told.split()) == (143, ["closed", "left"])
    assert record(tmp_path)[0] == "failed"


def test_a_programs_own_handler_stays(tmp_path: Path) -> None:
    text = """
def own(*_):
    raise KeyError("mine")
signal.signal(signal.SIGTERM, own)
with psm.record("s1"): wait()
"""
    assert ended(tmp_path, text, signal.SIGTERM)[0] == 1
    assert record(tmp_path) == ("failed", "KeyError: 'mine'")


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    text = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with psm.record("s1"):
    print("ready", flush=True)
    time.sleep(0.5)
"""
    assert ended(tmp_path, text, signal.SIGHUP)[0] == 0
    assert record(tmp_path)[0] == "completed"


def test_a_forked_child_ends_alone(tmp_path: Path) -> None:
    text = """
with psm.record("s1"):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, b"x")
        time.sleep(9999)
    os.read(reader, 1)
    print("ready", flush=True)
    os.kill(child, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    code, told = ended(tmp_path, text, signal.SIGCONT)
    assert (code, told.split()) == (0, ["-15"])
    assert record(tmp_path)[0] == "completed"


def test_a_signal_at_the_very_end_ends_the_program_afterwards(tmp_path: Path) -> None:
    text = """
store = psm.store
set_status = store.set_status
def slow(key, status, *rest):
    if status == "completed":
        os.kill(os.getpid(), signal.SIGTERM)
    return set_status(key, status, *rest)
object.__setattr__(store, "set_status", slow)
print("ready", flush=True)
with psm.record("s1"): pass
print("not reached")
"""
    code, told = ended(tmp_path, text, signal.SIGCONT)
    assert (code, told) == (-signal.SIGTERM, "")
    assert record(tmp_path)[0] == "completed"


def test_the_handlers_are_put_back(tmp_path: Path) -> None:
    psm = PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="count")
    before = signal.getsignal(signal.SIGTERM)
    with psm.record("s1"), psm.record("s2"):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) is before
