"""Flags that repeat the status of a record for other programs (spec/remote.md).

The status is `meta.status` in the object. Flags are written after it, only when
`flag_file_dir` is set, and never read.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeAlias

from pipestat_spec.backend import StoreSettings
from pipestat_yaml.local.flags import STORED, Flags, flag_names, flag_stem
from pipestat_yaml.local.local_file import mapped_errors
from pipestat_yaml.remote.object_store import ANY, ObjectStore
from pipestat_yaml.remote.retries import Retries

__all__ = ["Mirror", "local_mirror", "no_mirror", "object_mirror"]

# Gives each record the flag of its status, None for none.
Mirror: TypeAlias = Callable[[Mapping[str, str | None]], None]


def no_mirror(statuses: Mapping[str, str | None]) -> None:
    """Do nothing."""


def local_mirror(folder: str, settings: StoreSettings) -> Mirror:
    """Return the mirror whose flags are plain files in a local folder."""
    folder = os.path.realpath(folder)

    def mirror(statuses: Mapping[str, str | None]) -> None:
        if not statuses:
            return
        temporary = os.path.join(folder, f".{os.getpid():x}-{os.urandom(4).hex()}.tmp")
        flags = Flags(folder, settings, temporary)
        with mapped_errors(folder, STORED):
            os.makedirs(folder, exist_ok=True)
            with _turn(folder):
                flags.look_ahead(len(statuses))
                flags.mirror(statuses)

    return mirror


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


def object_mirror(
    store: ObjectStore, folder: str, settings: StoreSettings, patience: float
) -> Mirror:
    """Return the mirror whose flags are objects below `folder`, a key that ends in a slash."""

    def mirror(statuses: Mapping[str, str | None]) -> None:
        for identifier, status in statuses.items():
            with Retries(store.shown(folder), patience) as retries:
                write(retries, identifier, status)

    def write(retries: Retries, identifier: str, status: str | None) -> None:
        stem = flag_stem(settings.namespace, identifier)
        names = flag_names(stem, settings.statuses.identifiers)
        if status is not None:
            flag = folder + names.pop(status)
            retries.reading(lambda: store.put(flag, status.encode(), ANY, {}))
        there = retries.reading(lambda: store.find(folder + stem))
        old = {folder + name for name in names.values()}
        for key in {item.key for item in there} & old:
            retries.reading(lambda key=key: store.delete(key))  # type: ignore[misc]

    return mirror
