"""Names are shown as tests fail: with workers, and before the run has ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.environments import clean_environment
from tests.repository import REPOSITORY

_CONFTEST = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.display import pytest_sessionstart
"""
# The second test ends when somebody has read that the first one failed.
_TESTS = """
import time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", [7])
def test_one(number):
    assert number == 8, "first line\\nsecond line"

def test_two(absent):
    pass

def test_three():
    while not Path("read").exists():
        time.sleep(0.01)
"""


def test_a_failure_is_named_before_the_run_ends(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "test_given.py").write_text(_TESTS)
    command = [sys.executable, "-m", "pytest", "-n", "1", "--tb=no", "--rootdir=.", "-r", "N"]
    with subprocess.Popen(
        [*command, "-p", "no:cacheprovider", "test_given.py"],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        named = []
        for line in run.stdout:
            if line.startswith(("FAILED", "ERROR")):
                named.append(line.rstrip("\n"))
            if len(named) == 2:
                (tmp_path / "read").touch()
                break
        else:
            raise AssertionError(f"only these were named: {named}")
        rest = run.stdout.read()
    assert named == [
        "FAILED test_given.py::test_one[7] - AssertionError: first line",
        "ERROR test_given.py::test_two - fixture 'absent' not found",
    ]
    assert "1 failed, 1 passed, 1 error" in rest
