"""The backend for one local results file that holds all records of a namespace."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pipestat_spec.backend import (
    Backend,
    Capability,
    Change,
    StoreSettings,
    Transition,
    settled,
)
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_spec.mounts import lock_fault, warn_unsafe
from pipestat_yaml.local.flags import STORED, Flags
from pipestat_yaml.local.local_file import FileLock, mapped_errors, read_file
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.records.records import ReadFlag, Records, decide, rehearse
from pipestat_yaml.text.results_text import ResultsText
from pipestat_yaml.text.spliced_text import forget_bytes, known_bytes, open_text

if TYPE_CHECKING:
    from datetime import datetime

    from pipestat_spec.models.query import Filter, Page, Query, TimeColumn

__all__ = ["YamlBackend", "claimed_capabilities", "list_namespaces", "open_file", "read_text"]

_CAPABILITIES = frozenset(Capability) - {
    Capability.NATIVE_QUERY,
    Capability.UNNAMED_NAMESPACE,
}


def open_file(path: str, settings: StoreSettings) -> YamlBackend:
    """Return the backend for a file; raises when the file and the settings disagree."""
    backend = YamlBackend(path, settings, claimed_capabilities(path, settings))
    backend.records()
    return backend


def list_namespaces(path: str) -> list[str]:
    """Return the namespaces in a file, in code-point order."""
    return sorted(read_text(path).namespaces())


def read_text(path: str) -> ResultsText:
    """Return the text of the file as it is now; without a file it is empty."""
    with mapped_errors(path):
        return open_text(read_file(path, known_bytes(path)) or b"", path)


def claimed_capabilities(path: str, settings: StoreSettings) -> frozenset[Capability]:
    """Return what a store at this path promises; on a mount without locks that is less."""
    with mapped_errors(path):
        folder = os.path.dirname(path)
        if settings.unsafe_writes and (fault := lock_fault(folder, "flock")):
            warn_unsafe(f"{folder}: {fault}")
            return _CAPABILITIES - {Capability.CONCURRENT_WRITERS}
    return _CAPABILITIES


class YamlBackend(Backend):
    """Records of one namespace in one file, and their flags; see spec/yaml.md and writers.md."""

    file: str

    def __init__(
        self,
        path: str,
        settings: StoreSettings,
        capabilities: frozenset[Capability],
        template: str | None = None,
    ) -> None:
        """Make the backend for a file; `template` is the path with a placeholder that led to it."""
        self.capabilities = capabilities
        self.file = path
        self._settings = settings
        self._template = template
        self._rules = LayoutRules(settings, path)
        self._lock = FileLock(path, unsafe=settings.unsafe_writes)

    def flags(self, target: str | None = None) -> Flags:
        """Return the flags of the file that the path leads to at this moment."""
        target = target or os.path.realpath(self.file)
        folder = self._settings.config.get("flag_file_dir")
        folder = os.path.realpath(folder) if folder else os.path.dirname(target)
        # Files that share a flag folder must not share this name.
        temporary = os.path.join(folder, f".{zlib.crc32(os.fsencode(target)):08x}.tmp")
        return Flags(folder, self._settings, temporary, target, self._template)

    def records(self, read_flag: ReadFlag | None = None) -> Records:
        """Return the records of this moment, as the file says or with what flags say."""
        return Records(read_text(self.file), self._rules, read_flag)

    @property
    def layout(self) -> str | None:
        """The layout of the namespace in the file; None while it has none."""
        return read_text(self.file).layout(self._settings.namespace)

    def exists(self) -> bool:
        """Tell whether the file is there, with the namespace in it or none at all."""
        text = read_text(self.file)
        if text.namespaces():
            return self._settings.namespace in text.keys
        return os.path.exists(self.file)

    def version(self) -> object | None:
        """Return what the file and the flags of other programs are; None while they are fresh."""
        with mapped_errors(self.file):
            plain = self.flags().plain()
            try:
                found = os.stat(self.file)
            except FileNotFoundError:
                return None
        if not settled(found.st_mtime_ns, *plain.values()):
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size, tuple(sorted(plain.items()))

    def read(self, key: RecordKey) -> Record | None:
        with mapped_errors(self.file):
            flags = self.flags()
            # The flags first: a writer stores what they say before it changes them.
            flags.read(key.identifier)
        return self.records(flags.read).read(key)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records of one moment, in code-point order."""
        with mapped_errors(self.file):
            read_flag = self.flags().listed()
        return self.records(read_flag).scan(level, after, limit)

    def select(self, query: Query) -> Page:
        """Return a page of the records that match, of one moment."""
        from pipestat_spec.domain.query import named

        with mapped_errors(self.file):
            read_flag = self.flags().seen(named(query.where))
        return self.records(read_flag).select(query)

    def matching(
        self, level: Level, where: Filter, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records that match as `scan` yields all, of one moment."""
        from pipestat_spec.domain.query import named

        with mapped_errors(self.file):
            read_flag = self.flags().seen(named(where))
        return self.records(read_flag).matching(level, where, after, limit)

    def recent(
        self,
        level: Level,
        *,
        limit: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        time_column: TimeColumn = "modified",
        cursor: str | None = None,
    ) -> Page:
        """Return a page of records by time, newest first, of one moment."""
        with mapped_errors(self.file):
            read_flag = self.flags().listed()
        window = (limit, start, end, time_column, cursor)
        return self.records(read_flag).recent(level, *window)

    def count(self, level: Level) -> int:
        return self.records().count(level)

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return iter(self.records().history(key))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, of one moment, in code-point order."""
        return self.records().histories(level)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self.update_many([(key, change)])[0]

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Apply the changes under one lock, in one atomic write of the file."""
        if not changes:
            return []
        with mapped_errors(self.file), self._lock.held() as file:
            flags = self.flags(file.target)
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(flags.temporary)
            flags.look_ahead(len(changes))
            text = self._text(file.target)
            decision = decide(text, self._rules, changes, flags.read)
            flags.check(decision.flags)
            if decision.chunks is not None:
                file.replace(decision.chunks)
                forget_bytes()
            with mapped_errors(flags.folder, STORED if decision.chunks is not None else None):
                flags.mirror(decision.flags)
        return decision.transitions

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        """Remove entries of the histories, in one atomic write of the file."""
        with mapped_errors(self.file), self._lock.held() as file:
            text = self._text(file.target)
            records = Records(text, self._rules)
            removed = records.prune(level, limit)
            if (chunks := records.chunks()) is not None:
                file.replace(chunks)
                forget_bytes()
        return removed

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None:
        """Decide all changes on the file of this moment, and write nothing."""
        with mapped_errors(self.file):
            flags = self.flags()
            flags.look_ahead(len(changes))
            flags.check(rehearse(read_text(self.file), self._rules, changes, flags.read))

    def _text(self, target: str) -> ResultsText:
        return open_text(read_file(target, known_bytes(self.file)) or b"", self.file)

    def close(self) -> None:
        """Nothing is held between calls."""
