"""One local results file with the flags beside it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from pipestat_spec.backend import Change, StoreSettings
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_yaml.document import Document
from pipestat_yaml.flags import Flags
from pipestat_yaml.loading import open_document
from pipestat_yaml.local_file import LocalFile, mapped_errors
from pipestat_yaml.placement import Placement
from pipestat_yaml.record_codec import decode_history
from pipestat_yaml.records import ReadFlag, Records
from pipestat_yaml.transaction import Decision, decide

__all__ = ["PLACEHOLDER", "ResultsFile"]

# A results path that holds it stands for one file per record.
PLACEHOLDER = "{record_identifier}"
# Up to this many flags a look at each costs less than a list of all.
_LOOKED_UP = 16


class ResultsFile:
    """The records of one namespace in one file."""

    def __init__(self, path: str, settings: StoreSettings) -> None:
        self.path = path
        self._placement = Placement.of(settings, path)
        self._file = LocalFile(path, unsafe=settings.unsafe_writes)
        folder = settings.config.get("flag_file_dir") or os.path.dirname(path)
        folder = os.path.abspath(os.fspath(folder))
        self._flags = Flags(
            folder,
            settings.namespace,
            settings.statuses.identifiers,
            _flag_temporary(folder, self._file.temporary),
        )

    def _document(self) -> Document:
        with mapped_errors(self.path):
            return open_document(self._file.read() or b"", self.path)

    def namespaces(self) -> tuple[str, ...]:
        """Return the top-level keys of the file, whatever the settings say."""
        return self._document().namespaces

    def records(self, read_flag: ReadFlag | None = None) -> Records:
        """Return the records of this moment; raises when file and settings disagree."""
        return Records(self._document(), self._placement, read_flag or self._read_flag)

    def _read_flag(self, identifier: str) -> tuple[str, float] | None:
        with mapped_errors(self._flags.folder):
            return self._flags.read(identifier)

    def read(self, key: RecordKey) -> Record | None:
        # The flag first: results are written before the status that speaks of them.
        flag = self._read_flag(key.identifier)
        return self.records(lambda _: flag).read(key)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        stored = self.records().stored(key)
        return iter(decode_history(stored) if stored else ())

    def scan(self, level: Level, after: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the records of one moment, in code-point order."""
        with mapped_errors(self._flags.folder):
            status_of = self._flags.listed()
        records = self.records()
        found = records.identifiers(level)
        names = list(islice((n for n in found if after is None or n > after), limit))
        return records.read_many(level, names, status_of)

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Record | None]:
        """Apply the changes under one lock, with at most one write."""
        if not changes:
            return []
        with mapped_errors(self.path), self._file.locked():
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(self._flags.temporary)
            document = open_document(self._file.read() or b"", self.path)
            decision = decide(document, self._placement, changes, self._flag_reader(len(changes)))
            self._store(decision)
        return decision.records

    def _flag_reader(self, changes: int) -> ReadFlag:
        if changes <= _LOOKED_UP:
            return self._read_flag
        status_of = self._flags.listed()
        return lambda identifier: self._read_flag(identifier) if status_of(identifier) else None

    def _store(self, decision: Decision) -> None:
        # Results first: a status must not speak of results that are not there yet.
        if decision.chunks is not None:
            self._file.replace(decision.chunks)
        for identifier, status in decision.statuses.items():
            with mapped_errors(self._flags.folder):
                self._flags.write(identifier, status)


def _flag_temporary(folder: str, temporary: str) -> str:
    """Return where flags are written first: a path that no other results file uses."""
    if os.path.realpath(folder) == os.path.dirname(temporary):
        return temporary
    checksum = zlib.crc32(temporary.encode(errors="surrogateescape"))
    name = os.path.basename(temporary)
    return os.path.join(folder, f".{name[1:-4][:100]}.{checksum:08x}.tmp")
