"""Objects in the memory of this process, where fsspec keeps those of `memory://`."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import Any

from pipestat_yaml.remote.faults import mapped
from pipestat_yaml.remote.objects import (
    Condition,
    ConditionFailed,
    Listed,
    ObjectStore,
    StoredObject,
)

__all__ = ["MemoryObjects"]

_LOCK = RLock()


class MemoryObjects(ObjectStore):
    """All threads of one process see the same objects, and no other process does."""

    conditional = True

    def __init__(self) -> None:
        with mapped("memory://"):
            from fsspec.implementations.memory import MemoryFileSystem

            self._fs: Any = MemoryFileSystem()

    def shown(self, key: str) -> str:
        return f"memory:/{key}"

    def get(self, key: str) -> StoredObject | None:
        with _LOCK, mapped(self.shown(key)):
            data = self._read(key)
        return None if data is None else StoredObject(data, _version(data), {})

    def _read(self, key: str) -> bytes | None:
        file = self._fs.store.get(key)
        return None if file is None else bytes(file.getvalue())

    def put(self, key: str, data: bytes, when: Condition, metadata: Mapping[str, str]) -> None:  # noqa: ARG002
        with _LOCK, mapped(self.shown(key)):
            present = self._read(key)
            version = None if present is None else _version(present)
            if when.kind != "any" and version != when.version:
                raise ConditionFailed
            self._fs.pipe_file(key, data)

    def delete(self, key: str) -> None:
        with _LOCK, mapped(self.shown(key)):
            self._fs.store.pop(key, None)

    def find(self, prefix: str) -> list[Listed]:
        with _LOCK:
            store = self._fs.store
            return [Listed(k, len(store[k].getvalue())) for k in store if k.startswith(prefix)]

    def is_trusted(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is held between calls."""


def _version(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()
