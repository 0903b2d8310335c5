"""The backend for one object that holds all records of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.remote.guard import WriteGuard
from pipestat_yaml.remote.mirror import Mirror
from pipestat_yaml.remote.remote_file import RemoteFile
from pipestat_yaml.remote.updating import Seen

__all__ = ["RemoteBackend", "claimed_capabilities"]

_CAPABILITIES = frozenset(Capability) - {Capability.NATIVE_QUERY}


def claimed_capabilities(guard: WriteGuard, key: str) -> frozenset[Capability]:
    """Return what is promised for objects like `key`."""
    claimed = _CAPABILITIES
    if not guard.is_safe(key):
        claimed -= {Capability.CONCURRENT_WRITERS}
    if not guard.store.durable:
        # What lives in this process neither outlives it nor is shared with others.
        claimed -= {Capability.CONCURRENT_WRITERS, Capability.DURABLE}
    return claimed


class RemoteBackend(Backend):
    """Records of one namespace in one object; see SPEC.md section 8.5."""

    def __init__(
        self,
        guard: WriteGuard,
        key: str,
        settings: StoreSettings,
        mirror: Mirror,
        seen: Seen | None = None,
    ) -> None:
        self.capabilities = claimed_capabilities(guard, key)
        self.file = guard.store.shown(key)
        self._guard = guard
        self._results = RemoteFile(guard, key, settings, mirror)
        seen = seen or Seen(self._results.get())
        self._results.records_in(seen.object)
        # What opening has read saves the first update a request, and is of no use to reads.
        self._seen: Seen | None = seen

    def read(self, key: RecordKey) -> Record | None:
        return self._results.records().read(key)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes in one conditional put of the object."""
        self._guard.check_open(self._results.key)
        seen, self._seen = self._seen, None
        return self._results.update_many(changes, seen)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        return self._results.scan(level, after, limit)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(self._results.records().history(key))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        return self._results.histories(level)

    @property
    def layout(self) -> str | None:
        """The layout of the namespace in the object; None while it has none."""
        return self._results.layout

    def count(self, level: Level) -> int:
        return self._results.records().count(level)

    def close(self) -> None:
        self._guard.store.close()
