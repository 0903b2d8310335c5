"""What the logger plugin adds to a Snakemake start that does not enable it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, added, seconds
from tests.environments import PythonEnvironment
from tests.repository import REPOSITORY

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
    """Compare starts with the plugin on the path and off it; nothing is to be done."""
    (folder / "Snakefile").write_text("rule all:\n    input: []\n")

    def start(*without: str) -> float:
        return seconds([str(environment.python), "-c", _START, *without], folder)

    yield added(
        "Snakemake start, added by the plugin", lambda: start(str(_PLUGIN)), start, TARGET_MS
    )
