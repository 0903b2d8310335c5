"""What the installed package adds to the start of a pytest that does not use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, added, seconds
from tests.environments import install_command
from tests.repository import REPOSITORY

TARGET_MS = 20.0


def figures(folder: Path) -> Iterator[Figure]:
    """Compare starts with and without the plugins of other distributions.

    The environment holds pytest and this package only, so that the one plugin is ours.
    """
    python = folder / "venv" / "bin" / "python"
    made = [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")]
    subprocess.run(made, check=True)
    projects = [str(REPOSITORY), str(REPOSITORY / "conformance_tests")]
    install = install_command(python, "development", "pytest", *projects)
    subprocess.run(install, check=True, stdin=subprocess.DEVNULL)
    (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    # Else the configuration of this repository, which lies above, would count.
    (folder / "pytest.ini").write_text("[pytest]\n")

    def start(**variables: str) -> float:
        command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_nothing.py"]
        return seconds(command, folder, **variables)

    yield added(
        "pytest start, added by the plugin",
        lambda: start(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        start,
        TARGET_MS,
    )
