"""The backend for URLs with `{record_identifier}`: one object for each record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings, Transition
from pipestat_spec.domain.filters import compile_filter
from pipestat_spec.domain.query import check_cursor, check_limit, keep_columns, named, select
from pipestat_spec.models.query import Filter, Page, Query
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_yaml.records.records import Decision
from pipestat_yaml.remote.attempts import Attempt, ObjectUpdate
from pipestat_yaml.remote.backend import RemoteBackend, claimed_capabilities
from pipestat_yaml.remote.flag_mirrors import Mirror
from pipestat_yaml.remote.object_index import ObjectIndex
from pipestat_yaml.remote.object_store import StoredObject
from pipestat_yaml.remote.retries import Progress, fetch_many
from pipestat_yaml.remote.write_guard import WriteGuard

__all__ = ["RecordObjectsBackend"]

# Puts under way at once.
_AT_ONCE = 64


class _Put(NamedTuple):
    key: str
    update: ObjectUpdate
    attempt: Attempt


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
        self._index = ObjectIndex(guard.store, template, settings, guard.patience)

    def _of(self, identifier: str) -> RemoteBackend:
        key = self._index.names.key(identifier)
        return RemoteBackend(self._guard, key, self._settings, self._mirror, self.capabilities)

    def exists(self) -> bool:
        """Tell whether any object holds the namespace."""
        for item in self._index.listed():
            for key, found in fetch_many(self._guard.store, [item.key], self._guard.patience):
                if self._index.held(key, found) is not None:
                    return True
        return False

    def version(self) -> object | None:
        """Return the versions of the objects, from a list: their bytes stay where they are."""
        if not self._guard.store.lists_versions:
            return None
        found = {item.key: item.version for item in self._index.listed()}
        return None if None in found.values() else found

    def read(self, key: RecordKey) -> Record | None:
        return self._of(key.identifier).read(key)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return self._of(key.identifier).history(key)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes object by object: one get and one put for each, side by side.

        All is decided before anything is stored: what is refused at once leaves all as it was.
        """
        self._guard.check_open(self._index.names.template)
        decisions: dict[str, Decision] = {}
        puts: list[_Put] = []
        numbers = self._by_object(changes)
        for key, update, base, decision in self._decided(numbers, changes):
            decisions[key] = decision
            if decision.chunks is not None:
                puts.append(_Put(key, update, update.attempt(decision, base)))
        self._put(puts, decisions)
        transitions = [Transition(None, None)] * len(changes)
        for key, places in numbers.items():
            for place, transition in zip(places, decisions[key].transitions, strict=True):
                transitions[place] = transition
        return transitions

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        """Remove entries of the histories, object by object."""
        names = self._index.present(level, self._index.listed())
        return sum(self._of(name).prune(level, limit) for name in names)

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None:
        """Decide the changes of each object, and put nothing."""
        for _ in self._decided(self._by_object(changes), changes):
            pass

    def _by_object(self, changes: Sequence[tuple[RecordKey, Change]]) -> dict[str, list[int]]:
        """Return which changes go to which object."""
        numbers: dict[str, list[int]] = {}
        for number, ((_, identifier), _) in enumerate(changes):
            numbers.setdefault(self._index.names.key(identifier), []).append(number)
        return numbers

    def _decided(
        self, numbers: Mapping[str, list[int]], changes: Sequence[tuple[RecordKey, Change]]
    ) -> Iterator[tuple[str, ObjectUpdate, StoredObject | None, Decision]]:
        """Yield what the changes of each object make of it."""
        for key, base in fetch_many(self._guard.store, list(numbers), self._guard.patience):
            own = [changes[number] for number in numbers[key]]
            update = self._of(own[0][0].identifier).update_of(own)
            yield key, update, base, update.decide(base.data if base else b"")

    def _put(self, puts: Sequence[_Put], decisions: dict[str, Decision]) -> None:
        """Make the puts, and write the flags of what is stored; corrects the decisions."""
        progress = Progress()
        # What needed no put may need a flag.
        written = set(decisions) - {put.key for put in puts}
        try:
            for start in range(0, len(puts), _AT_ONCE):
                progress.show(f"writing: {start} of {len(puts)} objects")
                some = puts[start : start + _AT_ONCE]
                wanted = [(key, made.data, made.when, made.metadata) for key, _, made in some]
                failures = self._guard.store.put_many(wanted)
                for (key, update, attempt), failure in zip(some, failures, strict=True):
                    if failure is not None:
                        decisions[key] = update.after(attempt, failure)
                    written.add(key)
        finally:
            progress.done()
            flags: dict[str, str | None] = {}
            for key in written:
                flags |= decisions[key].flags
            self._mirror(flags)

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
            for key, found in fetch_many(self._guard.store, some, self._guard.patience):
                held = self._index.held(key, found)
                record = held and held.read(RecordKey(level, keys[key]))
                if record:
                    yield record

    def count(self, level: Level) -> int:
        return len(self._index.present(level, self._index.listed()))

    def select(self, query: Query) -> Page:
        """Return a page; only its own objects are read, where names tell or the filter does."""
        level = query.level
        limit, cursor = check_limit(query.limit), check_cursor(query.cursor)
        if (known := self._named(query.where)) is not None:
            return select(self._scan(known, level, None, None), query)
        listed = self._index.listed()
        if query.where is not None or limit is None or not self._index.names_tell(level, listed):
            names = self._index.names_of(level, listed)
            return select(self._scan(names, level, None, None), query)
        present = self._index.present(level, listed)
        some = self._scan(present, level, cursor, limit)
        records = tuple(keep_columns(record, query.columns) for record in islice(some, limit))
        last = records[-1].key.identifier if records else ""
        more = bool(records) and bool(present) and present[-1] > last
        return Page(records, len(present), last if more else None)

    def matching(
        self, level: Level, where: Filter, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records that match as `scan` yields all; those that it names are looked up."""
        known = self._named(where)
        if known is None:
            return super().matching(level, where, after=after, limit=limit)
        return islice(filter(compile_filter(where), self._scan(known, level, after, None)), limit)

    def _named(self, where: Filter | None) -> list[str] | None:
        """Return the records that a filter names and that may be stored, None where it names none.

        They are in code-point order.
        """
        wanted, template = named(where), self._index.names
        if wanted is None:
            return None
        return [name for name in sorted(wanted) if template.matches(template.key(name))]

    def close(self) -> None:
        self._guard.store.close()
