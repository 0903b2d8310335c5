"""What reporting, removing and setting a status do to a record (spec/core.md).

Each function returns a pure change: given the current record it decides the new one and
the history to append, or raises and decides nothing. Values are canonical and validated
before (`pipestat_spec.domain.rules`). A change that changes nothing returns the current
record itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pipestat_spec.domain.times import Clock, later, utc_now
from pipestat_spec.errors import RecordNotFoundError, ResultConflictError
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.change import NOTHING, Change, Outcome
from pipestat_spec.models.record import HistoryEntry, Record, RecordKey
from pipestat_spec.text.strings import shorten

__all__ = [
    "check_foreign",
    "clear_status",
    "in_turn",
    "limited",
    "remove_record",
    "remove_result",
    "report_results",
    "set_status",
]


def report_results(
    key: RecordKey,
    values: Mapping[str, JSONValue],
    *,
    overwrite: bool,
    history: bool = True,
    source: Mapping[str, JSONValue] | None = None,
    clock: Clock = utc_now,
) -> Change:
    """Store `values`, all or none.

    A value equal to the stored one is no change. A different one is replaced and goes to
    the history, or raises ResultConflictError when `overwrite` is off. A value that another
    program keeps under the name becomes a result when it is equal, and is never replaced.
    `source` is kept when something changed.
    """

    return _ReportResults(key, values, overwrite, history, source, clock)


class _ReportResults(NamedTuple):
    """What `report_results` returns: of many reports at once a tuple takes least."""

    key: RecordKey
    values: Mapping[str, JSONValue]
    overwrite: bool
    history: bool
    source: Mapping[str, JSONValue] | None
    clock: Clock

    def __call__(
        self, current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /
    ) -> Outcome:
        key, stored, changed = self.key, NOTHING, self.values
        if current is not None:
            stored = current.results
            changed = {
                name: value
                for name, value in changed.items()
                if name not in stored or not same_value(stored[name], value)
            }
            if not changed:
                return Outcome(current)
        replaced = [name for name in changed if name in stored]
        check_foreign(key, changed, foreign)
        if replaced and not self.overwrite:
            raise _conflict(key, stored, changed, replaced)
        if current is None:
            now = self.clock()
            record = Record(key, changed, created=now, modified=now)
        else:
            now = later(self.clock(), current.modified, current.created)
            # A record of an older store may have no times; when it was made stays unknown.
            record = replace(current, results={**stored, **changed}, modified=now)
        if self.source is not None:
            record = replace(record, source=self.source)
        if not self.history:
            return Outcome(record)
        return Outcome(record, tuple(HistoryEntry(name, stored[name], now) for name in replaced))


def check_foreign(
    key: RecordKey, values: Mapping[str, JSONValue], foreign: Mapping[str, JSONValue]
) -> None:
    """Raise ResultConflictError when values would replace those of another program."""
    taken = [
        name
        for name, value in values.items()
        if name in foreign and not same_value(foreign[name], value)
    ]
    if taken:
        first = taken[0]
        raise ResultConflictError(
            f"{first!r} of record {key.identifier!r} is {shorten(repr(foreign[first]))}, an "
            f"attribute that is no result, not {shorten(repr(values[first]))}",
            hint="rename or remove it there, or choose another name for the result; nothing was "
            "stored",
            record_identifier=key.identifier,
            results=tuple(taken),
        )


def _conflict(
    key: RecordKey,
    stored: Mapping[str, JSONValue],
    changed: Mapping[str, JSONValue],
    replaced: list[str],
) -> ResultConflictError:
    first = replaced[0]
    more = f" (and {len(replaced) - 1} more)" if len(replaced) > 1 else ""
    return ResultConflictError(
        f"result {first!r} of record {key.identifier!r} is already {shorten(repr(stored[first]))}, "
        f"not {shorten(repr(changed[first]))}{more}",
        hint="overwrite to replace it; nothing was stored",
        record_identifier=key.identifier,
        results=tuple(replaced),
    )


def remove_result(key: RecordKey, result: str, *, clock: Clock = utc_now) -> Change:
    """Remove one result; its value goes to the history and the record stays.

    Raises RecordNotFoundError when the record or the result is not stored.
    """

    def change(current: Record | None, *_: object) -> Outcome:
        if current is None or result not in current.results:
            what = "record" if current is None else f"result {result!r} of record"
            raise RecordNotFoundError(
                f"{what} {key.identifier!r} is not stored", record_identifier=key.identifier
            )
        now = later(clock(), current.modified, current.created)
        kept = {name: value for name, value in current.results.items() if name != result}
        entry = HistoryEntry(result, current.results[result], now)
        return Outcome(replace(current, results=kept, modified=now), (entry,))

    return change


def remove_record(key: RecordKey) -> Change:
    """Remove the record with its status and history; raises RecordNotFoundError."""

    def change(current: Record | None, *_: object) -> Outcome:
        if current is None:
            raise RecordNotFoundError(
                f"record {key.identifier!r} is not stored", record_identifier=key.identifier
            )
        return Outcome(None)

    return change


def set_status(
    key: RecordKey,
    status: str,
    *,
    message: str | None = None,
    source: Mapping[str, JSONValue] | None = None,
    since: datetime | None = None,
    clock: Clock = utc_now,
) -> Change:
    """Give the record a status, defined by the caller's status schema, and its message.

    A record that is not stored begins to exist. The modified time of the results stays.
    The message of an earlier status goes with it, and its time; a new message alone leaves the
    time since which the status stands. `since` tells that time of a status that is set late.
    """

    def change(current: Record | None, *_: object) -> Outcome:
        if current is None or current.status != status:
            now = clock()
            record = current or Record(key, created=now, modified=now)
            begun = later(now if since is None else min(since, now), record.status_time)
            record = replace(record, status=status, status_time=begun)
        elif message in (None, current.status_message):
            return Outcome(current)
        else:
            record = current
        record = replace(record, status_message=message)
        return Outcome(record if source is None else replace(record, source=source))

    return change


def clear_status() -> Change:
    """Take the status and its message off the record; without one nothing happens."""

    def change(current: Record | None, *_: object) -> Outcome:
        if current is None or (current.status is None and current.status_message is None):
            return Outcome(current)
        return Outcome(replace(current, status=None, status_message=None, status_time=None))

    return change


def in_turn(*changes: Change) -> Change:
    """Return the change that makes `changes` one after the other, all or none."""

    def change(current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /) -> Outcome:
        history: tuple[HistoryEntry, ...] = ()
        for step in changes:
            outcome = step(current, foreign)
            current, history = outcome.record, history + outcome.history
        return Outcome(current, history)

    return change


def limited(change: Change, keep: int) -> Change:
    """Return the change, with so many entries of history left for each result that it adds one."""

    def within(current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /) -> Outcome:
        return change(current, foreign)._replace(keep=keep)

    return within
