"""Running programs on the drop-in and on pipestat 0.13.1, and reading what they stored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.environments import PythonEnvironment
from tests.repository import REPOSITORY

# The environment that the tests themselves run in: this project, and no pipestat.
OURS = PythonEnvironment(Path(sys.executable).parent.parent)
SHIM = REPOSITORY / "pipestat_spec" / "compat" / "shim"
INSTALL = "from pipestat_spec.compat import install_as_pipestat\ninstall_as_pipestat()\n"
# An output schema with one level.
SCHEMA = """
title: Counts
type: object
properties:
  pipeline_name: count
  samples:
    type: object
    properties:
      n: {type: integer}
      text: {type: string}
"""

Done = subprocess.CompletedProcess[str]


def run(
    environment: PythonEnvironment, *command: str | Path, cwd: Path, code: int = 0, **variables: str
) -> Done:
    """Run a command with the environment's programs first on the PATH; check its exit code."""
    path = f"{environment.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = environment.run(*command, cwd=cwd, check=False, **{"PATH": path, **variables})
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def drop_in(
    environment: PythonEnvironment,
    *arguments: str | Path,
    cwd: Path,
    code: int = 0,
    **variables: str,
) -> Done:
    """Run `python -m pipestat_spec.compat` with these arguments."""
    command = ("python", "-m", "pipestat_spec.compat", *arguments)
    return run(environment, *command, cwd=cwd, code=code, **variables)


def stored(path: Path) -> Any:
    """Return what a results file holds, without what tells of times."""
    document = yaml.safe_load(path.read_text("utf-8"))
    for levels in document.values():
        for records in levels.values():
            for record in records.values():
                if isinstance(record, dict):
                    record.pop("meta", None)
    return document


def flags(folder: Path) -> dict[str, str]:
    """Return the flags in a folder: their names with what they hold."""
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.flag"))}
