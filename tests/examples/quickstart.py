"""One run of the quickstart's demo, for all tests that look at what it leaves."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.commands import told
from tests.repository import REPOSITORY
from tests.sharing import shared_folder


def quickstart_that_ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a copy of the example whose demo has run, and what the demo printed.

    It runs once even where several processes ask, so nobody may change the copy.
    """
    with shared_folder(tmp_path_factory, "quickstart_demo") as root:
        folder, printed = root / "quickstart", root / "printed.txt"
        if not printed.exists():
            shutil.rmtree(folder, ignore_errors=True)
            ignored = shutil.ignore_patterns("output", "__pycache__")
            shutil.copytree(REPOSITORY / "examples" / "quickstart", folder, ignore=ignored)
            said = told(folder / "demo.sh", sys.executable, cwd=root, LC_ALL="C.UTF-8")
            printed.write_text(said, "utf-8")
        return folder, printed.read_text("utf-8")
