"""The records of one namespace in one text, with the edits that are not written yet.

The status of a record is in its `meta`. Another program may have set one since, as a flag: it
counts when it is newer, and is written into `meta` with the next change (spec/writers.md).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pipestat_spec.backend import Change, Outcome, Transition
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_yaml.records.codec import (
    check_history,
    check_stored,
    decode_history,
    decode_record,
    encode_record,
    meta_of,
    status_of,
    without_entries,
)
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.text.results_text import Chunks, ResultsText, SectionKey

if TYPE_CHECKING:
    from pipestat_spec.models.query import Filter, Page, Query

__all__ = ["Decision", "ReadFlag", "Records", "decide", "rehearse"]

# Gives the status that another program has set for an identifier, and when (nanoseconds since
# 1970).
ReadFlag: TypeAlias = Callable[[str], tuple[str, int] | None]

# The section of each level that a layout has room for.
_SECTIONS: dict[Layout, dict[Level, SectionKey]] = {
    "records": {"sample": None},
    "levels": {"sample": "sample", "project": "project"},
}
# Systems stamp files with a clock that ticks, so a newer file may look that much older.
_TICK = timedelta(milliseconds=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Records:
    """Reads and edits records; the text itself stays as it is.

    Without `read_flag` no other program sets statuses. `to_project` tells that a record of the
    project level may be written, for which a new file gets the layout. Raises LayoutError when
    the text and the settings contradict each other.
    """

    def __init__(
        self,
        text: ResultsText,
        rules: LayoutRules,
        read_flag: ReadFlag | None = None,
        *,
        to_project: bool = False,
    ) -> None:
        self._text = text
        self._rules = rules
        self._read_flag = read_flag
        found = text.layout(rules.namespace)
        self.layout = rules.check(text.keys, found, to_project=to_project)
        self._is_new = found is None
        self._sections = _SECTIONS[self.layout]
        self._stored: dict[RecordKey, dict[str, Any] | None] = {}
        self._edits: dict[tuple[SectionKey, str], dict[str, Any] | None] = {}

    def stored(self, key: RecordKey) -> dict[str, Any] | None:
        """Return what the file is to hold for a record, None when it holds none."""
        if key.level not in self._sections:
            return None
        if key not in self._stored:
            section = self._sections[key.level]
            self._stored[key] = self._text.record(self._rules.namespace, section, key.identifier)
        return self._stored[key]

    def read(self, key: RecordKey) -> Record | None:
        stored = self.stored(key)
        if stored is not None:
            return self._decoded(key, stored)
        flag = self._flag(key)
        has_room = self._is_new or key.level in self._sections
        if flag is None or self.stored(_twin(key)) is not None or not has_room:
            return None
        # pipestat sets a status without adding the record to the file.
        time = _moment(flag[1])
        return Record(key, status=flag[0], created=time, modified=time, status_time=time)

    def _flag(self, key: RecordKey) -> tuple[str, int] | None:
        return self._read_flag(key.identifier) if self._read_flag else None

    def _decoded(self, key: RecordKey, stored: dict[str, Any]) -> Record:
        check_stored(key, stored, self._rules.file)
        record, flag = decode_record(key, stored), self._flag(key)
        return record if flag is None else _with_flag(record, stored, *flag)

    def is_overruled(self, key: RecordKey) -> bool:
        """Tell whether another program has set another status than the one that is stored."""
        if self._read_flag is None or self._read_flag(key.identifier) is None:
            return False
        stored = self.stored(key)
        return _status(self.read(key)) != (status_of(stored) if stored else None)

    def write(self, key: RecordKey, current: Record | None, outcome: Outcome) -> None:
        """Store what a change made of the current record."""
        record, old = outcome.record, self.stored(key)
        assert record is not None
        if old is None and current is not None and record.status is None and not record.results:
            # The flag of another program goes, and makes no record in going.
            return
        self._rules.check_write(self.layout, record)
        self._take_over(_twin(key))
        known = current if old else None
        if old and self.is_overruled(key):
            # What another program has set since is not what the file says.
            known = decode_record(key, old)
        self._edit(key, encode_record(record, outcome, old, known, self.layout))

    def remove(self, key: RecordKey) -> None:
        self._take_over(_twin(key))
        if key.level in self._sections:
            self._edit(key, None)

    def _take_over(self, key: RecordKey) -> None:
        """Write down what a flag says of a record: it speaks for both levels, and is to go."""
        stored = self.stored(key)
        if stored is not None and self.is_overruled(key) and (record := self.read(key)):
            known = decode_record(key, stored)
            self._edit(key, encode_record(record, Outcome(record), stored, known, self.layout))

    def _edit(self, key: RecordKey, stored: dict[str, Any] | None) -> None:
        self._edits[self._sections[key.level], key.identifier] = self._stored[key] = stored

    def chunks(self) -> Chunks | None:
        """Return the text with the edits, None without any."""
        if not self._edits:
            return None
        return self._text.edited(self._rules.namespace, self.layout, self._edits)

    def status_to_show(self, key: RecordKey) -> str | None:
        """Return what the file is to hold as the status of a record, else of the other level's.

        A flag's name does not tell the level: it shows the status of the record written last.
        """
        for one in (key, _twin(key)):
            stored = self.stored(one)
            if stored is not None and (status := status_of(stored)):
                return status
        return None

    def identifiers(self, level: Level) -> list[str]:
        """Return the names of the stored records in code-point order."""
        if level not in self._sections:
            return []
        return sorted(self._text.identifiers(self._rules.namespace, self._sections[level]))

    def count(self, level: Level) -> int:
        if level not in self._sections:
            return 0
        return len(self._text.identifiers(self._rules.namespace, self._sections[level]))

    def history(self, key: RecordKey) -> list[HistoryEntry]:
        stored = self.stored(key)
        entries = decode_history(stored) if stored else []
        check_history(key, entries, self._rules.file)
        return entries

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        """Leave entries of the histories out; return how many."""
        removed = 0
        for name in self.identifiers(level):
            section = self._sections[level]
            stored = self._text.record(self._rules.namespace, section, name)
            if stored is not None and "history" in meta_of(stored):
                pruned, count = without_entries(stored, limit)
                if count:
                    removed += count
                    self._edit(RecordKey(level, name), pruned)
        return removed

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, in code-point order."""
        for name in self.identifiers(level):
            key = RecordKey(level, name)
            if entries := self.history(key):
                yield key, entries

    def found(
        self, level: Level, identifiers: Iterable[str], results: bool = True
    ) -> Iterator[Record]:
        """Yield those of the records that are stored, and keep none of them."""
        if level not in self._sections:
            return
        namespace, section = self._rules.namespace, self._sections[level]
        for name in identifiers:
            stored = self._text.record(namespace, section, name, results=results)
            if stored is not None:
                yield self._decoded(RecordKey(level, name), stored)

    def scan(self, level: Level, after: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the stored records after a name, in code-point order."""
        names = self.identifiers(level)
        start = 0 if after is None else bisect_right(names, after)
        return self.found(level, names[start : None if limit is None else start + max(limit, 0)])

    def select(self, query: Query) -> Page:
        """Return a page of the stored records that match."""
        from pipestat_spec.domain.query import select_listed

        level = query.level
        names, found = partial(self.identifiers, level), partial(self.found, level)
        return select_listed(names, found, query, one_moment=True)

    def matching(
        self, level: Level, where: Filter, after: str | None, limit: int | None
    ) -> Iterator[Record]:
        """Yield the stored records that match, as `scan` does."""
        from pipestat_spec.domain.query import match_listed

        names, found = partial(self.identifiers, level), partial(self.found, level)
        return match_listed(names, found, where, after, limit)

    def recent(self, level: Level, *window: Any) -> Page:
        """Return a page of the stored records by time; see `domain.query.recent`."""
        from pipestat_spec.domain.query import recent_listed

        return recent_listed(partial(self.identifiers, level), partial(self.found, level), *window)


def _twin(key: RecordKey) -> RecordKey:
    return RecordKey("project" if key.level == "sample" else "sample", key.identifier)


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _with_flag(record: Record, stored: dict[str, Any], status: str, time: int) -> Record:
    """Return the record with the status that another program has set, if that is newer."""
    since, moment = record.status_time, _moment(time)
    # A status without a time was written by an older version, which let no flag overrule it.
    is_older = "status" in meta_of(stored) if since is None else moment <= since - _TICK
    if is_older or status == record.status:
        return record
    return replace(record, status=status, status_time=moment)


class Decision(NamedTuple):
    """What became of the records, the file's new bytes (None: as it was), and statuses to mirror.

    `flags` are by identifier, None for no status.
    """

    transitions: list[Transition]
    chunks: Chunks | None
    flags: dict[str, str | None]


def decide(
    text: ResultsText,
    rules: LayoutRules,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> Decision:
    """Apply the changes one after the other; what one of them raises undoes all."""
    records, transitions, flags = _applied(text, rules, changes, read_flag)
    return Decision(transitions, records.chunks(), flags)


def rehearse(
    text: ResultsText,
    rules: LayoutRules,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> dict[str, str | None]:
    """Apply the changes and compose no text of them; return the statuses to mirror."""
    return _applied(text, rules, changes, read_flag)[2]


def _applied(
    text: ResultsText,
    rules: LayoutRules,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> tuple[Records, list[Transition], dict[str, str | None]]:
    to_project = "project" in {key.level for key, _ in changes}
    records = Records(text, rules, read_flag, to_project=to_project)
    # The current record as the change made it: the store adds nothing to it.
    pending: dict[RecordKey, Record | None] = {}
    transitions = []
    flags: dict[str, str | None] = {}
    for key, change in changes:
        current = pending[key] if key in pending else records.read(key)
        outcome = change(current)
        is_flag_only = key not in pending and records.stored(key) is None
        if is_flag_only and outcome.record is current is not None:
            # Another program's flag says already what this change says of a record; the
            # record itself is still to be made, if the change makes one.
            made = change(None)
            outcome = outcome if made.record is None else made
        transitions.append(Transition(current, outcome.record))
        if outcome.record is not current or outcome.history:
            if outcome.record is None:
                records.remove(key)
            else:
                records.write(key, current, outcome)
            pending[key] = outcome.record
        elif records.is_overruled(key):
            # Nothing is written, so the flag of the other program goes on to tell the status.
            continue
        if read_flag is not None or _status(current) != _status(outcome.record):
            flags[key.identifier] = records.status_to_show(key)
    return records, transitions, flags


def _status(record: Record | None) -> str | None:
    return record.status if record else None
