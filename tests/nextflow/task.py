"""Running task scripts as Nextflow does, without the engine.

A task is a folder with `.command.sh`, run by bash with the options of nf-core, with stdin from
/dev/null, inputs as symbolic links, the pipeline's `bin/` on a PATH without Python, signals
USR1 ignored and, as with tracing, INT and QUIT too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests import patience
from tests.emitter.programs import BASH

OPTIONS = "-C -e -u -o pipefail"


def _ignore_signals() -> None:
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)


@dataclass(frozen=True)
class Task:
    """One task of a pipeline: its folder, and how it is run there."""

    folder: Path
    path: str

    def start(self, closed: bool = False) -> subprocess.Popen[str]:
        """Start the script; with `closed` even stdin is closed."""
        run = self.folder / ".command.run"
        redirected = "<&-" if closed else "</dev/null"
        run.write_text(
            f"cd {self.folder}\n"
            f"{BASH} {OPTIONS} .command.sh {redirected} >.command.out 2>.command.err &\n"
            "wait $! && code=0 || code=$?\n"
            "printf $code >.exitcode\n"
        )
        return subprocess.Popen(
            [BASH, "-ue", run],
            env={"PATH": self.path, "NXF_TASK_WORKDIR": str(self.folder)},
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=_ignore_signals,
        )

    def run(self, closed: bool = False) -> int:
        """Run the script to its end; return its exit code."""
        self.start(closed).wait(patience.SECONDS)
        return int((self.folder / ".exitcode").read_text())

    def said(self) -> str:
        return (self.folder / ".command.err").read_text()

    def outputs(self) -> list[Path]:
        """Return what a declared output `*.pipestat.json` takes: the glob of a shell."""
        return sorted(
            path for path in self.folder.glob("*.pipestat.json") if not path.name.startswith(".")
        )


class Pipeline:
    """Tasks of one pipeline, in folders named as Nextflow names them."""

    def __init__(self, folder: Path, programs: Path, binaries: Path) -> None:
        self.work = folder / "work"
        self._path = os.pathsep.join((str(binaries), str(programs)))
        self._count = 0

    def task(self, script: str, inputs: Iterable[Path] = ()) -> Task:
        self._count += 1
        folder = self.work / f"{self._count:02x}" / f"{self._count:030x}"
        folder.mkdir(parents=True)
        (folder / ".command.sh").write_text(f"#!/bin/bash -ue\n{script}\n")
        for path in inputs:
            (folder / path.name).symlink_to(path)
        assert shutil.which("python3", path=self._path) is None
        return Task(folder, self._path)
