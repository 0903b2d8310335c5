"""What happened to records between two looks at them (docs/watch.md)."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import Level, Record
from pipestat_spec.models.verdict import Verdict
from pipestat_spec.text.strings import printable, shorten

__all__ = ["Event", "EventKind", "Seen", "events_between", "removal", "stamp"]

EventKind: TypeAlias = Literal["result", "result_removed", "status", "verdict", "record_removed"]
# Characters of a value in a line for people.
_WIDEST = 60


class Event(NamedTuple):
    """One thing that happened to a record, and when, as far as the store tells (UTC).

    `result` and `value` are those of a result; `value` is also the status, None when it was
    taken away, and the verdict. `message` is that of the status, or why the verdict is not pass.
    """

    event: EventKind
    level: Level
    record_identifier: str
    time: datetime
    result: str | None = None
    value: JSONValue = None
    message: str | None = None

    @property
    def text(self) -> str:
        """One line for people."""
        head = f"{format_utc(self.time)[:19]}Z {self.record_identifier}"
        if self.event == "result":
            shown = shorten(json.dumps(self.value, ensure_ascii=False), _WIDEST)
            return printable(f"{head} {self.result} = {shown}")
        if self.event == "record_removed":
            return printable(f"{head} removed")
        if self.event == "result_removed":
            return printable(f"{head} {self.result} removed")
        said = f": {self.message}" if self.message else ""
        value = "(none)" if self.value is None else self.value
        return printable(f"{head} {self.event} {value}{said}")

    def as_json(self) -> dict[str, JSONValue]:
        """Return the event as one of the JSON lines (`event.schema.json`)."""
        found: dict[str, JSONValue] = {
            "event": self.event,
            "level": self.level,
            "record_identifier": self.record_identifier,
            "time": format_utc(self.time),
        }
        if self.event in ("result", "result_removed"):
            found["result"] = self.result
        if self.event == "result":
            found["value"] = self.value
        if self.event in ("status", "verdict"):
            found |= {self.event: self.value, "message": self.message}
        return found


# What changes whenever a record does, in a store that keeps exact times: known without results.
Stamp: TypeAlias = tuple[datetime | None, datetime | None, str | None, str | None, datetime | None]


def stamp(record: Record) -> Stamp:
    """Return what tells that a record was changed, without its results."""
    return (
        record.created,
        record.modified,
        record.status,
        record.status_message,
        record.status_time,
    )


class Seen(NamedTuple):
    """What is kept of a record: its stamp, and of each result a hash of 64 bits.

    `whole` is that of all results as they stood, and tells at once that nothing changed.
    """

    stamp: Stamp
    names: tuple[str, ...]
    hashes: array[int]
    whole: int
    verdict: Verdict | None

    @classmethod
    def of(cls, record: Record) -> Seen:
        """Return what is kept of a record."""
        judgement = record.judgement
        return cls(
            stamp(record),
            tuple(record.results),
            array("q", map(_hash, record.results.values())),
            _whole(record),
            None if judgement is None else judgement.verdict,
        )

    def is_like(self, record: Record) -> bool:
        """Tell whether nothing of the record has changed."""
        return self.stamp == stamp(record) and self.whole == _whole(record)

    @property
    def by_name(self) -> Mapping[str, int]:
        """The hash of each result."""
        return dict(zip(self.names, self.hashes, strict=True))


# A record of which nothing was seen yet.
NOTHING = Seen((None,) * 5, (), array("q"), hash(()), None)


def _hash(value: JSONValue) -> int:
    # The text tells 1 from 1.0 and from true; the order of keys does not count.
    text = json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else repr(value)
    return hash(text)


def _whole(record: Record) -> int:
    return hash(repr(record.results))


def events_between(seen: Seen | None, record: Record, now: datetime) -> Iterator[Event]:
    """Yield what happened to a record since it was seen; None: it was not there.

    `now` is the time of what the store knows no time of. Results come first, then the status and
    the verdict: whoever sees `completed` has seen the results before.
    """
    before = NOTHING if seen is None else seen
    level, name = record.key.level, record.key.identifier
    moment = record.modified or now
    known = before.by_name
    for result, value in record.results.items():
        if known.get(result) != _hash(value):
            yield Event("result", level, name, moment, result, value)
    for result in known:
        if result not in record.results:
            yield Event("result_removed", level, name, moment, result)
    # The message counts: a new one is news of the same status.
    if (record.status, record.status_message, record.status_time) != before.stamp[2:]:
        moment = record.status_time or now
        yield Event("status", level, name, moment, None, record.status, record.status_message)
    judgement = record.judgement
    if judgement is not None and judgement.verdict is not before.verdict:
        verdict, reasons = str(judgement.verdict), judgement.text or None
        yield Event("verdict", level, name, record.modified or now, None, verdict, reasons)


def removal(level: Level, name: str, now: datetime) -> Event:
    """Return the event of a record that is gone; when that was, no store tells."""
    return Event("record_removed", level, name, now)
