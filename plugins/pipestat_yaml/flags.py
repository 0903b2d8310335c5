"""The status of a record as a flag file (SPEC.md section 11).

The flag `{namespace}_{record}_{status}.flag` is the status; its content is the status too.
It is looked up by its exact name for each defined status, since a pattern for `b` would
also find the flags of `b_x`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

__all__ = ["Flags", "encode_component", "flag_name"]

_LONGEST_COMPONENT = 200
_LONGEST_NAME = 255
_ENCODED = frozenset('/\\%:*?"<>|')


def encode_component(identifier: str) -> str:
    """Return an identifier as part of a file name: escaped, and cut when it is long."""
    encoded = "".join(
        _percent(character)
        if character in _ENCODED or character < " " or "\x7f" <= character <= "\x9f"
        else character
        for character in identifier
    )
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    return _cut(encoded, identifier)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _cut(text: str, hashed: str) -> str:
    """Return at most 200 bytes: the text, or its beginning and a hash of `hashed`."""
    data = text.encode()
    if len(data) <= _LONGEST_COMPONENT:
        return text
    from hashlib import sha256

    digest = sha256(hashed.encode()).hexdigest()[:16]
    kept = data[: _LONGEST_COMPONENT - len(digest) - 1].decode(errors="ignore")
    return f"{kept}~{digest}"


def flag_name(namespace: str, identifier: str, status: str) -> str:
    """Return the file name of a flag, at most 255 bytes."""
    stem = f"{encode_component(namespace)}_{encode_component(identifier)}"
    ending = f"_{status}.flag"
    if len(stem.encode()) + len(ending.encode()) > _LONGEST_NAME:
        stem = _cut(stem, stem)
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
        self._namespace = namespace
        self._statuses = tuple(statuses)
        self.temporary = temporary

    def _path(self, identifier: str, status: str) -> str:
        return os.path.join(self.folder, flag_name(self._namespace, identifier, status))

    def read(self, identifier: str) -> tuple[str, float] | None:
        """Return the status and when its flag was written (seconds since 1970)."""
        # A rename may have been under way: none found may mean one missed.
        found = self._found(identifier) or self._found(identifier)
        if not found:
            return None
        time, status = max(found, key=lambda item: item[0])
        return status, time

    def _found(self, identifier: str) -> list[tuple[float, str]]:
        found = []
        for status in self._statuses:
            try:
                entry = os.stat(self._path(identifier, status))
            except FileNotFoundError:
                continue
            found.append((entry.st_mtime, status))
        return found

    def listed(self) -> Callable[[str], str | None]:
        """Return a function that gives the status of any record as it was at this moment."""
        # A list can miss a flag that is renamed meanwhile; two lists hardly do.
        earlier, later = self._names(), self._names()

        def status_of(identifier: str) -> str | None:
            names = [flag_name(self._namespace, identifier, s) for s in self._statuses]
            for seen in (later, earlier):
                hits = [s for s, name in zip(self._statuses, names, strict=True) if name in seen]
                if len(hits) > 1:
                    found = self.read(identifier)
                    return found[0] if found else hits[0]
                if hits:
                    return hits[0]
            return None

        return status_of if later or earlier else lambda _: None

    def _names(self) -> frozenset[str]:
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return frozenset()
        return frozenset(name for name in names if name.endswith(".flag"))

    def write(self, identifier: str, status: str | None) -> None:
        """Make `status` the status, None for none; a rename is the commit."""
        old = [path for _, path in sorted(self._present(identifier), reverse=True)]
        if status is not None:
            path = self._path(identifier, status)
            self._write_new(status)
            if old and path not in old:
                os.replace(self.temporary, old[0])
                os.replace(old.pop(0), path)
            else:
                os.replace(self.temporary, path)
                old = [other for other in old if other != path]
        for path in old:
            os.unlink(path)
        self._sync()

    def _present(self, identifier: str) -> list[tuple[float, str]]:
        return [(time, self._path(identifier, s)) for time, s in self._found(identifier)]

    def _write_new(self, status: str) -> None:
        os.makedirs(self.folder, exist_ok=True)
        descriptor = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.write(descriptor, status.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sync(self) -> None:
        try:
            descriptor = os.open(self.folder, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
