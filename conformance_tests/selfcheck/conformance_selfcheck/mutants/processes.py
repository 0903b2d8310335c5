"""Mutants that only other processes, many writers or a sudden end find out."""

from __future__ import annotations

import fcntl
import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.memory import SnapshotBackend

from conformance_selfcheck.mutants.moments import Watched, another_writes, until
from conformance_selfcheck.mutants.mutation import backend
from pipestat_spec.backend import Capability, Change, Transition
from pipestat_spec.errors import PipestatError
from pipestat_spec.memory import MemoryBackend
from pipestat_spec.models.record import Record, RecordKey


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


class _InTwoSteps(SnapshotBackend):
    """Stores a change in two steps, with a moment between them."""

    def hold(self) -> None:
        """Make the moment so long that a writer is killed in it more often than not."""
        time.sleep(0.1)

    def between(self, old: tuple[Any, Any], new: tuple[Any, Any]) -> tuple[Any, Any]:
        """Return records and history of the moment between."""
        raise NotImplementedError

    def save(self) -> None:
        new = self._records, self._history
        try:
            with open(self.path, "rb") as file:
                old = pickle.load(file)
        except FileNotFoundError:
            old = {}, {}
        self._records, self._history = self.between(old, new)
        super().save()
        self.hold()
        self._records, self._history = new
        super().save()


@backend("PS-GUA-003", trials=("trial.writers.different-results.n8",))
class RemovedBeforeWritten(Watched, _InTwoSteps):
    """A record is replaced by removing and inserting it: a reader misses it for a moment."""

    def between(self, old: tuple[Any, Any], new: tuple[Any, Any]) -> tuple[Any, Any]:
        return {key: r for key, r in new[0].items() if r == old[0].get(key)}, new[1]


@backend("PS-GUA-003", trials=("trial.writers.different-results.n8",))
class ResultsClearedBeforeWritten(Watched, _InTwoSteps):
    """The results of a record are replaced by emptying it and filling it again."""

    def between(self, old: tuple[Any, Any], new: tuple[Any, Any]) -> tuple[Any, Any]:
        emptied = {
            key: r if r == old[0].get(key) else replace(r, results={}) for key, r in new[0].items()
        }
        return emptied, new[1]


class _HistoryLast(_InTwoSteps):
    def between(self, old: tuple[Any, Any], new: tuple[Any, Any]) -> tuple[Any, Any]:
        return new[0], old[1]


@backend("PS-GUA-003", trials=("trial.writers.same-result.n8",))
class HistorySeenLater(Watched, _HistoryLast):
    """A value is there a moment before the one that it replaced stands in the history."""


@backend("PS-GUA-001", also_claims=("durable",), trials=("trial.kill.in-flight",))
class HistoryAfterTheValue(_HistoryLast):
    """The history is written after the value, in a step of its own."""


@backend("PS-GUA-001", also_claims=("durable",), trials=("trial.kill.removal",))
class RemovedBeforeKept(_HistoryLast):
    """A removed value gets into the history after its removal."""


class _RecordByRecord(_InTwoSteps):
    def between(self, old: tuple[Any, Any], new: tuple[Any, Any]) -> tuple[Any, Any]:
        changed = [key for key in new[0] if old[0].get(key) != new[0][key]]
        later = set(changed[1:])
        records = {key: r for key, r in new[0].items() if key not in later}
        return {**records, **{key: old[0][key] for key in later if key in old[0]}}, old[1]


@backend("PS-GUA-003", trials=("trial.writers.batches.n8",))
class BatchSeenInParts(Watched, _RecordByRecord):
    """The records of a batch are there one after the other."""


@backend("PS-GUA-001", also_claims=("durable",), trials=("trial.kill.batch",))
class BatchRecordByRecord(_RecordByRecord):
    """A batch is written record by record."""


@backend("PS-GUA-001", also_claims=("durable",), trials=("trial.kill.status",))
class MessageAfterTheStatus(_InTwoSteps):
    """The message of a status is written after it."""

    def between(self, old: tuple[Any, Any], new: tuple[Any, Any]) -> tuple[Any, Any]:
        def half(key: RecordKey, record: Record) -> Record:
            before = old[0].get(key)
            return replace(record, status_message=before.status_message) if before else record

        return {key: half(key, record) for key, record in new[0].items()}, new[1]


class _Unguarded(SnapshotBackend):
    """Some changes are made on what was read before the lock was taken."""

    def unguarded(self, before: Record | None, after: Record | None) -> bool:
        """Tell whether a change is made so."""
        raise NotImplementedError

    def any_unguarded(self, changes: Sequence[tuple[RecordKey, Change]]) -> bool:
        """Tell whether some change of a batch is made so."""
        found = [(self._records.get(key), change) for key, change in changes]
        return any(self.unguarded(before, change(before).record) for before, change in found)

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        self.load()
        if not self.any_unguarded(changes):
            return super().update_many(changes)
        old = self._records, self._history
        until(another_writes(self.path))
        with self.locked():
            self._records, self._history = old
            done = MemoryBackend.update_many(self, changes)
            self.save()
            return done


@backend("PS-GUA-002", trials=("trial.writers.statuses.n8",))
class StatusLosesUpdates(_Unguarded):
    """A status is written without a look at what others wrote meanwhile."""

    def unguarded(self, before: Record | None, after: Record | None) -> bool:
        return after is not None and after.status != (before and before.status)


@backend("PS-GUA-002", trials=("trial.writers.removals.n8",))
class RemovalLosesUpdates(_Unguarded):
    """A result is removed without a look at what others wrote meanwhile."""

    def unguarded(self, before: Record | None, after: Record | None) -> bool:
        return before is not None and (after is None or len(after.results) < len(before.results))


@backend("PS-GUA-002", trials=("trial.writers.project-level.n8",))
class ProjectLosesUpdates(_Unguarded):
    """The project level is written without a look at what others wrote meanwhile."""

    def unguarded(self, before: Record | None, after: Record | None) -> bool:
        return any(record and record.key.level == "project" for record in (before, after))


@backend("PS-GUA-002", trials=("trial.writers.batches.n8", "trial.writers.mixed.n8"))
class BatchLosesUpdates(_Unguarded):
    """A batch is made on what was read before the lock was taken."""

    def any_unguarded(self, changes: Sequence[tuple[RecordKey, Change]]) -> bool:
        return len(changes) > 1
