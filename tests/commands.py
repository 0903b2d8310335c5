"""Running `pipestat-spec` as a user's shell does: a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.environments import clean_environment

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
        timeout=60,
    )
    if code is not None:
        said = f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == code, said
    return done


def start_all(commands: Sequence[Sequence[object]], cwd: Path) -> list[subprocess.Popen[str]]:
    """Start commands of `pipestat-spec` at once and return the running processes."""
    environment = clean_environment()
    return [
        subprocess.Popen(
            [PROGRAM, *map(str, command)],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
