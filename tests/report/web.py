"""The front end's sources: building them and running their tests, with Node.js."""

from __future__ import annotations

from pathlib import Path

from tests.commands import copy_beside_libraries, run_among
from tests.repository import REPOSITORY

WEB = REPOSITORY / "plugins" / "pipestat_report" / "web"
STATIC = REPOSITORY / "plugins" / "pipestat_report" / "static"


def workplace(folder: Path) -> Path:
    """Return a copy of the sources beside the libraries that they need; raises MissingPart."""
    return copy_beside_libraries(WEB, folder / "web", "report-web")


def run_test(work: Path, name: str, **variables: str) -> None:
    """Bundle one file of tests and run it."""
    bundle = work / f"{name}.bundle.mjs"
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"]
    run_among(
        work, "node_modules/.bin/esbuild", f"tests/{name}.test.mjs", *options, f"--outfile={bundle}"
    )
    run_among(work, "node", "--test", str(bundle), **variables)
