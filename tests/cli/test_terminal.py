"""What people see: on a terminal, and what in a value must not reach it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.cli import main
from pipestat_spec.models.record import Record
from pipestat_spec.store import Store
from tests import patience
from tests.cli.runs import Run

COMMAND = "import sys; from pipestat_spec.cli import run; sys.argv[0] = 'pipestat-spec'; run()"


def on_terminal(*arguments: str, columns: int = 80, **variables: str) -> str:
    """Run a command whose stdout is a terminal; return what it printed there."""
    ours, theirs = pty.openpty()
    try:
        environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
        environment.pop("NO_COLOR", None)
        done = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**environment, **variables},
        )
        os.close(theirs)
        theirs = -1
        printed = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # what Linux says at the end
                break
            if not part:
                break
            printed += part
        assert done.wait(patience.SECONDS) == 0
        return printed.decode().replace("\r\n", "\n")
    finally:
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)


@pytest.fixture
def two(run: Run, store: Path) -> Path:
    run("report", "-r", "s1", "reads=1200", f"name={'long ' * 30}", "--status", "completed")
    run("report", "-r", "s2", "reads=7", "name=short", "--status", "failed", "-m", "no reads")
    return store


def test_a_table_fits_and_cells_are_cut(two: Path) -> None:
    lines = on_terminal("select", "--columns", "reads,name,status", NO_COLOR="1").splitlines()
    assert [line.split() for line in (lines[0], lines[-1])] == [
        ["record_identifier", "reads", "name", "status"],
        ["s2", "7", "short", "failed"],
    ]
    assert all(len(line) <= 80 for line in lines)
    assert lines[2].startswith("s1 ")
    assert " long long " in lines[2]
    # No other cell is cut, not even by one letter.
    assert lines[2].count("\N{HORIZONTAL ELLIPSIS}") == 1
    assert lines[2].endswith(" completed")
    assert "\x1b" not in "".join(lines)


def test_a_wide_table_is_a_block_for_each_record(two: Path) -> None:
    text = on_terminal("select", columns=40, NO_COLOR="1")
    assert text.splitlines()[-4:] == [
        "s2",
        "  status  failed",
        "  reads   7",
        "  name    short",
    ]
    wide = on_terminal("select", "--wide", columns=40)
    assert ("long " * 30).strip() in wide
    assert wide.startswith("record_identifier  status ")


def test_colours_of_statuses_unless_nobody_wants_them(two: Path) -> None:
    assert "\x1b[" in on_terminal("status", "list")
    assert "\x1b" not in on_terminal("status", "list", NO_COLOR="1")


def test_what_is_no_terminal_gets_plain_text(run: Run, two: Path) -> None:
    lines = run("select", "--columns", "reads,status").out.splitlines()
    assert lines == [
        "record_identifier  reads  status",
        "-----------------  -----  ---------",
        "s1                 1200   completed",
        "s2                 7      failed",
    ]


def test_values_cannot_command_the_terminal_nor_forge_a_line(run: Run, store: Path) -> None:
    run("report", "-r", "s1", "--json", '{"name": "\\u001b]0;title\\u0007\\nreads: 9", "reads": 1}')
    assert run("retrieve", "-r", "s1").out == (
        "name: \\x1b]0;title\\x07\\nreads: 9\nreads: 1\nrecord_identifier: s1\n"
    )
    assert on_terminal("retrieve", "-r", "s1", "-i", "name") == "\\x1b]0;title\\x07\\nreads: 9\n"
    # A script gets the string itself.
    assert run("retrieve", "-r", "s1", "-i", "name").out == "\x1b]0;title\x07\nreads: 9\n"
    assert "\x1b" not in on_terminal("select", NO_COLOR="1")
    run("status", "set", "-r", "s1", "failed", "-m", "\x1b[2Jgone")
    assert "\x1b" not in on_terminal("status", "list", NO_COLOR="1")
    assert "\x1b" not in run("retrieve", "-r", "\x1b[2J", code=1).err


def test_an_interruption_says_how_far_it_came(
    run: Run, two: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = Store.scan

    def interrupted(*arguments: Any, **settings: Any) -> Iterator[Record]:
        yield from islice(scan(*arguments, **settings), 1)
        raise KeyboardInterrupt

    monkeypatch.setattr("pipestat_spec.store.Store.scan", interrupted)
    assert main(["table", "-o", "t.csv"]) == 130
    assert capsys.readouterr().err == "interrupted, reading: 1 record; nothing was written\n"
    assert not Path("t.csv").exists()
    target = ["convert", str(two), "new.yaml", "-s", "schema.yaml"]
    code, err = main(target), capsys.readouterr().err
    assert code == 130, err
    assert err.endswith("records; call it again to complete it\n")
