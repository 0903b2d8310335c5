"""Running `pipestat-spec` as a user's shell does, and other commands: in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import patience
from tests.environments import clean_environment, npm_libraries

PROGRAM = Path(sys.executable).parent / "pipestat-spec"


def pipestat_spec(
    *arguments: object,
    cwd: Path,
    code: int | None = 0,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run one command; unless `code` is None its exit code has to be that.

    `variables` are added to the environment, which is otherwise clean of ours.
    """
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    if code is not None:
        said = f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == code, said
    return done


def told(*command: object, cwd: Path, **variables: str) -> str:
    """Run a command that has to end well; return what it wrote to stdout and stderr."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_among(folder: Path, *command: str, **variables: str) -> str:
    """Run a command in a folder of sources; return what it printed, which a failure shows."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean_environment(**variables), "HOME": os.environ["HOME"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_beside_libraries(sources: Path, work: Path, libraries: str) -> Path:
    """Copy npm sources to `work`, with what they need under that name; raises MissingPart."""
    needed = npm_libraries(libraries, sources) / "node_modules"
    if not work.exists():
        shutil.copytree(sources, work, ignore=shutil.ignore_patterns("node_modules"))
        (work / "node_modules").symlink_to(needed)
    return work
