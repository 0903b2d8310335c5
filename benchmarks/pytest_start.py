"""What the installed package adds to the start of a pytest that does not use it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, milliseconds
from tests.environments import REPOSITORY, clean_environment

ROUNDS = 25
TARGET_MS = 20.0


def figures(folder: Path) -> Iterator[Figure]:
    """Compare starts with and without the plugins of other distributions, in turns.

    The environment holds pytest and this package only, so that the one plugin is ours.
    """
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "pytest", str(REPOSITORY)]
    subprocess.run(install, check=True, stdin=subprocess.DEVNULL)
    (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    with_plugin, without = [], []
    for number in range(-1, ROUNDS):
        times = _start(python, folder), _start(python, folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        # The first round only compiles modules.
        if number >= 0:
            with_plugin.append(times[0])
            without.append(times[1])
    added = milliseconds([a - b for a, b in zip(with_plugin, without, strict=True)])
    yield Figure(
        "pytest start, added by the plugin",
        added,
        "ms",
        None,
        None,
        f"under {TARGET_MS:.0f} ms",
        added < TARGET_MS,
        {"with": with_plugin, "without": without},
    )


def _start(python: Path, folder: Path, **variables: str) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_nothing.py"],
        cwd=folder,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - begin
