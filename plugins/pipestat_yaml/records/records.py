"""The records of one namespace in one document, with the edits that are not written yet.

A flag's name does not tell the level. While a sample-level and a project-level record share
an identifier, each keeps its own status as `meta.status`, and the flag follows the last one
that was set; a record alone has its flag (SPEC.md section 7.7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from pipestat_spec.backend import Change, Outcome, Transition
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
from pipestat_yaml.records.placement import Placement
from pipestat_yaml.text.document import Chunks, Document, SectionKey

__all__ = ["Decision", "ReadFlag", "Records", "decide"]

# Gives the status of an identifier and when it was set (nanoseconds since 1970).
ReadFlag: TypeAlias = Callable[[str], tuple[str, int] | None]


class Records:
    """Reads and edits records; the document itself stays as it is.

    Without `read_flag` the status of every record is its `meta.status`. `to_project` tells
    that a record of the project level may be written, for which a new file gets the layout.
    Raises LayoutError when the document and the settings contradict each other.
    """

    def __init__(
        self,
        document: Document,
        placement: Placement,
        read_flag: ReadFlag | None,
        *,
        to_project: bool = False,
    ) -> None:
        self._document = document
        self._placement = placement
        self._read_flag = read_flag
        namespace = placement.namespace
        found = document.layout(namespace)
        self.layout = placement.check(document.namespaces, found, to_project=to_project)
        self._is_new = found is None
        self._found: dict[tuple[SectionKey, str], dict[str, Any] | None] = {}
        self._edits: dict[tuple[SectionKey, str], dict[str, Any] | None] = {}
        self._flags: dict[str, str | None] = {}
        self._removed: set[str] = set()

    def stored(self, key: RecordKey) -> dict[str, Any] | None:
        """Return what the file is to hold for a record."""
        section, exists = self._placement.section(self.layout, key.level)
        if not exists:
            return None
        place = (section, key.identifier)
        if place in self._edits:
            return self._edits[place]
        if place not in self._found:
            self._found[place] = self._document.record(self._placement.namespace, *place)
        return self._found[place]

    def has(self, key: RecordKey) -> bool:
        """Tell whether the file is to hold the record."""
        return self.stored(key) is not None

    def read(self, key: RecordKey) -> Record | None:
        stored = self.stored(key)
        shares = self.stored(_twin(key)) is not None
        if stored is not None:
            check_stored(key, stored, self._placement.file)
        if stored is not None and self._is_in_meta(stored, shares):
            return decode_record(key, stored, _status(stored))
        flag = self._read_flag(key.identifier) if self._read_flag else None
        if stored is not None:
            return decode_record(key, stored, flag and flag[0])
        if flag is None or shares or not (self._is_new or self._holds(key.level)):
            return None
        # pipestat sets a status without adding the record to the file.
        time = datetime.fromtimestamp(flag[1] / 1e9, UTC)
        return Record(key, status=flag[0], created=time, modified=time)

    def _holds(self, level: Level) -> bool:
        return self._placement.section(self.layout, level)[1]

    def _is_in_meta(self, stored: dict[str, Any], shares: bool) -> bool:
        return self._read_flag is None or (shares and "status" in meta_of(stored))

    def write(self, key: RecordKey, current: Record | None, outcome: Outcome) -> None:
        """Store what a change made of the current record."""
        record = outcome.record
        assert record is not None
        old, twin = self.stored(key), self.stored(_twin(key))
        if old is None and current is not None and record.status is None and not record.results:
            # The flag of another program goes, and makes no record in going.
            self._flags[key.identifier] = None
            return
        if old is None or outcome.history or not _same_but_status(current, record):
            self._placement.check_write(self.layout, record)
            self._edit(key, encode_record(record, outcome.history, old, self.layout))
        changed = record.status != (current.status if current else None)
        if self._read_flag is None:
            self._put_status(key, record.status)
        elif twin is not None and (old is None or changed):
            if old is None or "status" not in meta_of(twin):
                # The other record has had the flag to itself so far.
                flag = self._read_flag(key.identifier)
                self._put_status(_twin(key), flag and flag[0], keep_none=True)
            self._put_status(key, record.status, keep_none=True)
        if changed:
            self._flags[key.identifier] = record.status

    def _put_status(self, key: RecordKey, status: str | None, *, keep_none: bool = False) -> None:
        self._edit(key, with_status(self.stored(key) or {}, status, keep_none=keep_none))

    def remove(self, key: RecordKey) -> None:
        """Remove a record; one of the same name at the other level gets the flag."""
        twin = self.stored(_twin(key))
        section, exists = self._placement.section(self.layout, key.level)
        other = self.read(_twin(key)) if twin is not None else None
        if exists:
            self._edits[section, key.identifier] = None
        self._flags[key.identifier] = other.status if other else None
        self._removed.add(key.identifier)
        if twin is not None and self._read_flag is not None:
            self._put_status(_twin(key), None)

    def flags(self) -> tuple[dict[str, str | None], dict[str, str | None]]:
        """Return the flags to set before the file is replaced, and those to set after it.

        A status must not speak of results that are not there yet, and none may outlive its
        record.
        """
        gone = {name for (_, name), stored in self._edits.items() if stored is None}
        first = {
            name: status
            for name, status in self._flags.items()
            if name in self._removed and (status is None or name in gone)
        }
        return first, {n: status for n, status in self._flags.items() if n not in first}

    def _edit(self, key: RecordKey, stored: dict[str, Any]) -> None:
        section, _ = self._placement.section(self.layout, key.level)
        self._edits[section, key.identifier] = stored

    def chunks(self) -> Chunks | None:
        """Return the bytes of the document after the edits, None when they change nothing."""
        if not self._edits:
            return None
        return self._document.edited(self._placement.namespace, self.layout, self._edits)

    def identifiers(self, level: Level) -> list[str]:
        """Return the names of the stored records in code-point order."""
        section, exists = self._placement.section(self.layout, level)
        if not exists:
            return []
        return self._document.identifiers(self._placement.namespace, section)

    def count(self, level: Level) -> int:
        section, exists = self._placement.section(self.layout, level)
        return self._document.count(self._placement.namespace, section) if exists else 0

    def history(self, key: RecordKey) -> list[HistoryEntry]:
        stored = self.stored(key)
        entries = decode_history(stored) if stored else []
        check_history(key, entries, self._placement.file)
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
            check_stored(key, stored, self._placement.file)
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
    document: Document,
    placement: Placement,
    changes: Sequence[tuple[RecordKey, Change]],
    read_flag: ReadFlag | None,
) -> Decision:
    """Apply the changes one after the other; what one of them raises undoes all."""
    to_project = any(key.level == "project" for key, _ in changes)
    records = Records(document, placement, read_flag, to_project=to_project)
    # The current record as the change made it: the store adds nothing to it.
    pending: dict[RecordKey, Record | None] = {}
    transitions = []
    for key, change in changes:
        current = pending[key] if key in pending else records.read(key)
        outcome = change(current)
        if outcome.record is current is not None and not (key in pending or records.has(key)):
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
    return Decision(transitions, records.chunks(), *records.flags())
