"""What is forked is like what is started: streams, arguments, environment, code, and its end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import patience
from tests.environments import clean_environment
from tests.forking import running

PROGRAM = """
import decimal, os, sys, time
first = sys.path[0] == os.path.dirname(__file__)
print(sys.argv[1:], os.environ.get("OF_THE_TEST"), os.getcwd(), __name__, first, flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "sleep":
        print(os.getpid(), flush=True)
        time.sleep(9999)
    elif word == "fail":
        raise ValueError("what went wrong")
    sys.exit(int(word))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[list[str]]:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    with running(str(file), ["decimal"], environment=clean_environment()) as command:
        yield command


def test_it_is_as_if_it_had_been_started(program: list[str], tmp_path: Path) -> None:
    for word, code, said in (("0", 0, ""), ("7", 7, ""), ("", 0, ""), ("fail", 1, "what went")):
        done = subprocess.run(
            [*program, "ä", "a b", ""],
            cwd=tmp_path,
            env=clean_environment(OF_THE_TEST="é=\n"),
            input=word,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
        )
        assert done.stdout == f"['ä', 'a b', ''] é=\n {tmp_path} __main__ True\n"
        assert done.returncode == code
        assert said in done.stderr
        assert bool(done.stderr) == bool(said)


KEEPING = """
import sys
kept = sys.modules["textwrap"].kept
kept.append("program")
print("colorsys" in sys.modules, kept)
import colorsys
import {own}
import os
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize("anew", [[], ["colorsys"]])
def test_what_one_imports_the_next_one_has(tmp_path: Path, anew: list[str]) -> None:
    """Unless it is to be imported anew; of what it changes the next one has nothing."""
    (tmp_path / "warmed.py").write_text("import textwrap\ndef warm(): textwrap.kept = ['called']\n")
    file = tmp_path / "program.py"
    # A module that is nowhere to be found later is of this program only.
    own = "only_here"
    file.write_text(f"import sys, types; sys.modules['{own}'] = types.ModuleType('{own}')")
    file.write_text(file.read_text() + KEEPING.format(own=own))
    environment = {**clean_environment(), "PYTHONPATH": str(tmp_path)}
    with running(str(file), ["warmed:warm"], environment=environment, anew=anew) as command:
        for had in (False, not anew, not anew):
            done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
            assert (done.stdout, done.stderr) == (f"{had} ['called', 'program']\n", "")


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_kill_reaches_it(program: list[str]) -> None:
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("sleep\n")
        process.stdin.flush()
        process.stdout.readline()
        forked = int(process.stdout.readline())
        assert forked != process.pid
        process.kill()
        # The pipe ends with the last process that holds it.
        assert process.stdout.read() == ""
    patience.wait_until(lambda: not runs(forked), "the fork has ended")


def test_it_ends_with_who_serves_it(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    with running(str(file), []) as command:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("sleep\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.readline()
    out, _ = process.communicate(timeout=patience.SECONDS)
    assert (out, process.returncode) == ("", 255)
