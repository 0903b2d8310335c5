"""The backend for one local results file that holds all records of a namespace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.local.local_file import mapped_errors, warn_unsafe
from pipestat_yaml.local.mounts import lock_fault
from pipestat_yaml.local.results_file import ResultsFile

__all__ = ["YamlBackend", "claimed_capabilities"]

_CAPABILITIES = frozenset(Capability) - {Capability.NATIVE_QUERY}


def claimed_capabilities(path: str, settings: StoreSettings) -> frozenset[Capability]:
    """Return what a store at this path promises; on a mount without locks that is less."""
    with mapped_errors(path):
        folder = os.path.dirname(path)
        if settings.unsafe_writes and (fault := lock_fault(folder)):
            warn_unsafe(f"{folder}: {fault}")
            return _CAPABILITIES - {Capability.CONCURRENT_WRITERS}
    return _CAPABILITIES


class YamlBackend(Backend):
    """Records of one namespace in one file; see SPEC.md section 7."""

    def __init__(self, path: str, settings: StoreSettings) -> None:
        self.capabilities = claimed_capabilities(path, settings)
        self.file = path
        self._results = ResultsFile(path, settings)
        self._results.records()

    def read(self, key: RecordKey) -> Record | None:
        return self._results.read(key)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes in one atomic write of the file."""
        return self._results.update_many(changes)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        return self._results.scan(level, after, limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return self._results.history(key)

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        return self._results.histories(level)

    @property
    def layout(self) -> str | None:
        """The layout of the namespace in the file; None while it has none."""
        return self._results.layout

    def count(self, level: Level) -> int:
        return self._results.records().count(level)

    def close(self) -> None:
        """Nothing is held between calls."""
