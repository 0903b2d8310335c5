"""Mutants as inattentive authors of backends make them: pages, caches, batches, time zones, names.

They were written before the vectors that catch them.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pipestat_conformance.targets.memory import SnapshotBackend
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.mutants.mutation import (
    Call,
    MutantTarget,
    backend,
    inner_target,
    operation,
    register,
)
from pipestat_spec.backend import Change, Transition
from pipestat_spec.models.query import Page, Query
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey

# Pages


@backend("PS-RES-013")
class FirstPageOnly(SnapshotBackend):
    """Of the records that a server sends in pages of 500, the first page is read."""

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        return islice(super().scan(level, after=after, limit=limit), 500)


@backend("PS-QRY-012")
class CursorIsAnOffset(SnapshotBackend):
    """A page starts at a number of records, so one that is removed meanwhile makes it skip one."""

    def select(self, query: Query) -> Page:
        offset = int(query.cursor or 0) if (query.cursor or "0").isdigit() else 0
        page = super().select(replace(query, cursor=None, limit=None))
        end = None if query.limit is None else offset + query.limit
        more = end is not None and end < len(page.records)
        return replace(
            page, records=page.records[offset:end], next_cursor=str(end) if more else None
        )


@backend("PS-RES-013")
class AfterIsIncluded(SnapshotBackend):
    """The records after one begin with that one."""

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        found = super().scan(level)
        return islice((r for r in found if after is None or r.key.identifier >= after), limit)


@backend("PS-RES-013")
class LimitBeforeAfter(SnapshotBackend):
    """So many records are read, and of these the ones after another are given."""

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        found = super().scan(level, limit=limit)
        return (r for r in found if after is None or r.key.identifier > after)


@backend("PS-RES-013")
class AfterAsText(SnapshotBackend):
    """What comes after an identifier is decided as people order words."""

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        found = super().scan(level)
        return islice(
            (r for r in found if after is None or _word(r.key.identifier) > _word(after)), limit
        )


def _word(text: str) -> str:
    return text.casefold()


# State of the process


@backend("PS-GUA-006")
class AbsenceRemembered(SnapshotBackend):
    """A record that was asked for and not there stays absent until this process writes it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._absent: set[RecordKey] = set()

    def read(self, key: RecordKey) -> Record | None:
        record = None if key in self._absent else super().read(key)
        if record is None:
            self._absent.add(key)
        return record

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        self._absent -= {key for key, _ in changes}
        return super().update_many(changes)


@backend("PS-GUA-006")
class DictionaryOfTheProcess(SnapshotBackend):
    """The records are in a dictionary that all stores of one process share, and no other."""

    shared: ClassVar[dict[Path, tuple[Any, Any]]] = {}

    def load(self) -> None:
        self._records, self._history = self.shared.get(self.path, ({}, {}))

    def save(self) -> None:
        self.shared[self.path] = self._records, self._history


@backend("PS-GUA-006")
class MergedIntoWhatWasRead(SnapshotBackend):
    """A change is made on the records as this process has read or written them last."""

    def load(self) -> None:
        if self._seen is None:
            super().load()

    def read(self, key: RecordKey) -> Record | None:
        self._seen = None
        return super().read(key)


def namespace_ignored(opening: Opening) -> Opening:
    """All namespaces of a store are one."""
    return replace(opening, settings={**opening.settings, "namespace": "ns"})


def _one_namespace(name: str) -> Target:
    return MutantTarget(name, inner_target("memory"), opening=lambda o, _: namespace_ignored(o))


register(
    namespace_ignored, ("PS-CAP-008", "PS-RES-013", "PS-STA-005", "PS-HIS-004"), _one_namespace
)


# Batches


@backend("PS-RES-010", also_claims=("atomic-batch",))
class BatchesInChunks(SnapshotBackend):
    """A batch is stored in chunks of 50: one refused in the second leaves the first stored."""

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        done: list[Transition] = []
        for start in range(0, len(changes), 50):
            done += super().update_many(changes[start : start + 50])
        return done


@backend("PS-HIS-001")
class BatchWithoutHistory(SnapshotBackend):
    """A batch of several records leaves no history."""

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        if len(changes) == 1:
            return super().update_many(changes)

        def silent(change: Change) -> Change:
            return lambda current, *foreign: change(current, *foreign)._replace(history=())

        return super().update_many([(key, silent(change)) for key, change in changes])


@operation("PS-RES-010", "PS-RES-007", on="report_many")
def batch_overwrites_its_first(call: Call) -> Any:
    """Only the first record of a batch is overwritten; values of others are left as they are."""
    first = next(iter(call.args["records"]), None)
    for record, values in call.args["records"].items():
        there = call.ask("records")
        old = call.ask("retrieve", record=record) if record in there else {}
        kept = values if record == first else {k: v for k, v in values.items() if k not in old}
        call.ask("report", record=record, values=kept, overwrite=call.args.get("overwrite", False))


# Times


@backend("PS-REC-003")
class LocalTimes(SnapshotBackend):
    """Times are those of the local clock, and called UTC."""

    def read(self, key: RecordKey) -> Record | None:
        record = super().read(key)
        if record is None:
            return None
        return replace(record, created=_local(record.created), modified=_local(record.modified))


@backend("PS-HIS-001")
class LocalTimesInHistory(SnapshotBackend):
    """Times in the history are those of the local clock, and called UTC."""

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return (e._replace(time=_local(e.time) or e.time) for e in super().history(key))


def _local(time: datetime | None) -> datetime | None:
    return time and time.astimezone().replace(tzinfo=time.tzinfo)


# Names


class Renamed(SnapshotBackend):
    """Finds records by something that several identifiers have in common."""

    def common(self, identifier: str) -> str:
        raise NotImplementedError

    def _key(self, key: RecordKey) -> RecordKey:
        return key._replace(identifier=self.common(key.identifier))

    def read(self, key: RecordKey) -> Record | None:
        return super().read(self._key(key))

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return super().history(self._key(key))

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        return super().update_many([(self._key(key), change) for key, change in changes])


@backend("PS-ID-002")
class ComposedIdentifiers(Renamed):
    """Identifiers are normalised: two that look the same are one record."""

    def common(self, identifier: str) -> str:
        return unicodedata.normalize("NFC", identifier)


@backend("PS-ID-002")
class PaddedIdentifiers(Renamed):
    """Blanks at the end of an identifier do not count."""

    def common(self, identifier: str) -> str:
        return identifier.rstrip(" ") or identifier


@backend("PS-ID-002")
class CutIdentifiers(Renamed):
    """Identifiers are told apart by their first 250 bytes."""

    def common(self, identifier: str) -> str:
        return identifier.encode()[:250].decode(errors="ignore")


@backend("PS-ID-002")
class TrailingDots(Renamed):
    """Dots at the end of an identifier do not count, as on some file systems."""

    def common(self, identifier: str) -> str:
        return identifier.rstrip(". ") or identifier


@backend("PS-ID-002")
class IdentifiersAsPaths(Renamed):
    """Identifiers with slashes are taken for paths, of which many mean the same."""

    def common(self, identifier: str) -> str:
        return posixpath.normpath(identifier)


# Removals and levels


def _also_removed(call: Call, other: Callable[[str, str], bool]) -> Any:
    """Remove a record, or a result of it, and all whose names are `other`."""
    if "result" in call.args:
        names = call.ask("retrieve", record=call.key.identifier, level=call.level)
        for name in [n for n in names if other(n, call.args["result"])]:
            call.go(result=name)
    else:
        for record in call.ask("records", level=call.level):
            if other(record, call.key.identifier):
                call.go(record=record)
    return call.go()


def _alike(name: str, pattern: str) -> bool:
    return (
        len(name) == len(pattern)
        and name != pattern
        and all(b in ("_", a) for a, b in zip(name, pattern, strict=True))
    )


@operation("PS-RES-014", "PS-RES-015", on="remove")
def removal_by_pattern(call: Call) -> Any:
    """Removing compares as `like` does: `_` stands for any character."""
    return _also_removed(call, _alike)


@operation("PS-RES-015", on="remove")
def removal_by_glob(call: Call) -> Any:
    """Removing a record takes its name for a pattern of file names."""
    return _also_removed(call, lambda name, p: name != p and fnmatchcase(name, p))


@operation("PS-RES-014", "PS-RES-015", on="remove")
def removal_folds_case(call: Call) -> Any:
    """Removing takes names that differ in case for one."""
    return _also_removed(call, lambda name, p: name != p and name.lower() == p.lower())


@backend("PS-RES-013", "PS-RES-015")
class SoftlyRemoved(SnapshotBackend):
    """Removed records are marked as removed, and counted all the same."""

    removed = 0

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        done = super().update_many(changes)
        self.removed += sum(t.before is not None and t.after is None for t in done)
        return done

    def count(self, level: Level) -> int:
        return super().count(level) + self.removed


def _both_levels(call: Call) -> list[str]:
    return [
        level
        for level in ("sample", "project")
        if call.key.identifier in call.ask("records", level=level)
    ]


@operation("PS-STA-005", "PS-ID-009", on="set_status")
def status_of_both_levels(call: Call) -> Any:
    """A status is set by identifier, for the records of both levels."""
    done = call.go()
    for level in _both_levels(call):
        call.go(level=level)
    return done


@operation("PS-STA-008", "PS-ID-009", on="clear_status")
def cleared_on_both_levels(call: Call) -> Any:
    """A status is cleared by identifier, on both levels."""
    done = call.go()
    for level in _both_levels(call):
        call.go(level=level)
    return done


@backend("PS-HIS-001", "PS-ID-009")
class HistoryByIdentifier(SnapshotBackend):
    """Histories are kept by identifier: the two levels share them."""

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        self.load()
        for found, entries in self._history.items():
            if found.identifier == key.identifier:
                yield from entries


@backend("PS-RES-015", "PS-HIS-004")
class HistoryRemovedByIdentifier(SnapshotBackend):
    """Removing a record removes the histories of its identifier on both levels."""

    def save(self) -> None:
        gone = {k.identifier for k in self._lost if k not in self._records}
        self._history = {k: h for k, h in self._history.items() if k.identifier not in gone}
        super().save()

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        self._lost = [key for key, _ in changes]
        return super().update_many(changes)


@backend("PS-HIS-001", "PS-HIS-003")
class HistoryOfPresentResults(SnapshotBackend):
    """The history of a result begins anew when the result was removed."""

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        record = self.read(key)
        return (e for e in super().history(key) if record and e.result in record.results)
