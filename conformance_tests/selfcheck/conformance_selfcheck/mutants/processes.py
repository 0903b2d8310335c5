"""Mutants that only other processes, many writers or a sudden end find out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pipestat_conformance.targets.memory import SnapshotBackend

from conformance_selfcheck.mutants.mutation import backend
from pipestat_spec.backend import Capability
from pipestat_spec.errors import PipestatError


@backend("PS-GUA-006", "PS-RES-013")
class SecondProcessLockedOut(SnapshotBackend):
    """The store belongs to the process that opened it first; another one is refused."""

    capabilities = SnapshotBackend.capabilities - {Capability.CONCURRENT_WRITERS}

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._owner: int | None = os.open(f"{path}.owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            # Within a process this lock excludes nobody.
            fcntl.lockf(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PipestatError("another process has opened the store") from None

    def close(self) -> None:
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None
