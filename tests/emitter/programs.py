"""Running `pipestat-emit` where there is bash and little else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipestat_spec.engines.emitter import EMITTER
from tests import patience

BASH = shutil.which("bash") or "bash"
# What the emitter may use; no Python among it.
PROGRAMS = ("bash", "cat", "mv", "rm", "sync")


def programs_folder(folder: Path, *more: str, without: str | None = None) -> Path:
    """Make a folder of links to the programs that a task may use, to be the whole PATH."""
    folder.mkdir(parents=True)
    for name in (*PROGRAMS, *more):
        if name != without:
            found = shutil.which(name)
            assert found is not None, f"{name} is not installed"
            (folder / name).symlink_to(found)
    return folder


class Emitter:
    """`pipestat-emit` with a PATH of its own; arguments and output are text or bytes."""

    def __init__(self, programs: Path, cwd: Path) -> None:
        self.programs = programs
        self.cwd = cwd

    def environment(self, **variables: str) -> dict[str, str]:
        return {"PATH": str(self.programs), "HOME": str(self.cwd), **variables}

    def __call__(
        self, *arguments: str | bytes, code: int = 0, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run it; return what it printed on stdout, or the one line of its error."""
        done = subprocess.run(
            [EMITTER, *arguments],
            cwd=self.cwd,
            env=self.environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience.SECONDS,
        )
        assert done.returncode == code, f"{arguments!r}: {done.returncode}\n{done.stderr!r}"
        if code:
            assert done.stdout == b""
            assert done.stderr.count(b"\n") == 1
            assert done.stderr.startswith(b"error: ")
            return done.stderr[len(b"error: ") : -1]
        assert done.stderr == b""
        return done.stdout

    def document(self, *arguments: str | bytes, env: Mapping[str, str] | None = None) -> Any:
        """Return the document that is printed; it has to be one line."""
        printed = self(*arguments, env=env)
        assert printed.endswith(b"}\n")
        assert printed.count(b"\n") == 1
        return json.loads(printed.decode("utf-8"))

    def bash(
        self, script: str, *options: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a bash script with options, in which the emitter is a command."""
        commands = self.cwd / "commands"
        if not commands.exists():
            commands.mkdir()
            (commands / EMITTER.name).symlink_to(EMITTER)
        path = f"{commands}{os.pathsep}{self.programs}"
        return subprocess.run(
            [BASH, *options, "-c", script],
            cwd=self.cwd,
            env={**self.environment(**variables), "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
        )
