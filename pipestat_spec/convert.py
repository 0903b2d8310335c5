"""Copying the records of one store into another: a layout, a file, a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from pipestat_spec.backend import Backend, Capability, Change, Outcome, Transition
from pipestat_spec.errors import (
    PipestatDataError,
    PipestatError,
    ResultConflictError,
    StoreNotFoundError,
)
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.change import NOTHING
from pipestat_spec.models.identifiers import check_record_identifier
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.store import Store
from pipestat_spec.text.strings import shorten

__all__ = ["ConvertReport", "convert"]

# Called with the records that are done and their number.
Progress = Callable[[int, int], None]

# The project level first: a target that cannot hold it then refuses before anything is written.
_ORDER: tuple[Level, ...] = ("project", "sample")
_KEPT = {
    Capability.HISTORY: "history",
    Capability.TIMES: "times",
    Capability.SOURCE: "source and status message",
    Capability.STATUS: "status",
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
    batch: int = 1000,
) -> ConvertReport:
    """Copy all records with status, source, times and history; check that all arrived.

    Values are checked against the target's schemas. The copy goes in batches, each one
    write where the target can; a repeated call goes on where an interrupted one stopped,
    since a record that is there already is left alone. One that differs is refused
    (ResultConflictError), or with `overwrite` replaced as a whole, its history too. Raises
    UnsupportedOperation when the target does not offer a level that has records, and
    StoreNotFoundError when there is no source.
    """
    if not source.backend.exists():
        place = source.backend.file or source.backend.url or f"namespace {source.namespace!r}"
        raise StoreNotFoundError(
            f"there are no results at {place}", hint="there is nothing to copy"
        )
    copier = _Copier(source, target, overwrite)
    levels = [level for level in _ORDER if level in source.rules.levels]
    total = sum(source.count(level) for level in levels)
    done = 0
    for level in levels:
        records = source.scan(level)
        copier.begin(level)
        while some := list(islice(records, batch)):
            copier.copy(some)
            done += len(some)
            if progress is not None:
                progress(done, max(done, total))
    for level in levels:
        _verify(source, target, level)
    return copier.report()


class _Copier:
    """Copies batches of records and counts what came of each."""

    def __init__(self, source: Store, target: Store, overwrite: bool) -> None:
        self._source = source
        self._target = target
        self._overwrite = overwrite
        self._shared = source.backend.capabilities & target.backend.capabilities
        self._outcomes = dict.fromkeys(("copied", "replaced", "unchanged"), 0)
        self._history: Callable[[RecordKey], tuple[HistoryEntry, ...]] = lambda _: ()

    def begin(self, level: Level) -> None:
        """Prepare for the records of a level, which come in the order of `scan`."""
        if Capability.HISTORY in self._shared:
            self._history = _reader(self._source.backend, level)

    def report(self) -> ConvertReport:
        lost = source_only(self._source, self._target)
        return ConvertReport(**self._outcomes, lost=lost)

    def copy(self, records: list[Record]) -> None:
        changes = [(record.key, one) for record in records for one in self._changes(record)]
        done = self._target.backend.update_many(changes)
        of_key: dict[RecordKey, list[Transition]] = {}
        for (key, _), transition in zip(changes, done, strict=True):
            of_key.setdefault(key, []).append(transition)
        for transitions in of_key.values():
            self._outcomes[_told(transitions)] += 1

    def _changes(self, record: Record) -> Iterator[Change]:
        """Yield the changes that make the target's record a copy."""
        copy = self._checked(record)
        history = self._history(record.key)

        def clear(current: Record | None, *_: object) -> Outcome:
            replaces = not (
                current is None or self._same(current, copy) or _is_status_only(current, copy)
            )
            return Outcome(None if replaces else current)

        def put(current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /) -> Outcome:
            if foreign.keys() & copy.results.keys():
                raise _conflict(copy, Record(copy.key, foreign))
            if current is None:
                return Outcome(copy, history)
            if not self._same(current, copy):
                if _is_status_only(current, copy):
                    return Outcome(copy, history)
                raise _conflict(copy, current)
            return Outcome(current)

        if self._overwrite:
            yield clear
        yield put

    def _checked(self, record: Record) -> Record:
        """Return the record as the target may store it; raises what the target's rules do."""
        target = self._target
        target.rules.check_level(record.key.level)
        try:
            check_record_identifier(record.key.identifier)
            prepared = target.rules.prepare(record.key.level, record.results)
            if record.status is not None:
                target.settings.statuses.check(record.status)
        except PipestatError as error:
            error.message = f"record {shorten(record.key.identifier)!r}: {error.message}"
            raise
        return replace(record, results=prepared.values)

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


def _told(transitions: list[Transition]) -> str:
    """Return what the changes of one record did."""
    if any(after is None and before is not None for before, after in transitions):
        return "replaced"
    return "copied" if any(before is not after for before, after in transitions) else "unchanged"


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


def _verify(source: Store, target: Store, level: Level) -> None:
    """Compare the identifiers of both stores; raises PipestatDataError naming a missing one."""
    if level not in target.rules.levels:
        return
    there = {record.key.identifier for record in target.scan(level)}
    wanted = [record.key.identifier for record in source.scan(level)]
    missing = [identifier for identifier in wanted if identifier not in there]
    if missing:
        raise PipestatDataError(
            f"{len(missing)} of {len(wanted)} {level}-level records did not arrive, "
            f"the first is {shorten(missing[0])!r}",
            hint="convert again; records that are there are left alone",
            missing=tuple(missing),
        )
