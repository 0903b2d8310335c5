"""The records of one namespace in one text, with the edits that are not written yet.

A flag's name does not tell the level. While a sample-level and a project-level record share
an identifier, each keeps its own status as `meta.status`, and the flag follows the last one
that was set; a record alone has its flag (spec/writers.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from pipestat_spec.backend import Change, Outcome, Transition
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.records.codec import (
    check_history,
    check_stored,
    decode_history,
    decode_record,
    encode_record,
    meta_of,
    with_status,
)
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.text.results_text import Chunks, ResultsText, SectionKey

__all__ = ["Decision", "ReadFlag", "Records", "decide"]

# Gives the status of an identifier and when it was set (nanoseconds since 1970).
ReadFlag: TypeAlias = Callable[[str], tuple[str, int] | None]

# The section of each level that a layout has room for.
_SECTIONS: dict[Layout, dict[Level, SectionKey]] = {
    "records": {"sample": None},
    "levels": {"sample": "sample", "project": "project"},
}


class Records:
    """Reads and edits records; the text itself stays as it is.

    Without `read_flag` the status of every record is its `meta.status`. `to_project` tells
    that a record of the project level may be written, for which a new file gets the layout.
    Raises LayoutError when the text and the settings contradict each other.
    """

    def __init__(
        self,
        text: ResultsText,
        rules: LayoutRules,
        read_flag: ReadFlag | None,
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
        self._flags: dict[str, str | None] = {}
        self._removed: set[str] = set()

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
        shares = self.stored(_twin(key)) is not None
        if stored is not None:
            check_stored(key, stored, self._rules.file)
            if self._is_in_meta(stored, shares):
                return decode_record(key, stored, _status(stored))
        flag = self._read_flag(key.identifier) if self._read_flag else None
        if stored is not None:
            return decode_record(key, stored, flag and flag[0])
        if flag is None or shares or not (self._is_new or key.level in self._sections):
            return None
        # pipestat sets a status without adding the record to the file.
        time = datetime.fromtimestamp(flag[1] / 1e9, UTC)
        return Record(key, status=flag[0], created=time, modified=time)

    def _is_in_meta(self, stored: dict[str, Any], shares: bool) -> bool:
        return self._read_flag is None or (shares and "status" in meta_of(stored))

    def write(self, key: RecordKey, current: Record | None, outcome: Outcome) -> None:
        """Store what a change made of the current record."""
        record = outcome.record
        assert record is not None
        other = _twin(key)
        old, twin = self.stored(key), self.stored(other)
        if old is None and current is not None and record.status is None and not record.results:
            # The flag of another program goes, and makes no record in going.
            self._flags[key.identifier] = None
            return
        if old is None or outcome.history or not _same_but_status(current, record):
            self._rules.check_write(self.layout, record)
            known = current if old else None
            self._edit(key, encode_record(record, outcome.history, old, known, self.layout))
        changed = record.status != (current.status if current else None)
        if self._read_flag is None:
            self._put_status(key, record.status)
        elif twin is not None and (old is None or changed):
            if old is None or "status" not in meta_of(twin):
                # The other record has had the flag to itself so far.
                flag = self._read_flag(key.identifier)
                self._put_status(other, flag and flag[0], keep_none=True)
            self._put_status(key, record.status, keep_none=True)
        if changed:
            self._flags[key.identifier] = record.status

    def _put_status(self, key: RecordKey, status: str | None, *, keep_none: bool = False) -> None:
        self._edit(key, with_status(self.stored(key) or {}, status, keep_none=keep_none))

    def _edit(self, key: RecordKey, stored: dict[str, Any] | None) -> None:
        self._edits[self._sections[key.level], key.identifier] = self._stored[key] = stored

    def remove(self, key: RecordKey) -> None:
        """Remove a record; one of the same name at the other level gets the flag."""
        twin = _twin(key)
        other = self.read(twin) if self.stored(twin) is not None else None
        if key.level in self._sections:
            self._edit(key, None)
        self._flags[key.identifier] = other.status if other else None
        self._removed.add(key.identifier)
        if other is not None and self._read_flag is not None:
            self._put_status(twin, None)

    def decision(self, records: list[Transition]) -> Decision:
        """Return what is to be stored, with the records that the changes have made.

        A status must not speak of results that are not there yet, and none may outlive its
        record.
        """
        chunks = None
        if self._edits:
            chunks = self._text.edited(self._rules.namespace, self.layout, self._edits)
        if not self._removed:
            return Decision(records, chunks, {}, self._flags)
        gone = {name for (_, name), stored in self._edits.items() if stored is None}
        first = {
            name: status
            for name, status in self._flags.items()
            if name in self._removed and (status is None or name in gone)
        }
        return Decision(
            records, chunks, first, {n: s for n, s in self._flags.items() if n not in first}
        )

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

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, in code-point order."""
        for name in self.identifiers(level):
            key = RecordKey(level, name)
            if entries := self.history(key):
                yield key, entries

    def read_many(
        self, level: Level, names: list[str], status_of: Callable[[str], str | None]
    ) -> Iterator[Record]:
        """Yield the stored records of these names; `status_of` knows their flags."""
        twins = set(self.identifiers(_twin(RecordKey(level, "")).level))
        for name in names:
            key = RecordKey(level, name)
            stored = self.stored(key)
            if stored is None:
                continue
            check_stored(key, stored, self._rules.file)
            in_meta = self._is_in_meta(stored, name in twins)
            yield decode_record(key, stored, _status(stored) if in_meta else status_of(name))


def _twin(key: RecordKey) -> RecordKey:
    return RecordKey("project" if key.level == "sample" else "sample", key.identifier)


def _status(stored: dict[str, Any]) -> str | None:
    status = meta_of(stored).get("status")
    return status if isinstance(status, str) else None


def _same_but_status(old: Record | None, new: Record) -> bool:
    return (
        old is not None
        and new.results is old.results
        and new.source is old.source
        and (new.status_message, new.created, new.modified)
        == (old.status_message, old.created, old.modified)
    )


class Decision(NamedTuple):
    """What became of the records, the file's new bytes (None: as it was), flags to set.

    `flags_first` are those to set before the file is replaced, `flags` those to set after.
    """

    transitions: list[Transition]
    chunks: Chunks | None
    flags_first: dict[str, str | None]
    flags: dict[str, str | None]


def decide(
    text: ResultsText,
    rules: LayoutRules,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> Decision:
    """Apply the changes one after the other; what one of them raises undoes all."""
    to_project = "project" in {key.level for key, _ in changes}
    records = Records(text, rules, read_flag, to_project=to_project)
    # The current record as the change made it: the store adds nothing to it.
    pending: dict[RecordKey, Record | None] = {}
    transitions = []
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
        if outcome.record is current and not outcome.history:
            continue
        if outcome.record is None:
            records.remove(key)
        else:
            records.write(key, current, outcome)
        pending[key] = outcome.record
    return records.decision(transitions)
