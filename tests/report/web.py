"""The front end's sources: building them and running their tests, with Node.js."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.environments import REPOSITORY, clean_environment, npm_libraries

WEB = REPOSITORY / "plugins" / "pipestat_report" / "web"
STATIC = REPOSITORY / "plugins" / "pipestat_report" / "static"


def workplace(folder: Path) -> Path:
    """Return a copy of the sources beside the libraries that they need; raises MissingPart."""
    libraries = npm_libraries("report-web", WEB) / "node_modules"
    work = folder / "web"
    if not work.exists():
        shutil.copytree(WEB, work, ignore=shutil.ignore_patterns("node_modules"))
        (work / "node_modules").symlink_to(libraries)
    return work


def run(work: Path, *command: str, **variables: str) -> str:
    """Run a command among the sources; a failure shows what it printed."""
    done = subprocess.run(
        command,
        cwd=work,
        env={**clean_environment(**variables), "HOME": os.environ["HOME"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_test(work: Path, name: str, **variables: str) -> None:
    """Bundle one file of tests and run it."""
    bundle = work / f"{name}.bundle.mjs"
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"]
    run(
        work, "node_modules/.bin/esbuild", f"tests/{name}.test.mjs", *options, f"--outfile={bundle}"
    )
    run(work, "node", "--test", str(bundle), **variables)
