"""The backend for one object that holds all records of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import RLock
from typing import TYPE_CHECKING

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.records.records import Decision, Records, decide
from pipestat_yaml.remote.attempts import ObjectUpdate, Seen
from pipestat_yaml.remote.flag_mirrors import Mirror
from pipestat_yaml.remote.object_store import StoredObject
from pipestat_yaml.remote.retries import Retries
from pipestat_yaml.remote.write_guard import WriteGuard
from pipestat_yaml.text.results_text import ResultsText
from pipestat_yaml.text.spliced_text import open_text

if TYPE_CHECKING:
    from datetime import datetime

    from pipestat_spec.models.query import Filter, Page, Query, TimeColumn

__all__ = ["RemoteBackend", "claimed_capabilities", "open_object"]

_CAPABILITIES = frozenset(Capability) - {
    Capability.NATIVE_QUERY,
    Capability.UNNAMED_NAMESPACE,
}


def open_object(
    guard: WriteGuard, key: str, settings: StoreSettings, mirror: Mirror, seen: Seen | None = None
) -> RemoteBackend:
    """Return the backend for an object; raises when it and the settings disagree."""
    backend = RemoteBackend(guard, key, settings, mirror, claimed_capabilities(guard, key))
    backend.seen = seen or Seen(backend.get())
    backend.records(backend.seen.object)
    return backend


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
    """Records of one namespace in one object; see spec/remote.md."""

    file: str

    def __init__(
        self,
        guard: WriteGuard,
        key: str,
        settings: StoreSettings,
        mirror: Mirror,
        capabilities: frozenset[Capability],
    ) -> None:
        self.capabilities = capabilities
        self.file = guard.store.shown(key)
        self.key = key
        self._guard = guard
        self._rules = LayoutRules(settings, self.file)
        self._mirror = mirror
        # Threads of one process take turns instead of meeting at the store.
        self._turn = RLock()
        # What opening has read saves the first update a request, and is of no use to reads.
        self.seen: Seen | None = None

    def get(self) -> StoredObject | None:
        """Return the object of this moment."""
        with Retries(self.file, self._guard.patience) as retries:
            return retries.reading(lambda: self._guard.store.get(self.key))

    def records(self, found: StoredObject | None) -> Records:
        """Return the records of an object."""
        return Records(_text(found, self.file), self._rules)

    @property
    def layout(self) -> str | None:
        """The layout of the namespace in the object; None while it has none."""
        return _text(self.get(), self.file).layout(self._rules.namespace)

    def exists(self) -> bool:
        """Tell whether the object is there, with the namespace in it or none at all."""
        found = self.seen.object if self.seen else self.get()
        text = _text(found, self.file)
        return self._rules.namespace in text.keys or (found is not None and not text.namespaces())

    def version(self) -> object | None:
        """Return the version of the object, from a list: its bytes stay where they are."""
        if not self._guard.store.lists_versions:
            return None
        with Retries(self.file, self._guard.patience) as retries:
            listed = retries.reading(lambda: self._guard.store.find(self.key))
        return next((item.version for item in listed if item.key == self.key), None)

    def read(self, key: RecordKey) -> Record | None:
        return self.records(self.get()).read(key)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records of one moment, in code-point order."""
        return self.records(self.get()).scan(level, after, limit)

    def select(self, query: Query) -> Page:
        """Return a page of the records that match, of one moment."""
        return self.records(self.get()).select(query)

    def matching(
        self, level: Level, where: Filter, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records that match as `scan` yields all, of one moment."""
        return self.records(self.get()).matching(level, where, after, limit)

    def recent(
        self,
        level: Level,
        *,
        limit: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        time_column: TimeColumn = "modified",
        cursor: str | None = None,
    ) -> Page:
        """Return a page of records by time, newest first, of one moment."""
        window = (limit, start, end, time_column, cursor)
        return self.records(self.get()).recent(level, *window)

    def count(self, level: Level) -> int:
        return self.records(self.get()).count(level)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(self.records(self.get()).history(key))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        return self.records(self.get()).histories(level)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes with at most one conditional put that counts."""
        self._guard.check_open(self.key)
        seen, self.seen = self.seen, None
        if not changes:
            return []
        with self._turn:
            decision = self.update_of(changes).run(seen)
        self._mirror(decision.flags)
        return decision.transitions

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        """Remove entries of the histories with at most one conditional put that counts."""
        self._guard.check_open(self.key)
        removed = 0

        def decide_on(data: bytes) -> Decision:
            nonlocal removed
            records = Records(open_text(data, self.file), self._rules)
            removed = records.prune(level, limit)
            return Decision([], records.chunks(), {})

        seen, self.seen = self.seen, None
        with self._turn:
            ObjectUpdate(self._guard, self.key, decide_on).run(seen)
        return removed

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None:
        """Decide all changes on the object of this moment, and put nothing."""
        found = self.get()
        self.update_of(changes).decide(found.data if found else b"")

    def update_of(self, changes: Sequence[tuple[RecordKey, Change]]) -> ObjectUpdate:
        """Return the update that applies the changes, to be run."""

        def decide_on(data: bytes) -> Decision:
            return decide(open_text(data, self.file), self._rules, changes, None)

        return ObjectUpdate(self._guard, self.key, decide_on)

    def close(self) -> None:
        self._guard.store.close()


def _text(found: StoredObject | None, name: str) -> ResultsText:
    return open_text(found.data if found else b"", name)
