"""Flags: files whose names tell other programs the status of a record (spec/writers.md).

The status is in the results file. Our flags mirror it: each is a link into the folder of
statuses that belongs to that file. A flag that is no link was made by another program and tells
what that has set. All are looked up by their exact names, since a pattern for `b` would also find
the flags of `b_x`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple

from pipestat_spec.backend import StoreSettings
from pipestat_spec.logs import logger
from pipestat_spec.text.file_names import cut_component, encode_component
from pipestat_yaml.local.status_folder import StatusFolder, results_file_of
from pipestat_yaml.records.records import ReadFlag

__all__ = ["STORED", "Flags", "flag_names", "flag_stem"]

# What to say of a flag that cannot be changed.
STORED = "the results and the status are stored, the flag may not be"
_LONGEST_NAME = 255
# Up to this many flags a look at each costs less than a list of all.
_LOOKED_UP = 16
# Folders that have turned out to take no links.
_without_links: set[str] = set()


def flag_stem(namespace: str, identifier: str) -> str:
    """Return what the names of a record's flags begin with, where they are not cut."""
    return f"{encode_component(namespace)}_{encode_component(identifier)}"


def flag_names(stem: str, statuses: Iterable[str]) -> dict[str, str]:
    """Return the file name of the flag of each status."""
    names = {}
    for status in statuses:
        name = f"{stem}_{status}.flag"
        if len(name.encode()) > _LONGEST_NAME:
            name = f"{cut_component(stem, stem)}_{status}.flag"
        names[status] = name
    return names


class _Flag(NamedTuple):
    """Where a link leads, or None and when a plain file was written."""

    link: str | None
    time: int = 0


class Flags:
    """The flags of one results file in one folder, for one operation.

    Without `results_file` they are plain files; `template` is the path with a placeholder that
    led to it. `temporary` is the path that a flag is made under before it gets its name; the next
    writer removes what a dead one left.
    """

    def __init__(
        self,
        folder: str,
        settings: StoreSettings,
        temporary: str,
        results_file: str | None = None,
        template: str | None = None,
    ) -> None:
        self.folder = folder
        self.temporary = temporary
        self._namespace = encode_component(settings.namespace)
        self._statuses = settings.statuses.identifiers
        self._results_file = results_file
        self._template = template
        self._is_made = False
        self._present: set[str] | None = None
        self._seen: dict[str, dict[str, _Flag]] = {}

    @cached_property
    def _status_folder(self) -> StatusFolder | None:
        path = self._template or self._results_file
        return None if path is None else StatusFolder(path)

    @cached_property
    def _prefix(self) -> str | None:
        return None if self._status_folder is None else self._status_folder.seen_from(self.folder)

    def _names(self, identifier: str) -> dict[str, str]:
        """Return the names of the flags by status, in schema order."""
        return flag_names(f"{self._namespace}_{encode_component(identifier)}", self._statuses)

    def look_ahead(self, lookups: int) -> None:
        """List the folder if so many lookups are better answered by a list."""
        if lookups > _LOOKED_UP:
            with suppress(FileNotFoundError):
                self._present = set(os.listdir(self.folder))

    def _look(self, identifier: str) -> dict[str, _Flag]:
        """Return the flags of a record by status, in schema order; each is looked at once."""
        if identifier not in self._seen:
            self._seen[identifier] = {
                status: flag
                for status, name in self._names(identifier).items()
                if self._present is None or name in self._present
                if (flag := _flag(os.path.join(self.folder, name))) is not None
            }
        return self._seen[identifier]

    def read(self, identifier: str) -> tuple[str, int] | None:
        """Return the status that another program has set last, and when; None for none."""
        plain = [(s, flag.time) for s, flag in self._look(identifier).items() if flag.link is None]
        return max(plain, key=lambda item: item[1], default=None)

    def seen(self, identifiers: Collection[str] | None) -> ReadFlag:
        """Return `read` as it was at this moment, for these records or for any."""
        if identifiers is None or len(identifiers) > _LOOKED_UP:
            return self.listed()
        for identifier in identifiers:
            self._look(identifier)
        return self.read

    def plain(self) -> dict[str, int]:
        """Return the names of the flags of other programs in the folder, and when they were set."""
        plain: dict[str, int] = {}
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(".flag") and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        plain[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
        return plain

    def listed(self) -> ReadFlag:
        """Return `read` as it was at this moment, for any number of records."""
        plain = self.plain()

        def read(identifier: str) -> tuple[str, int] | None:
            names = self._names(identifier)
            found = [(status, plain[name]) for status, name in names.items() if name in plain]
            return max(found, key=lambda item: item[1], default=None)

        return read if plain else lambda _: None

    def check(self, statuses: Mapping[str, str | None]) -> None:
        """Raise OSError when one of the flags would have too long a name."""
        for identifier, status in statuses.items():
            name = "" if status is None else self._names(identifier).get(status, "")
            if len(name.encode()) > _LONGEST_NAME:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), name)

    def mirror(self, statuses: Mapping[str, str | None]) -> None:
        """Give each record the flag of its status, None for none; right ones stay as they are."""
        try:
            for identifier, status in statuses.items():
                # A status that is not defined has no flag.
                if status is None or status in self._statuses:
                    self._mirror(identifier, status)
        except BaseException:
            with suppress(OSError):
                os.unlink(self.temporary)
            raise

    def _mirror(self, identifier: str, status: str | None) -> None:
        """Turn the flags of a record into the one of this status; a rename is the change.

        The flag of another results file that has the same name stays, and takes the place of ours.
        """
        names, there = self._names(identifier), self._look(identifier)
        old = {
            s: os.path.join(self.folder, names[s])
            for s, flag in there.items()
            if flag.link == self._link(s) or not self._is_of_other(flag, identifier)
        }
        if status is not None and (status in old or status not in there):
            kept = old.pop(status, None)
            if kept is None or there[status].link != self._link(status):
                path = os.path.join(self.folder, names[status])
                self._make(status)
                if kept is None and old:
                    # So there is one flag at every moment.
                    kept = old.pop(next(iter(old)))
                    os.replace(self.temporary, kept)
                    os.replace(kept, path)
                else:
                    os.replace(self.temporary, path)
        for path in old.values():
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _is_of_other(self, flag: _Flag, identifier: str) -> bool:
        """Tell whether a flag is a link that leads to another results file, which is there."""
        if flag.link is None:
            return False
        owner = results_file_of(os.path.normpath(os.path.join(self.folder, flag.link)), identifier)
        return owner not in (None, self._results_file) and os.path.exists(owner)

    def _link(self, status: str) -> str | None:
        """Return where the flag of a status is to lead; None where it is to be a plain file."""
        if self._prefix is None or self.folder in _without_links:
            return None
        return f"{self._prefix}/{status}"

    def _make(self, status: str) -> None:
        """Make the flag of a status under its temporary name."""
        if not self._is_made:
            os.makedirs(self.folder, exist_ok=True)
            self._is_made = True
        link = self._link(status)
        if self._status_folder is None or link is None:
            self._make_plain(status)
            return
        try:
            self._status_folder.put(status)
            os.symlink(link, self.temporary)
        except OSError as error:
            self._make_plain(status)
            _without_links.add(self.folder)
            _warn(self.folder, error)

    def _make_plain(self, status: str) -> None:
        file = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.write(file, status.encode())
        finally:
            os.close(file)


def _flag(path: str) -> _Flag | None:
    try:
        return _Flag(os.readlink(path))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        if error.errno != errno.EINVAL:
            raise
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return _Flag(None, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _warn(folder: str, error: OSError) -> None:
    message = (
        "%s: status flags cannot be links there (%s); plain files do not tell whose they are, so "
        "give each results file a flag folder of its own"
    )
    logger().warning(message, folder, error.strerror)
