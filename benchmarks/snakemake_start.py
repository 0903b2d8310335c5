"""What the logger plugin adds to a Snakemake start that does not enable it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, milliseconds
from tests.environments import REPOSITORY, PythonEnvironment, clean_environment

ROUNDS = 25
TARGET_MS = 50.0

_PLUGIN = REPOSITORY / "plugins" / "snakemake-logger-plugin-pipestat"
# Both starts go through this program; an argument is a folder to take off the path, which
# makes Snakemake find no plugin.
_START = """
import sys
if len(sys.argv) > 1:
    sys.path.remove(sys.argv[1])
sys.argv = ["snakemake", "--cores", "1", "--quiet", "all"]
from snakemake.cli import main
main()
"""


def figures(environment: PythonEnvironment, folder: Path) -> Iterator[Figure]:
    """Compare starts with the plugin on the path and off it, in turns; nothing is to be done."""
    (folder / "Snakefile").write_text("rule all:\n    input: []\n")
    with_plugin, without = [], []
    for number in range(-1, ROUNDS):
        times = _start(environment, folder), _start(environment, folder, str(_PLUGIN))
        # The first round only compiles modules.
        if number >= 0:
            with_plugin.append(times[0])
            without.append(times[1])
    added = milliseconds([a - b for a, b in zip(with_plugin, without, strict=True)])
    yield Figure(
        "Snakemake start, added by the plugin",
        added,
        "ms",
        None,
        None,
        f"under {TARGET_MS:.0f} ms",
        added < TARGET_MS,
        {"with": with_plugin, "without": without},
    )


def _start(environment: PythonEnvironment, folder: Path, *without: str) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [str(environment.python), "-c", _START, *without],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - begin
