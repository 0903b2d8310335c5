"""Which runs of a folder are over, though they could not say so.

Each run keeps a file `.snakemake/pipestat/RUN.json` with the records that it is about, and
holds a lock on it that the kernel releases when the process ends, however it ends. A file
whose lock is free was left by a run that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipestat_spec.models.record import LEVELS, RecordKey
from snakemake_logger_plugin_pipestat.spawned import errors_folder

__all__ = ["LeftRun", "RunFile"]


@dataclass(frozen=True, slots=True)
class LeftRun:
    """A run that was killed, and the records that it was about."""

    run: str
    keys: tuple[RecordKey, ...]
    file: Path

    def forget(self) -> None:
        """Remove what the run left in the folder."""
        _remove(self.file)


class RunFile:
    """The file of this run, in the folder that Snakemake works in.

    Where a file cannot be locked there is none, and nothing is mended.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.run = run
        self._folder = folder / ".snakemake" / "pipestat"
        self._path = self._folder / f"{run}.json"
        self._file: int | None = None
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / f"{run}.new"
        file = os.open(new, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            # Locked before it has its name, so that nobody finds it free.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            new.unlink()
        else:
            os.replace(new, self._path)
            self._file = file

    def keep(self, keys: Iterable[RecordKey]) -> None:
        """Write down the records that this run is about."""
        if self._file is not None:
            content = json.dumps({"run": self.run, "records": list(keys)}).encode()
            os.pwrite(self._file, content, 0)
            os.ftruncate(self._file, len(content))
            os.fsync(self._file)

    def left(self) -> Iterator[LeftRun]:
        """Yield the runs that were killed in this folder."""
        for path in sorted(self._folder.glob("*.json")):
            if path == self._path or not _is_free(path):
                continue
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                content = json.loads(path.read_bytes() or "{}")
                keys = tuple(RecordKey(level, name) for level, name in content["records"])
                if all(key.level in LEVELS for key in keys):
                    yield LeftRun(content["run"], keys, path)
                    continue
            # Killed before it had written down what it was about: it has changed no record.
            _remove(path)

    def close(self, remove: bool) -> None:
        """Release the lock; the file stays when there is something left to mend."""
        if self._file is not None:
            shutil.rmtree(errors_folder(self.run), ignore_errors=True)
            if remove:
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def _remove(file: Path) -> None:
    shutil.rmtree(file.with_suffix(".errors"), ignore_errors=True)
    file.unlink(missing_ok=True)


def _is_free(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True
