"""The folder that our flags lead to (spec/writers.md).

`.{results file}.status` lies beside a results file and holds a file for each status, with the
status in it. So a flag that is a link into it names its results file, and whoever reads the flag
reads the status.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from pipestat_spec.text.file_names import PLACEHOLDER, expand_record_path

__all__ = ["StatusFolder", "results_file_of"]

_IN_PLACE = os.O_NOFOLLOW | os.O_NONBLOCK
_NOT_OURS = {errno.ELOOP, errno.ENOENT}


class StatusFolder:
    """The folder of one results path; of one with a placeholder, in the part before it."""

    def __init__(self, path: str) -> None:
        fixed, placeholder, rest = path.partition(PLACEHOLDER)
        folder, name = os.path.split(fixed)
        name = (name + placeholder + rest).replace("%", "%25").replace("/", "%2F")
        self._path = os.path.join(os.path.realpath(folder), f".{name}.status")
        self._there: set[str] = set()

    def seen_from(self, folder: str) -> str:
        """Return the relative path of this folder from another one."""
        return os.path.relpath(self._path, folder)

    def put(self, status: str) -> None:
        """Have the file of a status; raises OSError where the folder is no folder of its own."""
        if status in self._there:
            return
        with suppress(FileExistsError):
            os.mkdir(self._path)
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if not _holds(folder, status):
                _write(folder, status)
        finally:
            os.close(folder)
        self._there.add(status)


def _holds(folder: int, status: str) -> bool:
    try:
        file = os.open(status, os.O_RDONLY | _IN_PLACE, dir_fd=folder)
    except OSError as error:
        if error.errno in _NOT_OURS:
            return False
        raise
    try:
        return os.read(file, 1024) == status.encode()
    finally:
        os.close(file)


def _write(folder: int, status: str) -> None:
    # Writers of other records may do the same at this moment.
    temporary = f".{os.urandom(8).hex()}.tmp"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
    try:
        os.write(file, status.encode())
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(temporary, status, src_dir_fd=folder, dst_dir_fd=folder)


def results_file_of(target: str, identifier: str) -> str | None:
    """Return the results file of a record whose flag leads to `target`; None for another link."""
    place, name = os.path.split(os.path.dirname(target))
    if not name.startswith(".") or not name.endswith(".status"):
        return None
    path = name[1 : -len(".status")].replace("%2F", "/").replace("%25", "%")
    return os.path.realpath(os.path.join(place, expand_record_path(path, identifier)))
