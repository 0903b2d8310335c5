"""Records in LMDB, a key for each:

    r SECTION LEVEL NAME     a record, as JSON
    h DIGEST NUMBER          an entry of its history, as JSON

SECTION stands for one project of one namespace, DIGEST for the key of the record. LMDB
orders keys by their bytes, which for UTF-8 is the order of code points. A key has at most
511 bytes, an identifier up to 1020: of a long one NAME holds the beginning and a hash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import groupby, islice, takewhile
from typing import Any, TypeVar

from pipestat_lmdb.environment import Environment
from pipestat_spec.backend import Backend, Capability, Change, Transition
from pipestat_spec.domain.history import expired
from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey

T = TypeVar("T")
_WHOLE = 400  # bytes of an identifier that a key holds as they are


class LmdbBackend(Backend):
    """One project of one namespace. An update is one synced transaction of LMDB."""

    capabilities = frozenset(Capability) - {
        Capability.NATIVE_QUERY,
        Capability.UNNAMED_NAMESPACE,
    }

    def __init__(self, environment: Environment, namespace: str, project: str) -> None:
        self._environment: Environment | None = environment
        self._section = _digest(_text([namespace, project]))[:16]

    def read(self, key: RecordKey) -> Record | None:
        stored = self._run(lambda transaction: transaction.get(self._name(key)))
        return _record(key.level, stored)[0]

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        def work(transaction: Any) -> list[Transition]:
            return [self._updated(transaction, key, change) for key, change in changes]

        return self._run(work, write=True)

    def _updated(self, transaction: Any, key: RecordKey, change: Change) -> Transition:
        name, past = self._name(key), self._past(key)
        current, number = _record(key.level, transaction.get(name))
        outcome = change(current)
        if outcome.record is None:
            for old in [name, *(found for found, _ in _walk(transaction, past))]:
                transaction.delete(old)
        elif outcome.record is not current:
            for entry in outcome.history:
                number += 1
                transaction.put(past + number.to_bytes(8), _text(entry))
            if outcome.history and outcome.keep is not None:
                self._limit(transaction, past, HistoryLimit(keep=outcome.keep))
            transaction.put(name, _text(_document(outcome.record, number)))
        return Transition(current, outcome.record)

    def _limit(self, transaction: Any, past: bytes, limit: HistoryLimit) -> None:
        found = list(_walk(transaction, past))
        for place in expired([_entry(stored) for _, stored in found], limit):
            transaction.delete(found[place][0])

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        def work(transaction: Any) -> list[Record]:
            return list(islice(self._ordered(transaction, level, after), limit))

        return iter(self._run(work))

    def _ordered(self, transaction: Any, level: Level, after: str | None) -> Iterator[Record]:
        prefix = self._level(level)
        found = _walk(transaction, prefix, (after or "").encode()[:_WHOLE])
        # Keys that begin alike are those of long identifiers, in the order of their hashes.
        for _, alike in groupby(found, lambda item: item[0][: len(prefix) + _WHOLE]):
            records = [_record(level, stored)[0] for _, stored in alike]
            for record in sorted(filter(None, records), key=lambda record: record.key):
                if after is None or record.key.identifier > after:
                    yield record

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        found = self._run(lambda transaction: list(_walk(transaction, self._past(key))))
        return (_entry(stored) for _, stored in found)

    def count(self, level: Level) -> int:
        return self._run(lambda transaction: sum(1 for _ in _walk(transaction, self._level(level))))

    def close(self) -> None:
        self._environment = None

    def _run(self, work: Callable[[Any], T], *, write: bool = False) -> T:
        if self._environment is None:
            raise PipestatDatabaseError("the store is closed")
        return self._environment.run(work, write=write)

    def _level(self, level: Level) -> bytes:
        return b"r" + self._section + level[:1].encode()

    def _name(self, key: RecordKey) -> bytes:
        name = key.identifier.encode()
        short = name if len(name) <= _WHOLE else name[:_WHOLE] + _digest(name)
        return self._level(key.level) + short

    def _past(self, key: RecordKey) -> bytes:
        return b"h" + _digest(self._name(key))


def _walk(transaction: Any, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    cursor = transaction.cursor()
    if cursor.set_range(prefix + start):
        yield from takewhile(lambda item: item[0].startswith(prefix), cursor)


def _digest(text: bytes) -> bytes:
    return sha256(text).digest()


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=datetime.isoformat).encode()


def _entry(stored: bytes) -> HistoryEntry:
    result, value, time = json.loads(stored)
    return HistoryEntry(result, value, datetime.fromisoformat(time))


def _document(record: Record, number: int) -> list[Any]:
    key, status = record.key, [record.status, record.status_message]
    times = [record.created, record.modified, record.status_time]
    return [key.identifier, dict(record.results), *status, record.source, *times, number]


def _record(level: Level, stored: bytes | None) -> tuple[Record | None, int]:
    """Return a record and the number of its history's last entry."""
    if stored is None:
        return None, 0
    identifier, results, status, message, source, *times, number = json.loads(stored)
    times = [time and datetime.fromisoformat(time) for time in times]
    return Record(RecordKey(level, identifier), results, status, message, source, *times), number
