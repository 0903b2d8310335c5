"""The backend for URLs with `{record_identifier}`: one object for each record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.domain.query import check_cursor, check_limit, keep_columns, select
from pipestat_spec.models.query import Page, Query
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.remote.backend import claimed_capabilities
from pipestat_yaml.remote.batch import Batch
from pipestat_yaml.remote.fetching import fetch_many
from pipestat_yaml.remote.guard import WriteGuard
from pipestat_yaml.remote.mirror import Mirror
from pipestat_yaml.remote.object_index import ObjectIndex
from pipestat_yaml.remote.remote_file import RemoteFile

__all__ = ["RecordObjectsBackend"]


class RecordObjectsBackend(Backend):
    """Each record in an object of its own, named by its identifier."""

    def __init__(
        self, guard: WriteGuard, template: str, settings: StoreSettings, mirror: Mirror
    ) -> None:
        self.capabilities = claimed_capabilities(guard, template) - {Capability.ATOMIC_BATCH}
        self.file = guard.store.shown(template)
        self._guard = guard
        self._settings = settings
        self._mirror = mirror
        self._index = ObjectIndex(guard.store, template, settings, guard.seconds)

    def _file(self, identifier: str) -> RemoteFile:
        key = self._index.names.key(identifier)
        return RemoteFile(self._guard, key, self._settings, self._mirror)

    def read(self, key: RecordKey) -> Record | None:
        return self._file(key.identifier).records().read(key)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes object by object: one get and one put for each, side by side."""
        self._guard.check_open(self._index.names.template)
        batch = Batch(self._guard, self._file, self._mirror)
        return batch.run(changes)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(self._file(key.identifier).records().history(key))

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        names = self._index.names_of(level, self._index.listed())
        found = self._scan(names, level, after, limit)
        return found if limit is None else islice(found, max(limit, 0))

    def _scan(
        self, names: list[str], level: Level, after: str | None, limit: int | None
    ) -> Iterator[Record]:
        """Yield the records of these names that are there, reading ahead no more than needed."""
        names = [name for name in names if after is None or name > after]
        keys = {self._index.names.key(name): name for name in names}
        step = len(names) if limit is None else max(limit, 1)
        for start in range(0, len(names), step or 1):
            some = list(keys)[start : start + step]
            for key, found in fetch_many(self._guard.store, some, self._guard.seconds):
                held = self._index.held(key, found)
                record = held and held.read(RecordKey(level, keys[key]))
                if record:
                    yield record

    def count(self, level: Level) -> int:
        return len(self._index.present(level, self._index.listed()))

    def select(self, query: Query) -> Page:
        """Return a page; without a filter only its own objects are read, where names tell."""
        level = query.level
        limit, cursor = check_limit(query.limit), check_cursor(query.cursor)
        listed = self._index.listed()
        if query.where is not None or limit is None or not self._index.names_tell(level, listed):
            names = self._index.names_of(level, listed)
            return select(self._scan(names, level, None, None), query)
        present = self._index.present(level, listed)
        wanted = self._scan(present, level, cursor, limit)
        records = tuple(keep_columns(record, query.columns) for record in islice(wanted, limit))
        last = records[-1].key.identifier if records else ""
        more = bool(records) and bool(present) and present[-1] > last
        return Page(records, len(present), last if more else None)

    def close(self) -> None:
        self._guard.store.close()
