"""Copying the records of one store into another: a layout, a file, a database."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from pipestat_spec.backend import Backend, Capability, Change, Outcome
from pipestat_spec.domain.changes import check_foreign
from pipestat_spec.domain.times import later, utc_now
from pipestat_spec.errors import (
    PipestatDataError,
    PipestatError,
    ResultConflictError,
    StoreNotFoundError,
)
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.change import NOTHING
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.store import Store
from pipestat_spec.text.strings import shorten

__all__ = ["ConvertReport", "convert", "convert_all"]

# Called with what is done, `checking` or `copying`, how many records are, and of how many.
Progress = Callable[[str, int, int], None]
# Opens a source and its target, and closes them.
Opener = Callable[[], AbstractContextManager[tuple[Store, Store]]]
# Called with what was done, and with how many records.
Step = Callable[[str, int], None]

# A batch for one file is at least this part of what is in it already. A larger part holds more
# records at once, a smaller one writes the file more often.
_SHARE = 4
_OUTCOMES = ("copied", "replaced", "unchanged")

# The project level first: a target that cannot hold it then refuses before anything is written.
_ORDER: tuple[Level, ...] = ("project", "sample")
_KEPT = {
    Capability.HISTORY: "history",
    Capability.TIMES: "times",
    Capability.SOURCE: "source and status message",
    Capability.STATUS: "status",
    Capability.STATUS_TIMES: "times of statuses",
}


@dataclass(frozen=True)
class ConvertReport:
    """What came of a conversion, in records.

    `copied` were not in the target, `replaced` differed there, `unchanged` were there
    already. `lost` names what the target does not keep and the source does.
    """

    copied: int
    replaced: int
    unchanged: int
    lost: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """How many records the source has."""
        return self.copied + self.replaced + self.unchanged


def convert(
    source: Store,
    target: Store,
    *,
    progress: Progress | None = None,
    overwrite: bool = False,
    history: bool = True,
    batch: int = 10_000,
) -> ConvertReport:
    """Copy all records with status, source, times and history; see `convert_all`."""
    return convert_all(
        [lambda: nullcontext((source, target))],
        progress=progress,
        overwrite=overwrite,
        history=history,
        batch=batch,
    )


def convert_all(
    pairs: Sequence[Opener],
    *,
    progress: Progress | None = None,
    overwrite: bool = False,
    history: bool = True,
    batch: int = 10_000,
) -> ConvertReport:
    """Copy all records of each source into its target; check that all arrived.

    Each pair is a function that gives source and target for a `with` block. One pair is open at a
    time, so that a database of many projects does not need many connections.
    First everything is looked at: names, values and statuses by the target's rules, and what the
    target holds already; what is refused is refused before anything is written. The copy goes in
    batches, each one write where the target can; into one file a batch grows with what is there,
    so that the file is written some five times in all and not for each batch. A repeated call goes
    on where an interrupted one stopped, since a record that is there already is left alone. One
    that differs is refused (ResultConflictError), or with `overwrite` replaced; the target keeps
    its history, and the values that are replaced go there too. Without `history` that of the
    source is left out. Raises UnsupportedOperation when the target does not offer a level that has
    records, and StoreNotFoundError when there is no source.
    """
    copiers = [_Copier(pair, overwrite, history, batch) for pair in pairs]
    total = sum(copier.look() for copier in copiers)
    counts = dict.fromkeys(("checking", "copying"), 0)

    def step(doing: str, number: int) -> None:
        counts[doing] += number
        if progress is not None:
            progress(doing, counts[doing], max(total, counts[doing]))

    for copier in copiers:
        copier.check(step)
    for copier in copiers:
        copier.copy(step)
    return ConvertReport(
        **{name: sum(copier.outcomes[name] for copier in copiers) for name in _OUTCOMES},
        lost=tuple(dict.fromkeys(name for copier in copiers for name in copier.lost)),
    )


class _Copier:
    """Copies one store into another and counts what came of each record."""

    # Those that are open, what both keep, and the levels that the source has.
    _source: Store
    _target: Store
    _shared: frozenset[Capability]
    _levels: list[Level]

    def __init__(self, pair: Opener, overwrite: bool, history: bool, batch: int) -> None:
        self.outcomes = dict.fromkeys(_OUTCOMES, 0)
        # What the target does not keep and the source does.
        self.lost: tuple[str, ...] = ()
        self._pair = pair
        self._overwrite = overwrite
        self._history = history
        self._batch = batch
        # What `check` found: how many records come, and those that the target has with a history.
        self._wanted: dict[Level, int] = {}
        self._known: dict[RecordKey, Container[tuple[str, datetime]]] = {}

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._pair() as (self._source, self._target):
            self._shared = self._source.backend.capabilities & self._target.backend.capabilities
            self._levels = [level for level in _ORDER if level in self._source.levels]
            yield

    def look(self) -> int:
        """Return how many records the source has; raises StoreNotFoundError."""
        with self._open():
            source = self._source
            if not source.backend.exists():
                place = source.place or f"namespace {source.namespace!r}"
                raise StoreNotFoundError(
                    f"there are no results at {place}", hint="there is nothing to copy"
                )
            self.lost = tuple(
                name
                for name in source_only(source, self._target)
                if self._history or name != _KEPT[Capability.HISTORY]
            )
            return sum(source.count(level) for level in self._levels)

    @property
    def _keeps_history(self) -> bool:
        return self._history and Capability.HISTORY in self._shared

    def check(self, step: Step) -> None:
        """Look at all records; raises what the target refuses, and stores nothing."""
        with self._open():
            self._check(step)

    def copy(self, step: Step) -> None:
        """Store all records; raises PipestatDataError naming one that did not arrive."""
        with self._open():
            self._copy(step)

    def _check(self, step: Step) -> None:
        replaced: set[RecordKey] = set()
        self._wanted = dict.fromkeys(self._levels, 0)
        for level, records in self._batches():
            self._target.rules.check_level(level)
            self._target.backend.rehearse([self._change(one, (), replaced) for one in records])
            self._wanted[level] += len(records)
            step("checking", len(records))
        if replaced and self._keeps_history:
            for level in {key.level for key in replaced}:
                for key, entries in self._target.backend.histories(level):
                    if key in replaced:
                        self._known[key] = frozenset(map(_named, entries))

    def _copy(self, step: Step) -> None:
        keeps = self._keeps_history
        history = {lv: _reader(self._source.backend, lv) for lv in self._levels if keeps}
        there = {lv: self._target.count(lv) for lv in self._levels if lv in self._target.levels}
        for level, records in self._batches(grow=self._target.backend.file is not None):
            replaced: set[RecordKey] = set()
            changes = [
                self._change(one, self._new_entries(one, history[level]) if keeps else (), replaced)
                for one in records
            ]
            done = self._target.backend.update_many(changes)
            there[level] += sum(before is None for before, _ in done)
            for (key, _), (before, after) in zip(changes, done, strict=True):
                what = "unchanged" if before is after else "copied"
                self.outcomes["replaced" if key in replaced else what] += 1
            step("copying", len(records))
        for level, expected in there.items():
            if self._target.count(level) < expected:
                self._refuse_losses(level)

    def _batches(self, *, grow: bool = False) -> Iterator[tuple[Level, list[Record]]]:
        """Yield all records; with `grow` each batch is at least a quarter of all before it."""
        for level in self._levels:
            records, done = self._source.scan(level), 0
            while some := list(islice(records, max(self._batch, done // _SHARE if grow else 0))):
                yield level, some
                done += len(some)

    def _new_entries(
        self, record: Record, history: Callable[[RecordKey], tuple[HistoryEntry, ...]]
    ) -> tuple[HistoryEntry, ...]:
        known = self._known.get(record.key, ())
        return tuple(entry for entry in history(record.key) if _named(entry) not in known)

    def _change(
        self, record: Record, history: tuple[HistoryEntry, ...], replaced: set[RecordKey]
    ) -> tuple[RecordKey, Change]:
        """Return the change that makes the target's record a copy; it tells what it replaced."""
        copy = self._checked(record)

        def put(current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /) -> Outcome:
            check_foreign(copy.key, copy.results, foreign)
            if current is None:
                return Outcome(copy, history)
            if not self._same(current, copy):
                if _is_status_only(current, copy):
                    return Outcome(copy, history)
                if not self._overwrite:
                    raise _conflict(copy, current)
                replaced.add(copy.key)
                return Outcome(copy, (*history, *self._replaced(current, copy)))
            return Outcome(current)

        return copy.key, self._target.rules.limited(put)

    def _replaced(self, current: Record, copy: Record) -> list[HistoryEntry]:
        """Return the values that the target loses, as its history keeps them."""
        if Capability.HISTORY not in self._target.backend.capabilities:
            return []
        now = later(utc_now(), current.modified, copy.modified)
        return [
            HistoryEntry(name, value, now)
            for name, value in current.results.items()
            if name not in copy.results or not same_value(value, copy.results[name])
        ]

    def _checked(self, record: Record) -> Record:
        """Return the record as the target may store it; raises what the target's rules do."""
        target = self._target
        try:
            target.rules.check_key(record.key)
            prepared = target.rules.prepare(record.key.level, record.results)
            if record.status is not None:
                target.settings.statuses.check(record.status)
        except PipestatError as error:
            error.message = f"record {shorten(record.key.identifier)!r}: {error.message}"
            raise
        return replace(record, results=prepared.values, judgement=None)

    def _same(self, left: Record, right: Record) -> bool:
        """Tell whether two records are the same in what both stores keep."""
        times = Capability.TIMES in self._shared
        return (
            same_value(left.results, right.results)
            and left.status == right.status
            and left.status_time in (None, right.status_time)
            and (
                Capability.SOURCE not in self._shared
                or (
                    left.status_message == right.status_message
                    and same_value(left.source, right.source)
                )
            )
            and (not times or (left.created, left.modified) == (right.created, right.modified))
        )

    def _refuse_losses(self, level: Level) -> None:
        """Raise PipestatDataError naming what is not in the target, unless all is there."""
        there = {record.key.identifier for record in self._target.scan(level)}
        missing = [
            record.key.identifier
            for record in self._source.scan(level)
            if record.key.identifier not in there
        ]
        if missing:
            raise PipestatDataError(
                f"{len(missing)} of {self._wanted[level]} {level}-level records did not arrive, "
                f"the first is {shorten(missing[0])!r}",
                hint="convert again; records that are there are left alone",
                missing=tuple(missing),
            )


def _named(entry: HistoryEntry) -> tuple[str, datetime]:
    """Return what tells the entries of a record apart (PS-HIS-003)."""
    return entry.result, entry.time


def _reader(backend: Backend, level: Level) -> Callable[[RecordKey], tuple[HistoryEntry, ...]]:
    """Return what gives the history of records that are asked for in the order of `scan`."""
    histories = backend.histories(level)
    following = next(histories, None)

    def read(key: RecordKey) -> tuple[HistoryEntry, ...]:
        nonlocal following
        while following is not None and following[0].identifier < key.identifier:
            following = next(histories, None)
        return tuple(following[1]) if following is not None and following[0] == key else ()

    return read


def _is_status_only(current: Record, copy: Record) -> bool:
    """Tell whether the target knows of the record no more than the status that it has.

    So it is where two results files share a folder with the flags of another program.
    """
    return not current.results and current.source is None and current.status == copy.status


def _conflict(copy: Record, current: Record) -> ResultConflictError:
    names = {*copy.results, *current.results}
    differing = sorted(
        name
        for name in names
        if name not in copy.results
        or name not in current.results
        or not same_value(copy.results[name], current.results[name])
    )
    what = f"result {shorten(differing[0])!r}" if differing else "its status, source or times"
    return ResultConflictError(
        f"record {shorten(copy.key.identifier)!r} is in the target already and differs in {what}",
        hint="overwrite to replace it, or choose an empty target",
        record_identifier=copy.key.identifier,
        results=tuple(differing),
    )


def source_only(source: Store, target: Store) -> tuple[str, ...]:
    """Return the names of what the source keeps with a record and the target does not."""
    missing = source.backend.capabilities - target.backend.capabilities
    return tuple(name for capability, name in _KEPT.items() if capability in missing)
