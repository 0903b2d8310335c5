"""The backend for results paths with `{record_identifier}` (spec/writers.md)."""

from __future__ import annotations

import glob
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from pipestat_spec.backend import (
    Backend,
    Capability,
    Change,
    StoreSettings,
    Transition,
    settled,
)
from pipestat_spec.logs import logger
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_spec.text.file_names import PLACEHOLDER, expand_record_path
from pipestat_yaml.local.backend import YamlBackend, claimed_capabilities, read_text
from pipestat_yaml.local.local_file import mapped_errors, read_file
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.records.records import ReadFlag, Records
from pipestat_yaml.text.name_template import NameTemplate
from pipestat_yaml.text.spliced_text import holds_only, open_text

if TYPE_CHECKING:
    from pipestat_spec.models.query import Filter, Page, Query

__all__ = ["RecordFilesBackend", "list_namespaces"]


class RecordFilesBackend(Backend):
    """Each record in a file of its own, named by its identifier.

    A file counts only for the record whose expanded path it has: files that aggregate
    records of others match the pattern too.
    """

    file: str

    def __init__(self, template: str, settings: StoreSettings) -> None:
        folder = template.partition(PLACEHOLDER)[0]
        self.capabilities = claimed_capabilities(folder, settings) - {Capability.ATOMIC_BATCH}
        self.file = template
        self._settings = settings
        self._template = NameTemplate(os.path.normpath(template))
        self._warned: set[str] = set()

    def _of(self, key: RecordKey) -> YamlBackend:
        path = expand_record_path(self.file, key.identifier)
        return YamlBackend(path, self._settings, self.capabilities, self.file)

    def exists(self) -> bool:
        """Tell whether any file holds the namespace."""
        files = _find_files(self.file)
        return any(self._settings.namespace in read_text(path).keys for path in files)

    def version(self) -> object | None:
        """Return what the files and their folders are; None while one is fresh.

        A flag of another program changes the folder.
        """
        found: dict[str, tuple[int, int, int]] = {}
        flags = self._settings.config.get("flag_file_dir")
        with mapped_errors(self.file):
            for path in _find_files(self.file):
                for part in (path, flags or os.path.dirname(path)):
                    with suppress(FileNotFoundError):
                        state = os.stat(part)
                        found[part] = (state.st_ino, state.st_mtime_ns, state.st_size)
        is_settled = settled(*(changed for _, changed, _ in found.values()))
        return tuple(sorted(found.items())) if is_settled else None

    def read(self, key: RecordKey) -> Record | None:
        return self._of(key).read(key)

    def update(self, key: RecordKey, change: Change) -> Transition:
        return self._of(key).update(key, change)

    def prune(self, level: Level, limit: HistoryLimit) -> int:
        """Remove entries of the histories, file by file."""
        keys = [RecordKey(level, name) for name in self._identifiers(level)]
        return sum(self._of(key).prune(level, limit) for key in keys)

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None:
        """Decide the changes of each file, and write nothing."""
        for key, change in changes:
            self._of(key).rehearse([(key, change)])

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        return self._of(key).history(key)

    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        names = self._identifiers(level)
        found = self._found(level, names[0 if after is None else bisect_right(names, after) :])
        return found if limit is None else islice(found, max(limit, 0))

    def select(self, query: Query) -> Page:
        """Return a page of the records that match; the files of those that it needs are read."""
        from pipestat_spec.domain.query import select_listed

        level = query.level
        return select_listed(partial(self._identifiers, level), partial(self._found, level), query)

    def matching(
        self, level: Level, where: Filter, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records that match as `scan` yields all; those that it names are looked up."""
        from pipestat_spec.domain.query import match_listed

        names, found = partial(self._identifiers, level), partial(self._found, level)
        return match_listed(names, found, where, after, limit)

    def _found(self, level: Level, names: Sequence[str], results: bool = True) -> Iterator[Record]:
        """Yield those of the records that are there; a folder of flags is listed at most once."""
        listed: dict[str, ReadFlag] = {}
        for name in names:
            backend = self._of(RecordKey(level, name))
            path = os.path.normpath(backend.file)
            if not self._template.matches(path) or not os.path.isfile(path):
                continue
            with mapped_errors(self.file):
                flags = backend.flags()
                if flags.folder not in listed:
                    listed[flags.folder] = flags.seen(names)
            text = read_text(backend.file)
            if self._settings.namespace in text.keys:
                rules = LayoutRules(self._settings, backend.file)
                records = Records(text, rules, listed[flags.folder])
                yield from records.found(level, [name], results)

    def count(self, level: Level) -> int:
        return len(self._identifiers(level))

    def _identifiers(self, level: Level) -> list[str]:
        """Return the records in code-point order, read from inside the files."""
        found: list[str] = []
        for path in _find_files(self.file):
            with mapped_errors(path):
                data = read_file(path) or b""
            name = self._template.identifier(os.path.normpath(path))
            if level == "sample" and name and holds_only(data, self._settings.namespace, name):
                found.append(name)
                continue
            text = open_text(data, path)
            if self._settings.namespace not in text.keys:
                continue
            rules = LayoutRules(self._settings, path)
            there = Records(text, rules).identifiers(level)
            own = _own_records(self.file, path, there)
            found += own
            self._warn(path, [name for name in there if name not in own])
        return sorted(found)

    def _warn(self, path: str, strangers: list[str]) -> None:
        if strangers and path not in self._warned:
            self._warned.add(path)
            logger().warning(
                "%s also holds record %r (%d in all), which belongs into another file",
                path,
                strangers[0],
                len(strangers),
            )

    def close(self) -> None:
        """Nothing is held between calls."""


def list_namespaces(template: str) -> list[str]:
    """Return the namespaces in the files of the template, in code-point order."""
    found: set[str] = set()
    for path in _find_files(template):
        text = read_text(path)
        for name in text.namespaces() - found:
            if _own_records(template, path, text.all_identifiers(name)):
                found.add(name)
    return sorted(found)


def _own_records(template: str, path: str, identifiers: Iterable[str]) -> list[str]:
    """Return those of the records in a file that it is named for."""
    path = os.path.normpath(path)
    return [
        name for name in identifiers if os.path.normpath(expand_record_path(template, name)) == path
    ]


def _find_files(template: str) -> list[str]:
    """Return the existing files that the template could name, in no order."""
    pattern = "*".join(glob.escape(part) for part in template.split(PLACEHOLDER))
    with mapped_errors(template):
        # Flags lie in the same folder; a template such as `runs/{record_identifier}` fits them.
        return [
            path
            for path in glob.iglob(pattern)
            if os.path.isfile(path) and (template.endswith(".flag") or not path.endswith(".flag"))
        ]
