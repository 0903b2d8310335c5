"""Files that are replaced in one step: whoever reads meanwhile sees the old or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["replace_file", "replacing"]


def replace_file(path: str | os.PathLike[str], content: bytes, mode: int | None = None) -> None:
    """Write a file, and the folder that it is in; without `mode` an existing file keeps its own.

    Raises OSError, and leaves nothing half-written behind.
    """
    with replacing(path, mode) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: str | os.PathLike[str], mode: int | None = None) -> Iterator[Path]:
    """Give the path of a temporary file to write; it takes the place of `path` at the end.

    After an error the old file is there as it was. Raises OSError.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode & 0o777 if mode is None else mode)
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
