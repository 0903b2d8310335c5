"""The status of a record as a flag file (spec/writers.md).

The flag `{namespace}_{record}_{status}.flag` is the status; its content is the status too.
It is looked up by its exact name for each defined status, since a pattern for `b` would
also find the flags of `b_x`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from pipestat_spec.text.file_names import cut_component, encode_component
from pipestat_yaml.local.local_file import sync_folder

__all__ = ["Flags", "flag_names", "flag_stem"]

_LONGEST_NAME = 255
# Up to this many flags a look at each costs less than a list of all.
_LOOKED_UP = 16


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


class Flags:
    """The flags of one namespace in one folder.

    Writing needs the lock of the results file. `temporary` is the path that new content is
    written to before it gets a flag's name; the next writer removes what a dead one left.
    """

    def __init__(
        self, folder: str, namespace: str, statuses: Iterable[str], temporary: str
    ) -> None:
        self.folder = folder
        self.temporary = temporary
        self._namespace = encode_component(namespace)
        self._statuses = tuple(statuses)

    def _names(self, identifier: str, *statuses: str) -> dict[str, str]:
        """Return the names of flags by status; without `statuses` of all, in schema order."""
        stem = f"{self._namespace}_{encode_component(identifier)}"
        return flag_names(stem, statuses or self._statuses)

    def read(self, identifier: str) -> tuple[str, int] | None:
        """Return the status and when its flag was written (nanoseconds since 1970)."""
        names = self._names(identifier)
        # A rename may have been under way: none found may mean one missed.
        found = self._found(names) or self._found(names)
        if not found:
            return None
        time, status, _ = max(found, key=lambda item: item[0])
        return status, time

    def _found(self, names: Mapping[str, str]) -> list[tuple[int, str, str]]:
        """Return time, status and path of those that exist."""
        found = []
        for status, name in names.items():
            path = os.path.join(self.folder, name)
            try:
                entry = os.stat(path)
            except FileNotFoundError:
                continue
            found.append((entry.st_mtime_ns, status, path))
        return found

    def listed(self) -> Callable[[str], str | None]:
        """Return a function that gives the status of any record as it was at this moment."""
        # A list can miss a flag that is renamed meanwhile; two lists hardly do.
        earlier, later = self._present(), self._present()

        def status_of(identifier: str) -> str | None:
            names = self._names(identifier)
            for there in (later, earlier):
                hits = [status for status, name in names.items() if name in there]
                if len(hits) > 1:
                    found = self.read(identifier)
                    return found[0] if found else hits[0]
                if hits:
                    return hits[0]
            return None

        return status_of if later or earlier else lambda _: None

    def reader(self, lookups: int) -> Callable[[str], tuple[str, int] | None]:
        """Return `read`, or what is faster for so many lookups while no one else writes."""
        if lookups <= _LOOKED_UP:
            return self.read
        status_of = self.listed()
        return lambda identifier: self.read(identifier) if status_of(identifier) else None

    def _present(self) -> Collection[str]:
        try:
            return {name for name in os.listdir(self.folder) if name.endswith(".flag")}
        except FileNotFoundError:
            return ()

    def check(self, statuses: Mapping[str, str | None]) -> None:
        """Raise OSError when one of the flags would have too long a name."""
        for identifier, status in statuses.items():
            name = "" if status is None else self._names(identifier, status)[status]
            if len(name.encode()) > _LONGEST_NAME:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), name)

    def write_many(self, statuses: Mapping[str, str | None]) -> None:
        """Give each record its status, None for none; the renames last once this returns."""
        if not statuses:
            return
        listed = self._present() if len(statuses) > _LOOKED_UP else None
        try:
            for identifier, status in statuses.items():
                names = self._names(identifier)
                if listed is not None:
                    names = {s: name for s, name in names.items() if name in listed}
                self._write(identifier, status, self._found(names))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(self.temporary)
            with suppress(FileNotFoundError):
                sync_folder(self.folder)

    def _write(
        self, identifier: str, status: str | None, found: list[tuple[int, str, str]]
    ) -> None:
        """Turn the flags found of a record into the one of this status; a rename is the commit."""
        old = [path for _, _, path in sorted(found, key=lambda item: -item[0])]
        if status is not None:
            path = os.path.join(self.folder, self._names(identifier, status)[status])
            self._write_new(status)
            if old and path not in old:
                os.replace(self.temporary, old[0])
                os.replace(old.pop(0), path)
            else:
                os.replace(self.temporary, path)
                old = [other for other in old if other != path]
        for path in old:
            os.unlink(path)

    def _write_new(self, status: str) -> None:
        # The name decides, not the content: it needs no sync of its own.
        try:
            descriptor = self._create()
        except FileNotFoundError:
            os.makedirs(self.folder, exist_ok=True)
            descriptor = self._create()
        try:
            os.write(descriptor, status.encode())
        finally:
            os.close(descriptor)

    def _create(self) -> int:
        return os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
