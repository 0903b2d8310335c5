"""`watch`: following a store, by looking at it again and again (docs/watch.md)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Self

from pipestat_spec.backend import Capability
from pipestat_spec.domain.events import Event, Seen, events_between, removal, stamp
from pipestat_spec.domain.filters import Predicate, compile_filter
from pipestat_spec.domain.times import as_utc, utc_now
from pipestat_spec.errors import PipestatError
from pipestat_spec.models.query import Filter, In, Query
from pipestat_spec.models.record import Level, Record
from pipestat_spec.store import Store

__all__ = ["Watch", "Watcher"]

# Looking takes at most a fifth of the time.
_SHARE = 4
# Records that are read at once, by name.
_CHUNK = 500


class Watcher:
    """Looks at the records of a level and tells what happened since the look before.

    A look compares what is there with what was seen, and trusts no order of times: what two
    writers stored in one moment, or with clocks that differ, is neither lost nor told twice. It
    begins with what is there now; `since` a time (UTC), with all of the records that were changed
    from then on; or with nothing (`from_start`). `filters` are counted.
    """

    def __init__(
        self,
        store: Store,
        level: Level,
        *,
        since: datetime | None = None,
        from_start: bool = False,
        filters: Sequence[Filter] = (),
    ) -> None:
        self._store = store
        self._level = level
        self._predicates: list[Predicate] = [compile_filter(where) for where in filters]
        for where in filters:
            # Warns of names that no record has: waiting for them would never end.
            store.select(Query(level, (), where, limit=1))
        self._matching: list[set[str]] = [set() for _ in filters]
        self._seen: dict[str, Seen] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        if since is not None:
            store.rules.require(Capability.TIMES, "news since a time")
            since = as_utc(since)
        # Before the records are read: a change meanwhile is found by the first look.
        self._version = store.backend.version()
        for record in store.scan(level):
            is_news = from_start or (since is not None and _is_since(record, since))
            holding = [holds(record) for holds in self._predicates]
            self._keep(record.key.identifier, None if is_news else Seen.of(record), holding)
        self._has_news = from_start or since is not None

    def matching(self, number: int) -> int:
        """Return how many records the filter of this number finds."""
        return len(self._matching[number])

    def look(self) -> list[Event]:
        """Return what happened, record by record in the order of their names."""
        version = self._store.backend.version()
        if version is not None and version == self._version and not self._has_news:
            return []
        now = utc_now()
        gone = dict.fromkeys(self._seen)
        found: list[Event] = []
        changed: list[tuple[str, Seen, list[bool]]] = []
        for record in self._changed(gone):
            name = record.key.identifier
            found += events_between(self._seen.get(name), record, now)
            changed.append((name, Seen.of(record), [holds(record) for holds in self._predicates]))
        # Only now: a look that fails half-way is made again, as a whole.
        for name, seen, holding in changed:
            self._keep(name, seen, holding)
        for name in gone:
            del self._seen[name]
            for names in self._matching:
                names.discard(name)
            found.append(removal(self._level, name, now))
        self._version, self._has_news = version, False
        return found

    def _changed(self, gone: dict[str, None]) -> Iterator[Record]:
        """Yield the records that may have changed; those that are still there leave `gone`."""
        if Capability.NATIVE_QUERY not in self._store.backend.capabilities:
            # Files are read as a whole anyhow, and what was written by hand has no new time.
            for record in self._store.scan(self._level):
                name = record.key.identifier
                gone.pop(name, None)
                if name not in self._seen or not self._seen[name].is_like(record):
                    yield record
            return
        listed = self._store.select(Query(self._level, ())).records
        changed = []
        for record in listed:
            name = record.key.identifier
            gone.pop(name, None)
            if name not in self._seen or self._seen[name].stamp != stamp(record):
                changed.append(name)
        del listed
        names = iter(changed)
        while chunk := tuple(islice(names, _CHUNK)):
            where = In(("record_identifier",), chunk)
            there = self._store.select(Query(self._level, None, where)).records
            yield from there
            known = {record.key.identifier for record in there}
            # Removed between the two reads.
            gone.update((name, None) for name in chunk if name not in known and name in self._seen)

    def _keep(self, name: str, seen: Seen | None, holding: Sequence[bool]) -> None:
        """Remember a record, None: as one that is not seen yet, and which filters find it."""
        if seen is not None:
            # Most records have the same names.
            names = self._names.setdefault(seen.names, seen.names)
            self._seen[name] = seen._replace(names=names)
        for holds, matching in zip(holding, self._matching, strict=True):
            (matching.add if holds else matching.discard)(name)


def _is_since(record: Record, since: datetime) -> bool:
    times = (record.created, record.modified, record.status_time)
    return any(moment is not None and moment >= since for moment in times)


# Told when a store does not answer any more, with what it said, and when it does again: None.
Trouble = Callable[[PipestatError | None], None]


class Watch(Iterator[Event]):
    """The events of a store as they come; ends after `timeout` seconds, without one never.

    Raises what the store raises, when it has not answered for `patience` seconds.
    """

    def __init__(
        self,
        watcher: Watcher,
        *,
        interval: float = 2.0,
        timeout: float | None = None,
        patience: float = 600.0,
        trouble: Trouble = lambda _: None,
    ) -> None:
        self._watcher = watcher
        self._interval = interval
        self._end = None if timeout is None else time.monotonic() + timeout
        self._patience = patience
        self._trouble = trouble
        self._events: deque[Event] = deque()
        self._batches = self.batches()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self._events:
            self._events.extend(next(self._batches))
        return self._events.popleft()

    def batches(self) -> Iterator[Iterable[Event]]:
        """Yield what each look tells, nothing included."""
        lost_since: float | None = None
        while True:
            began = time.monotonic()
            try:
                events = self._watcher.look()
            except PipestatError as error:
                if lost_since is None:
                    lost_since = began
                    self._trouble(error)
                if time.monotonic() - lost_since >= self._patience:
                    raise
                events = []
            else:
                if lost_since is not None:
                    lost_since = None
                    self._trouble(None)
            yield events
            now = time.monotonic()
            pause = max(self._interval, _SHARE * (now - began))
            if self._end is not None:
                if now >= self._end:
                    return
                pause = min(pause, self._end - now)
            time.sleep(pause)
