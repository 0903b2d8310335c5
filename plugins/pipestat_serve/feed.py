"""The changes of one store as server-sent events, read once for all who follow."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import chain
from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from pipestat_report.encoding import to_json

from pipestat_serve.documents import MOST_RECORDS, Documents
from pipestat_spec.domain.times import format_utc, utc_now
from pipestat_spec.errors import PipestatError
from pipestat_spec.models.record import RecordKey
from pipestat_spec.watching import Watcher

if TYPE_CHECKING:
    from pipestat_serve.metrics import Metrics
    from pipestat_serve.served import Served

__all__ = ["MOST_FOLLOWERS", "Feed", "TooManyFollowers"]

# Seconds between two looks at a store, and between two signs of life.
_PACE, _BEAT = 0.5, 5.0
# A look may take at most a third of the time.
_SHARE = 2
# Where nothing tells whether something has changed, and all records are too many to read.
_SLOW_PACE = 10.0
_SIGN = b"event: beat\ndata: {}\n\n"
MOST_FOLLOWERS = 1000
# Events that wait for one slow reader, and what is kept for those that come back.
_MOST_WAITING = 64
_MOST_KEPT = 512
_KEPT_BYTES = 4_000_000
# More records are not sent one by one: the page reads its document again.
_MOST_CHANGED = 500


class TooManyFollowers(PipestatError):
    """So many follow already that no more can."""


class _Event(NamedTuple):
    number: int
    content: bytes


class Feed:
    """The changes since somebody first asked; looks at the store only while somebody follows.

    An event is `change` (records as they are now, and names of those that are gone), `reset` (read
    the document again), `trouble` (the store cannot be read, and why), or `beat`. Its id is the
    cursor: `START-NUMBER`, which means nothing to another start of the server.
    """

    def __init__(self, served: Served, documents: Documents, metrics: Metrics) -> None:
        self._served, self._documents, self._metrics = served, documents, metrics
        self._start = token_hex(6)
        self._number = 0
        self._kept: deque[_Event] = deque()
        self._kept_bytes = 0
        self._followers: set[asyncio.Queue[bytes | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._begin = Lock()
        self._begun = False
        # None: there are too many records to look at each.
        self._watchers: list[Watcher] | None = None
        self._version: object = None
        self._trouble: str | None = None

    def cursor(self) -> str:
        """Return the cursor of this moment; what is read after it lacks no earlier change."""
        with self._begin:
            if not self._begun:
                self._first_look()
                self._begun = True
        return f"{self._start}-{self._number}"

    def _first_look(self) -> None:
        store = self._served.store
        self._version = store.backend.version()
        if not self._has_too_many():
            self._watchers = [Watcher(store, level) for level in store.levels]

    def _has_too_many(self) -> bool:
        store = self._served.store
        return sum(map(store.count, store.levels)) > MOST_RECORDS

    async def events(self, after: str) -> AsyncIterator[bytes]:
        """Yield the events after a cursor, and signs of life between them, for ever."""
        if len(self._followers) >= MOST_FOLLOWERS:
            raise TooManyFollowers("too many follow this store", hint="close some pages")
        await asyncio.to_thread(self.cursor)
        return self._events(after)

    async def _events(self, after: str) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)
        missed = self._since(after)
        self._followers.add(queue)
        self._metrics.followers.labels(self._served.name).set(len(self._followers))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            # The page knows at once that somebody answers.
            yield b"retry: 2000\n\n" + _SIGN
            for content in missed:
                yield content
            if self._trouble is not None:
                yield self._encoded("trouble", {"problem": self._trouble})
            while True:
                try:
                    waiting: bytes | None = await asyncio.wait_for(queue.get(), _BEAT)
                except TimeoutError:
                    waiting = _SIGN
                yield self._reset() if waiting is None else waiting
        finally:
            self._followers.discard(queue)
            self._metrics.followers.labels(self._served.name).set(len(self._followers))

    def _since(self, after: str) -> list[bytes]:
        start, _, number = after.partition("-")
        known = start == self._start and number.isascii() and number.isdigit()
        last = int(number[:18]) if known else -1
        oldest = self._kept[0].number if self._kept else self._number + 1
        if last > self._number or last < oldest - 1:
            return [self._reset()]
        return [event.content for event in self._kept if event.number > last]

    def _reset(self) -> bytes:
        return self._encoded("reset", {})

    def _encoded(self, kind: str, content: object) -> bytes:
        text = to_json(content).decode()
        return f"event: {kind}\nid: {self._start}-{self._number}\ndata: {text}\n\n".encode()

    async def _run(self) -> None:
        while self._followers:
            began = time.monotonic()
            pace = _PACE
            try:
                found = await asyncio.to_thread(self._look)
                if self._trouble is not None:
                    self._trouble, found = None, found or ("reset", {})
            # Whatever a store raises is told to those who look; the next look may work.
            except Exception as error:  # noqa: BLE001
                told = error.message if isinstance(error, PipestatError) else type(error).__name__
                found = None if told == self._trouble else ("trouble", {"problem": told})
                self._trouble = told
            if found is not None:
                self.publish(*found)
            took = time.monotonic() - began
            self._metrics.looks.labels(self._served.name).observe(took)
            if self._watchers is None and self._version is None:
                pace = _SLOW_PACE
            await asyncio.sleep(max(pace, _SHARE * took))
        self._task = None

    def _look(self) -> tuple[str, dict[str, object]] | None:
        if self._watchers is None:
            version = self._served.store.backend.version()
            is_same = version is not None and version == self._version
            self._version = version
            return None if is_same else ("reset", {})
        changed: dict[RecordKey, None] = {}
        removed: dict[str, list[str]] = {"sample": [], "project": []}
        for event in chain.from_iterable(watcher.look() for watcher in self._watchers):
            if event.event == "record_removed":
                removed[event.level].append(event.record_identifier)
            else:
                changed[RecordKey(event.level, event.record_identifier)] = None
        if not changed and not any(removed.values()):
            return None
        if self._has_too_many():
            self._watchers, self._version = None, self._served.store.backend.version()
            return "reset", {}
        if len(changed) > _MOST_CHANGED:
            return "reset", {}
        rows = self._documents.changed(list(changed))
        return "change", {**rows, "removed": removed, "time": format_utc(utc_now())}

    def publish(self, kind: str, content: dict[str, object]) -> None:
        """Send an event to all who follow, and keep it for those who come back."""
        self._number += 1
        event = _Event(self._number, self._encoded(kind, content))
        self._kept.append(event)
        self._kept_bytes += len(event.content)
        while len(self._kept) > _MOST_KEPT or self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().content)
        self._metrics.events.labels(self._served.name, kind).inc()
        for queue in self._followers:
            try:
                queue.put_nowait(event.content)
            except asyncio.QueueFull:
                # Too slow: all that waits is replaced by one word, to read the document again.
                with suppress(asyncio.QueueEmpty):
                    while True:
                        queue.get_nowait()
                queue.put_nowait(None)
