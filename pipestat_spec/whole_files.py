"""Files and folders that are replaced in one step: whoever reads sees the old or the new one.

The temporary file beside the new one is made exclusively, under a name that nobody can prepare:
a link that waits in a shared folder leads nowhere, and two programs never share one. What a
killed program left is removed by the next that writes into the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["making_folder", "replace_file", "replace_link", "replacing"]

_TEMPORARY = re.compile(r"\.pipestat-[0-9a-f]{16}\.tmp")
# A writer touches its file as it goes; one that rests for so long is dead.
_DEAD_AFTER = 3600.0


def replace_file(path: str | os.PathLike[str], content: bytes, mode: int | None = None) -> None:
    """Write a file, and the folder that it is in; without `mode` an existing file keeps its own.

    Raises OSError, and leaves nothing half-written behind.
    """
    with replacing(path, mode) as file:
        file.write(content)


@contextmanager
def replacing(path: str | os.PathLike[str], mode: int | None = None) -> Iterator[BinaryIO]:
    """Give a new file to write, open for reading too; it takes the place of `path` at the end.

    After an error the old file is there as it was. A device or a pipe is written to directly.
    Raises OSError.
    """
    target = Path(path)
    if _is_written_to(target):
        with target.open("wb") as file:
            yield file
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _unused(target.parent)
    with _named(temporary, target):
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            _remove_dead(target.parent, os.fstat(descriptor).st_mtime)
            yield file
            file.flush()
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, target.stat().st_mode & 0o777 if mode is None else mode)
            os.fsync(descriptor)
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def making_folder(path: str | os.PathLike[str], *, replace: bool = False) -> Iterator[Path]:
    """Give a new folder to fill; at the end it gets the name `path`, with all that is in it.

    After an error nothing of it is there. What is at `path` already is an empty folder, or is
    removed with `replace`. Raises OSError.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = _unused(target.parent)
    with _named(folder, target):
        folder.mkdir()
    try:
        _remove_dead(target.parent, folder.stat().st_mtime)
        yield folder
        for file in folder.rglob("*"):
            if file.is_file():
                with file.open("rb") as stream:
                    os.fsync(stream.fileno())
        if replace and target.exists():
            _exchange(folder, target)
        else:
            folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exchange(folder: Path, target: Path) -> None:
    """Put a folder in the place of another one, and remove that."""
    old = _unused(target.parent)
    target.rename(old)
    try:
        folder.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old)


def replace_link(path: str | os.PathLike[str], text: str) -> None:
    """Put a symbolic link with this text in place of `path`; raises OSError."""
    temporary = _unused(Path(path).parent)
    os.symlink(text, temporary)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


@contextmanager
def _named(temporary: Path, target: Path) -> Iterator[None]:
    """Let an error name what was asked for, not what is beside it for a moment."""
    try:
        yield
    except OSError as error:
        if error.filename == os.fspath(temporary):
            error.filename = os.fspath(target)
        raise


def _unused(folder: Path) -> Path:
    return folder / f".pipestat-{os.urandom(8).hex()}.tmp"


def _is_written_to(target: Path) -> bool:
    """Tell a device or a pipe; a file in its place would be no use to anybody."""
    if target.parent == Path("/dev"):
        return True
    try:
        mode = target.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _remove_dead(folder: Path, now: float) -> None:
    """Remove what killed programs left; `now` is by the clock of the folder's file system."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name):
                with suppress(OSError):
                    if now - _last_written(entry) > _DEAD_AFTER:
                        _remove(entry)


def _last_written(entry: os.DirEntry[str]) -> float:
    """Return when a file, or one of the files in a folder, was written last."""
    times = [entry.stat(follow_symlinks=False).st_mtime]
    if entry.is_dir(follow_symlinks=False):
        times += [path.lstat().st_mtime for path in Path(entry.path).rglob("*")]
    return max(times)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
