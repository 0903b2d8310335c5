"""The status of a record as a flag file (SPEC.md section 7.7).

The flag `{namespace}_{record}_{status}.flag` is the status; its content is the status too.
It is looked up by its exact name for each defined status, since a pattern for `b` would
also find the flags of `b_x`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from pipestat_spec.text.file_names import cut_component, encode_component

__all__ = ["Flags", "flag_name"]

_LONGEST_NAME = 255
# Up to this many flags a look at each costs less than a list of all.
_LOOKED_UP = 16


def flag_name(namespace: str, identifier: str, status: str) -> str:
    """Return the file name of a flag."""
    return _name(f"{encode_component(namespace)}_{encode_component(identifier)}", status)


def _name(stem: str, status: str) -> str:
    ending = f"_{status}.flag"
    if (len(stem) + len(ending)) * 4 > _LONGEST_NAME and (
        len(stem.encode()) + len(ending.encode()) > _LONGEST_NAME
    ):
        stem = cut_component(stem, stem)
    return stem + ending


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

    def _stem(self, identifier: str) -> str:
        return f"{self._namespace}_{encode_component(identifier)}"

    def _named(self, identifier: str) -> list[tuple[str, str]]:
        """Return each status with the name of its flag, in the order of the status schema."""
        stem = self._stem(identifier)
        return [(status, _name(stem, status)) for status in self._statuses]

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def read(self, identifier: str) -> tuple[str, int] | None:
        """Return the status and when its flag was written (nanoseconds since 1970)."""
        named = self._named(identifier)
        # A rename may have been under way: none found may mean one missed.
        found = self._found(named) or self._found(named)
        if not found:
            return None
        time, status, _ = max(found, key=lambda item: item[0])
        return status, time

    def _found(self, named: Iterable[tuple[str, str]]) -> list[tuple[int, str, str]]:
        """Return time, status and path of those that exist."""
        found = []
        for status, name in named:
            path = self._path(name)
            try:
                entry = os.stat(path)
            except FileNotFoundError:
                continue
            found.append((entry.st_mtime_ns, status, path))
        return found

    def listed(self) -> Callable[[str], str | None]:
        """Return a function that gives the status of any record as it was at this moment."""
        # A list can miss a flag that is renamed meanwhile; two lists hardly do.
        earlier, later = self._names(), self._names()

        def status_of(identifier: str) -> str | None:
            named = self._named(identifier)
            for seen in (later, earlier):
                hits = [status for status, name in named if name in seen]
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

    def _names(self) -> frozenset[str]:
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return frozenset()
        return frozenset(name for name in names if name.endswith(".flag"))

    def check(self, statuses: Mapping[str, str | None]) -> None:
        """Raise OSError when one of the flags would have too long a name."""
        for identifier, status in statuses.items():
            name = _name(self._stem(identifier), status or "")
            if len(name.encode()) > _LONGEST_NAME:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), name)

    def write_many(self, statuses: Mapping[str, str | None]) -> None:
        """Give each record its status, None for none; the renames last once this returns."""
        if not statuses:
            return
        listed = self._names() if len(statuses) > _LOOKED_UP else None
        try:
            for identifier, status in statuses.items():
                named = self._named(identifier)
                old = self._found(item for item in named if listed is None or item[1] in listed)
                self._write(identifier, status, old)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(self.temporary)
            self._sync()

    def _write(
        self, identifier: str, status: str | None, found: list[tuple[int, str, str]]
    ) -> None:
        """Turn the flags found of a record into the one of this status; a rename is the commit."""
        old = [path for _, _, path in sorted(found, key=lambda item: -item[0])]
        if status is not None:
            path = self._path(_name(self._stem(identifier), status))
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

    def _sync(self) -> None:
        try:
            descriptor = os.open(self.folder, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
