"""One run of the quickstart's demo, for all tests that look at what it leaves."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import patience
from tests.environments import clean_environment
from tests.repository import REPOSITORY


def quickstart_that_ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a copy of the example whose demo has run, and what the demo printed.

    It runs once even where several processes ask, so nobody may change the copy.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, printed = root / "quickstart", root / "quickstart.txt"
    with (root / "quickstart.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            shutil.rmtree(folder, ignore_errors=True)
            ignored = shutil.ignore_patterns("output", "__pycache__")
            shutil.copytree(REPOSITORY / "examples" / "quickstart", folder, ignore=ignored)
            done = subprocess.run(
                [str(folder / "demo.sh"), sys.executable],
                cwd=root,
                env=clean_environment(LC_ALL="C.UTF-8"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=patience.SECONDS,
            )
            assert done.returncode == 0, done.stdout
            printed.write_text(done.stdout, "utf-8")
    return folder, printed.read_text("utf-8")
