"""Mutants of spec/core.md: what is lost, torn, held up or answered in a wrong way."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.memory import SnapshotBackend
from pipestat_conformance.targets.target import Target

from conformance_selfcheck.faulty_memory import FaultyMemory
from conformance_selfcheck.mutants.moments import Watched, another_writes, until
from conformance_selfcheck.mutants.mutation import Call, MutantTarget, backend, operation, register
from pipestat_spec.backend import Capability
from pipestat_spec.errors import (
    InvalidValueError,
    PipestatError,
    ResultConflictError,
    UnsupportedOperation,
)
from pipestat_spec.models.record import Record, RecordKey


@operation("PS-GUA-005", on="report")
def refused_report_leaves_a_status(call: Call) -> Any:
    """A record whose report is refused is marked as failed."""
    try:
        return call.go()
    except PipestatError:
        with suppress(PipestatError):
            call.ask("set_status", record=call.key.identifier, status="failed", level=call.level)
        raise


@backend("PS-GUA-006")
class CachedAndNeverStored(SnapshotBackend):
    """Changes stay in the memory of the process."""

    def save(self) -> None:
        """Keep it in memory."""


@backend("PS-GUA-006")
class ReadsFromTheStart(SnapshotBackend):
    """What other processes store is not seen: the store is read once, when it is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        super().load()

    def read(self, key: RecordKey) -> Record | None:
        return self._records.get(key)


@backend("PS-GUA-001", also_claims=("durable",), trials=("trial.kill.acknowledged",))
class StoredWhenClosed(SnapshotBackend):
    """Changes are stored when the store is closed, and acknowledged before."""

    def save(self) -> None:
        """Wait for the end."""

    def close(self) -> None:
        super().save()


class _Unlocked(SnapshotBackend):
    @contextmanager
    def locked(self) -> Iterator[None]:
        yield


@backend("PS-GUA-002", trials=("trial.writers.different-results.n8",))
class LostUpdate(_Unlocked):
    """Writers take no lock: of two that write at once, one is lost."""

    def save(self) -> None:
        until(another_writes(self.path))
        temporary = f"{self.path}.{os.getpid()}"
        with open(temporary, "wb") as file:
            pickle.dump((self._records, self._history), file)
        os.replace(temporary, self.path)
        self._seen = None


@backend("PS-GUA-002", trials=("trial.writers.different-records.n8",))
class WritersRefusedMeanwhile(SnapshotBackend):
    """A writer that meets another one fails."""

    @property
    def _refused(self) -> Path:
        return Path(f"{self.path}.refused")

    @contextmanager
    def locked(self) -> Iterator[None]:
        try:
            descriptor = os.open(f"{self.path}.busy", os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            self._refused.touch()
            raise InvalidValueError("another process writes") from None
        try:
            until(self._refused.exists)
            yield
        finally:
            os.close(descriptor)
            os.unlink(f"{self.path}.busy")


class _InPlace(SnapshotBackend):
    def hold(self) -> None:
        """Make a moment so long that a writer is killed in it more often than not."""
        time.sleep(0.05)

    def save(self) -> None:
        data = pickle.dumps((self._records, self._history))
        with open(self.path, "wb", buffering=0) as file:
            self.hold()
            file.write(data[: len(data) // 2])
            self.hold()
            file.write(data[len(data) // 2 :])
        self._seen = None

    def load(self) -> None:
        try:
            super().load()
        except (EOFError, pickle.UnpicklingError):
            raise PipestatError("the store cannot be read") from None


@backend("PS-GUA-003", trials=("trial.writers.different-records.n2",))
class StoreRewrittenInPlace(Watched, _InPlace):
    """The store is written in place: readers find it empty, or half of it."""


@backend("PS-GUA-001", also_claims=("durable",), trials=("trial.kill.in-flight",))
class TornByAKill(_InPlace):
    """A writer that dies leaves half a store."""


@backend("PS-GUA-004", trials=("trial.kill.next-writer",))
class StaleLock(SnapshotBackend):
    """The lock is a file that a writer makes and removes; a dead one leaves it behind."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        path, deadline = f"{self.path}.busy", time.monotonic() + 3
        while True:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                if time.monotonic() > deadline:
                    raise PipestatError("the store is locked") from None
                time.sleep(0.005)
        try:
            yield
            # So that a writer is killed here more often than not.
            time.sleep(0.05)
        finally:
            os.unlink(path)


class Silent(SnapshotBackend):
    """Knows neither statuses, history, times, sources nor the project level."""

    capabilities = SnapshotBackend.capabilities - {
        Capability.HISTORY,
        Capability.STATUS,
        Capability.TIMES,
        Capability.SOURCE,
        Capability.PROJECT_LEVEL,
    }


def silence_instead_of_unsupported(call: Call) -> Any:
    """What needs a capability that is not claimed is answered with null."""
    try:
        return call.go()
    except UnsupportedOperation:
        return None


def _silent(name: str) -> Target:
    inner = FaultyMemory(kind=Silent)
    return MutantTarget(name, inner, silence_instead_of_unsupported)


register(silence_instead_of_unsupported, ("PS-CAP-002",), _silent)


@operation("PS-CAP-003")
def conflict_called_validation(call: Call) -> Any:
    """A conflict is answered with the code of a wrong value."""
    try:
        return call.go()
    except ResultConflictError as error:
        raise InvalidValueError(str(error)) from None


@operation("PS-CAP-003")
def every_error_is_store(call: Call) -> Any:
    """Whatever went wrong, the code is `store`."""
    try:
        return call.go()
    except UnsupportedOperation:
        raise
    except PipestatError as error:
        raise PipestatError(str(error)) from None
