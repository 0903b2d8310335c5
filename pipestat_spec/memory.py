"""The in-memory backend: a real backend, and the reference model of the tests.

The records of one backend object live as long as it does. Threads may share it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from pipestat_spec.backend import (
    Backend,
    BackendFactory,
    Capability,
    Change,
    StoreSettings,
    Transition,
)
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_spec.plugins.hookspecs import hookimpl

__all__ = ["MemoryBackend", "MemoryFactory"]


class MemoryBackend(Backend):
    """Records in a dictionary, changed under a lock."""

    capabilities = frozenset(Capability) - {
        Capability.DURABLE,
        Capability.NATIVE_QUERY,
        Capability.MULTI_NAMESPACE,
        Capability.UNNAMED_NAMESPACE,
    }

    def __init__(self) -> None:
        self._records: dict[RecordKey, Record] = {}
        self._history: dict[RecordKey, tuple[HistoryEntry, ...]] = {}
        # Imported here: every command loads this plugin, few use it.
        from threading import Lock

        self._lock = Lock()

    def read(self, key: RecordKey) -> Record | None:
        return self._records.get(key)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        from pipestat_spec.domain.history import appended

        with self._lock:
            records, history = dict(self._records), dict(self._history)
            transitions = []
            for key, change in changes:
                current = records.get(key)
                outcome = change(current)
                if outcome.record is None:
                    records.pop(key, None)
                    history.pop(key, None)
                else:
                    records[key] = outcome.record
                    history[key] = appended(history.get(key, ()), outcome)
                transitions.append(Transition(current, outcome.record))
            self._records, self._history = records, history
            return transitions

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        records = self._records
        keys = sorted(
            key
            for key in records
            if key.level == level and (after is None or key.identifier > after)
        )
        return (records[key] for key in islice(keys, limit))

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(self._history.get(key, ()))

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        from pipestat_spec.domain.history import expired

        removed = 0
        with self._lock:
            history = dict(self._history)
            for key, entries in self._history.items():
                if key.level == level and (gone := expired(entries, limit)):
                    removed += len(gone)
                    kept = (entry for place, entry in enumerate(entries) if place not in gone)
                    history[key] = tuple(kept)
            self._history = history
        return removed

    def count(self, level: Level) -> int:
        return sum(key.level == level for key in self._records)

    def close(self) -> None:
        """Keep the records: they are the store."""


class MemoryFactory(BackendFactory):
    """Opens a new, empty store at each call."""

    name = "memory"

    def open(self, settings: StoreSettings) -> Backend:  # noqa: ARG002
        return MemoryBackend()


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(MemoryFactory())
