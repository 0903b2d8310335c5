"""One results file as an object: its records, and their changes (SPEC.md section 8.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from threading import RLock

from pipestat_spec.backend import Change, StoreSettings, Transition
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.records.placement import Placement
from pipestat_yaml.records.records import Records, decide
from pipestat_yaml.remote.guard import WriteGuard
from pipestat_yaml.remote.mirror import Mirror
from pipestat_yaml.remote.objects import StoredObject
from pipestat_yaml.remote.retry import Tries
from pipestat_yaml.remote.updating import Decide, Seen, Updating
from pipestat_yaml.text.layout import Layout
from pipestat_yaml.text.loading import open_document

__all__ = ["RemoteFile"]


class RemoteFile:
    """The records of one namespace in one object."""

    def __init__(
        self, guard: WriteGuard, key: str, settings: StoreSettings, mirror: Mirror
    ) -> None:
        self.key = key
        self.shown = guard.store.shown(key)
        self._guard = guard
        self._store = guard.store
        self._placement = Placement.of(settings, self.shown)
        self._mirror = mirror
        # Threads of one process take turns instead of meeting at the store.
        self._turn = RLock()

    def get(self) -> StoredObject | None:
        """Return the object of this moment."""
        tries = Tries(self.shown, self._guard.seconds)
        try:
            return tries.reading(lambda: self._store.get(self.key))
        finally:
            tries.done()

    def records_in(self, found: StoredObject | None) -> Records:
        """Return the records of an object; raises when it and the settings disagree."""
        document = open_document(found.data if found else b"", self.shown)
        return Records(document, self._placement, None)

    def records(self) -> Records:
        return self.records_in(self.get())

    @property
    def layout(self) -> Layout | None:
        """The layout that the namespace has in the object; None while it is new."""
        found = self.get()
        document = open_document(found.data if found else b"", self.shown)
        return document.layout(self._placement.namespace)

    def scan(self, level: Level, after: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the records of one moment, in code-point order."""
        records = self.records()
        found = records.identifiers(level)
        names = list(islice((n for n in found if after is None or n > after), limit))
        return records.read_many(level, names, lambda _: None)

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        return self.records().histories(level)

    def decision(self, changes: Sequence[tuple[RecordKey, Change]]) -> Decide:
        """Return the function that applies the changes to an object's bytes."""
        return lambda data: decide(
            open_document(data, self.shown), self._placement, changes, read_flag=None
        )

    def update_many(
        self, changes: Sequence[tuple[RecordKey, Change]], seen: Seen | None = None
    ) -> list[Transition]:
        """Apply the changes with at most one put that counts."""
        if not changes:
            return []
        with self._turn:
            decision = self.updating(self.decision(changes)).run(seen)
        self._mirror.write({**decision.flags_first, **decision.flags})
        return decision.transitions

    def updating(self, decision: Decide) -> Updating:
        tries = Tries(self.shown, self._guard.seconds, writing=True)
        return Updating(self._guard, self.key, decision, tries)
