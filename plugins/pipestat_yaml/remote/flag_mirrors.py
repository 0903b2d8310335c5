"""Flags that repeat the status of a record for other programs (spec/writers.md).

The status is `meta.status` in the object. Flags are written after it, only when
`flag_file_dir` is set, and never read.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pipestat_spec.backend import StoreSettings
from pipestat_yaml.local.flags import Flags, flag_names, flag_stem
from pipestat_yaml.local.local_file import mapped_errors
from pipestat_yaml.remote.object_store import ANY, ObjectStore
from pipestat_yaml.remote.retries import Retries

__all__ = ["LocalMirror", "Mirror", "NoMirror", "ObjectMirror"]

_STORED = "the results and the status are stored, the flag may not be"


class Mirror(ABC):
    """Repeats statuses as flags."""

    @abstractmethod
    def write(self, statuses: Mapping[str, str | None]) -> None:
        """Give each record the flag of its status, None for none."""


class NoMirror(Mirror):
    def write(self, statuses: Mapping[str, str | None]) -> None:
        """Do nothing."""


class LocalMirror(Mirror):
    """Flags in a local folder."""

    def __init__(self, folder: str, settings: StoreSettings) -> None:
        self._folder = os.path.realpath(folder)
        self._settings = settings

    def write(self, statuses: Mapping[str, str | None]) -> None:
        if not statuses:
            return
        temporary = os.path.join(self._folder, f".{os.getpid():x}-{secrets.token_hex(4)}.tmp")
        settings = self._settings
        flags = Flags(self._folder, settings.namespace, settings.statuses.identifiers, temporary)
        with mapped_errors(self._folder, _STORED):
            os.makedirs(self._folder, exist_ok=True)
            with _turn(self._folder):
                flags.write_many(statuses)


@contextmanager
def _turn(folder: str) -> Iterator[None]:
    """Let the processes of this machine write the flags of a folder in turn."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Not every file system locks folders; these flags are no more than a copy.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class ObjectMirror(Mirror):
    """Flags as objects below `folder`, a key that ends in a slash."""

    def __init__(
        self, store: ObjectStore, folder: str, settings: StoreSettings, patience: float
    ) -> None:
        self._store = store
        self._folder = folder
        self._namespace = settings.namespace
        self._statuses = settings.statuses.identifiers
        self._patience = patience

    def write(self, statuses: Mapping[str, str | None]) -> None:
        for identifier, status in statuses.items():
            with Retries(self._store.shown(self._folder), self._patience) as retries:
                self._write(retries, identifier, status)

    def _write(self, retries: Retries, identifier: str, status: str | None) -> None:
        store, stem = self._store, flag_stem(self._namespace, identifier)
        names = flag_names(stem, self._statuses)
        if status is not None:
            flag = self._folder + names.pop(status)
            retries.reading(lambda: store.put(flag, status.encode(), ANY, {}))
        there = retries.reading(lambda: store.find(self._folder + stem))
        old = {self._folder + name for name in names.values()}
        for key in {item.key for item in there} & old:
            retries.reading(lambda key=key: store.delete(key))  # type: ignore[misc]
