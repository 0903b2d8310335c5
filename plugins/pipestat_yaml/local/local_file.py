"""A local file that is read without a lock and replaced under one (spec/writers.md).

The lock is on a file of its own beside the target, `.{name}.lock`, which is never deleted;
the kernel releases it when its holder dies. New content is written to `.{name}.tmp`, synced
and renamed over the target, so that readers see the old or the new file and nothing else.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.errors import (
    PipestatDataError,
    PipestatError,
    PipestatStartupError,
    UnsafeStoreError,
)
from pipestat_spec.logs import logger
from pipestat_spec.mounts import check_locks, unlockable, warn_unsafe
from pipestat_spec.text.unreadable import system_reason

if TYPE_CHECKING:
    from io import FileIO

__all__ = ["FileLock", "LockedFile", "mapped_errors", "read_file"]

# Seconds of waiting for the lock after which a warning says so.
WARN_AFTER = 5.0
# A process that may only read the results can hold their lock: for so long without any change.
GIVE_UP_AFTER = 300.0
_JOINED_BEYOND = 16
_PIECE = 1 << 20
_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}
# The path is wrong, or somebody else's; anything else may pass.
_UNUSABLE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ELOOP,
    errno.ENAMETOOLONG, errno.EEXIST,
}  # fmt: skip


@contextmanager
def mapped_errors(path: str, hint: str | None = None) -> Iterator[None]:
    """Turn the system's errors into ours; the one place that does.

    `hint` says what is stored by now; without it nothing is.
    """
    try:
        yield
    except OSError as error:
        raise _mapped(path, error, hint) from error


def _mapped(path: str, error: OSError, hint: str | None) -> PipestatError:
    reason = system_reason(error)
    if error.errno not in _UNUSABLE:
        return PipestatDataError(f"{path}: {reason}", hint=hint or "nothing was stored", file=path)
    what = error.filename if isinstance(error.filename, str) else path
    detail = "" if what == path else f" ({what})"
    return PipestatStartupError(
        f"{path} cannot be used: {reason}{detail}",
        hint=hint or "give the path of a file that may be written",
        file=path,
    )


def read_file(path: str, known: bytes | None = None) -> bytes | None:
    """Return the content, or None when there is no file; takes no lock.

    Where `known` is the content it is returned, so that nobody holds the same bytes twice.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            return known if known and _holds(file, known) else file.readall()
    except FileNotFoundError:
        return None


def _holds(file: FileIO, known: bytes) -> bool:
    """Tell whether a file holds these bytes; if not, it stands at its beginning."""
    if os.fstat(file.fileno()).st_size != len(known):
        return False
    at = 0
    while (piece := file.read(_PIECE)) and piece == known[at : at + len(piece)]:
        at += len(piece)
    if piece or at != len(known):
        file.seek(0)
        return False
    return True


class FileLock:
    """The lock of one file by path; raises OSError, which `mapped_errors` translates."""

    def __init__(self, path: str, *, unsafe: bool = False) -> None:
        self._path = path
        self._unsafe = unsafe
        self._warned = False

    @contextmanager
    def held(self) -> Iterator[LockedFile]:
        """Hold the lock, with nothing left over from a writer that died."""
        target = os.path.realpath(self._path)
        folder, name = os.path.split(target)
        if not self._unsafe:
            check_locks(folder, "flock")
        os.makedirs(folder, exist_ok=True)
        descriptor = self._acquire(os.path.join(folder, f".{name}.lock"))
        try:
            temporary = os.path.join(folder, f".{name}.tmp")
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            yield LockedFile(self._path, target, temporary)
        finally:
            _release(descriptor)

    def _acquire(self, path: str) -> int:
        while True:
            descriptor = _open_lock(path)
            try:
                self._wait(descriptor, path)
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                        return descriptor
            except BaseException:
                _release(descriptor)
                raise
            # Somebody deleted the lock file: those who come now lock another one.
            _release(descriptor)

    def _wait(self, descriptor: int, lock: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _Turn(descriptor).wait(self._path, lock)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            fault = unlockable(os.path.dirname(lock))
            if not self._unsafe:
                raise fault from error
            if not self._warned:
                self._warned = True
                warn_unsafe(fault.message)


class LockedFile(NamedTuple):
    """The file that `path` leads to, `target`, while its lock is held."""

    path: str
    target: str
    temporary: str

    def replace(self, chunks: Sequence[bytes | memoryview]) -> None:
        """Put the chunks in place of the content."""
        try:
            old: os.stat_result | None = os.stat(self.target)
        except FileNotFoundError:
            old = None
        if old is not None and not os.access(self.target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.path)
        try:
            _write(self.temporary, chunks, old)
            os.replace(self.temporary, self.target)
        except BaseException:
            with suppress(OSError):
                os.unlink(self.temporary)
            raise
        with mapped_errors(self.path, "the change may have been stored; read it before you repeat"):
            _sync_folder(os.path.dirname(self.target))


def _open_lock(path: str) -> int:
    # A link in its place would make us create a file where somebody else wants one.
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError:
        # Made by another user: reading suffices to lock it.
        with suppress(OSError):
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        raise
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise UnsafeStoreError(
            f"{path} is a symbolic link, not the lock file of these results",
            hint="remove the link; whoever made it may have meant harm",
        ) from error


def _release(descriptor: int) -> None:
    # Not by closing alone: a child process may have inherited the descriptor.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


class _Turn:
    """Waits for a lock among others, whom the system lets in one after the other.

    The waiting is done by a thread of its own, since a wait for a lock has no end.
    """

    def __init__(self, descriptor: int) -> None:
        import threading

        self._descriptor = os.dup(descriptor)
        self._ended = threading.Event()
        self._mutex = threading.Lock()
        self._given_up = False
        self._error: OSError | None = None
        threading.Thread(target=self._lock, daemon=True).start()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        with self._mutex:
            if self._given_up and self._error is None:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._ended.set()

    def wait(self, path: str, lock: str) -> None:
        """Return with the lock, as long as the others that hold it get on with their work.

        Raises PipestatStartupError when the file stays the same for GIVE_UP_AFTER seconds.
        """
        began = moved = time.monotonic()
        seen = _version(path)
        warned = False
        try:
            while not self._ended.wait(min(WARN_AFTER, GIVE_UP_AFTER) / 5):
                now = time.monotonic()
                if not warned and now - began >= WARN_AFTER:
                    warned = True
                    _warn_waiting(path)
                if (version := _version(path)) != seen:
                    seen, moved = version, now
                elif now - moved >= GIVE_UP_AFTER:
                    raise _held_for_ever(path, lock)
        except BaseException:
            with self._mutex:
                self._given_up = True
            raise
        if self._error is not None:
            raise self._error


def _version(path: str) -> tuple[int, int] | None:
    """Return what changes with each replacement of the file."""
    with suppress(OSError):
        found = os.stat(path)
        return found.st_ino, found.st_mtime_ns
    return None


def _warn_waiting(path: str) -> None:
    logger().warning("waiting for another process that writes %s", path)


def _held_for_ever(path: str, lock: str) -> PipestatStartupError:
    return PipestatStartupError(
        f"{lock} is held by {_holder(lock)}, which wrote nothing to {path} "
        f"for {GIVE_UP_AFTER:.0f} seconds",
        hint="stop it, and repeat; nothing was stored",
        file=path,
    )


def _holder(lock: str) -> str:
    """Name the process that holds a lock file, where the system tells it."""
    found = os.stat(lock)
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with suppress(OSError, ValueError), open("/proc/locks", encoding="ascii") as locks:
        for line in locks:
            # `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`; one that waits has an arrow.
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5] == place and int(fields[4]) > 0:
                return f"process {fields[4]}"
    return "another process"


def _write(path: str, chunks: Sequence[bytes | memoryview], like: os.stat_result | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if like is not None:
            _adopt(descriptor, like)
        for chunk in [b"".join(chunks)] if len(chunks) > _JOINED_BEYOND else chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _adopt(descriptor: int, like: os.stat_result) -> None:
    """Give the new file the owner, group and mode of the old one, as far as we may."""
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(descriptor, like.st_uid, like.st_gid)
        except PermissionError:
            with suppress(PermissionError):
                os.fchown(descriptor, -1, like.st_gid)
    os.fchmod(descriptor, like.st_mode & 0o7777)


def _sync_folder(folder: str) -> None:
    """Make a rename in the folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
