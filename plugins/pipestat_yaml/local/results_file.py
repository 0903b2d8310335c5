"""One local results file with the flags beside it (SPEC.md sections 7.7 and 8)."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from pipestat_spec.backend import Change, StoreSettings, Transition
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.local.flags import Flags
from pipestat_yaml.local.local_file import LocalFile, mapped_errors
from pipestat_yaml.records.placement import Placement
from pipestat_yaml.records.records import Decision, ReadFlag, Records, decide
from pipestat_yaml.text.document import Document
from pipestat_yaml.text.layout import Layout
from pipestat_yaml.text.loading import open_document

__all__ = ["ResultsFile"]


class ResultsFile:
    """The records of one namespace in one file."""

    def __init__(self, path: str, settings: StoreSettings) -> None:
        self.path = path
        self._settings = settings
        self._placement = Placement.of(settings, path)
        self._file = LocalFile(path, unsafe=settings.unsafe_writes)

    def _flags(self) -> Flags:
        """Return the flags of this moment: a symbolic link may lead elsewhere by now."""
        settings, target = self._settings, self._file.target
        folder = settings.config.get("flag_file_dir")
        folder = os.path.realpath(folder) if folder else os.path.dirname(target)
        # Files that share a flag folder must not share this name.
        temporary = f".{zlib.crc32(os.fsencode(target)):08x}.tmp"
        return Flags(
            folder,
            settings.namespace,
            settings.statuses.identifiers,
            os.path.join(folder, temporary),
        )

    def _document(self) -> Document:
        with mapped_errors(self.path):
            return open_document(self._file.read() or b"", self.path)

    def namespaces(self) -> tuple[str, ...]:
        """Return the top-level keys of the file, whatever the settings say."""
        return self._document().namespaces

    @property
    def layout(self) -> Layout | None:
        """The layout that the namespace has in the file; None while it is new."""
        return self._document().layout(self._placement.namespace)

    def records(self, read_flag: ReadFlag | None = None) -> Records:
        """Return the records of this moment; raises when file and settings disagree."""
        return Records(self._document(), self._placement, read_flag or self._read_flag)

    def _read_flag(self, identifier: str) -> tuple[str, int] | None:
        with mapped_errors(self.path):
            return self._flags().read(identifier)

    def read(self, key: RecordKey) -> Record | None:
        # The flag first: results are written before the status that speaks of them.
        flag = self._read_flag(key.identifier)
        return self.records(lambda _: flag).read(key)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(self.records().history(key))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, of one moment, in code-point order."""
        return self.records().histories(level)

    def scan(self, level: Level, after: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the records of one moment, in code-point order."""
        with mapped_errors(self.path):
            status_of = self._flags().listed()
        records = self.records()
        found = records.identifiers(level)
        names = list(islice((n for n in found if after is None or n > after), limit))
        return records.read_many(level, names, status_of)

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes under one lock, with at most one write."""
        if not changes:
            return []
        with mapped_errors(self.path), self._file.locked():
            flags = self._flags()
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(flags.temporary)
            document = open_document(self._file.read() or b"", self.path)
            decision = decide(document, self._placement, changes, flags.reader(len(changes)))
            self._store(decision, flags)
        return decision.transitions

    def _store(self, decision: Decision, flags: Flags) -> None:
        flags.check({**decision.flags_first, **decision.flags})
        if decision.chunks is None:
            _write_flags(flags, {**decision.flags_first, **decision.flags})
            return
        first = decision.flags_first
        self._file.replace(decision.chunks, (lambda: _write_flags(flags, first)) if first else None)
        _write_flags(flags, decision.flags, hint="the results are stored, the status may not be")


def _write_flags(flags: Flags, statuses: Mapping[str, str | None], hint: str | None = None) -> None:
    with mapped_errors(flags.folder, hint):
        flags.write_many(statuses)
