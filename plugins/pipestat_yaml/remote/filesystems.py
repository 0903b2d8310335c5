"""Objects in the file systems of fsspec: in its memory on condition, elsewhere without one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from threading import RLock
from typing import Any

from pipestat_spec.text.strings import shown_address
from pipestat_yaml.remote.faults import Missing, found, mapped
from pipestat_yaml.remote.object_store import (
    Condition,
    ConditionFailed,
    Listed,
    ObjectStore,
    StoredObject,
)

__all__ = ["FilesystemObjects", "MemoryObjects"]

# Options of a web server's file system: as for S3, seconds are better few than unlimited.
_WEB_SECONDS = 60
_LOCK = RLock()


class FilesystemObjects(ObjectStore):
    """The files below a URL; keys are paths as the file system has them.

    `key` is the path that the URL names.
    """

    def __init__(self, url: str, options: Mapping[str, Any], *, web: bool = False) -> None:
        options = dict(options)
        if web:
            options = {"client_kwargs": {"timeout": _timeout()}, **options}
        with found(shown_address(url)):
            from fsspec.core import url_to_fs

            # Not cached: neither the file system nor its lists of files.
            fresh = {"skip_instance_cache": True, "use_listings_cache": False}
            chained = "::" in url
            self._fs: Any
            self._fs, self.key = url_to_fs(url, **({} if chained else fresh), **options)
        self._prefix = _prefix(shown_address(url), self.key)

    def shown(self, key: str) -> str:
        return shown_address(key if "://" in key else f"{self._prefix}{key}")

    def get(self, key: str) -> StoredObject | None:
        try:
            with mapped(self.shown(key)):
                data = self._fs.cat_file(key)
        except Missing:
            return None
        return StoredObject(bytes(data), None, {})

    def put(self, key: str, data: bytes, when: Condition, metadata: Mapping[str, str]) -> None:  # noqa: ARG002
        with found(self.shown(key)):
            with suppress(Exception):
                self._fs.makedirs(self._fs._parent(key), exist_ok=True)
            self._fs.pipe_file(key, data)

    def delete(self, key: str) -> None:
        with suppress(Missing), mapped(self.shown(key)):
            self._fs.rm_file(key)

    def find(self, prefix: str) -> list[Listed]:
        folder = prefix.rpartition("/")[0]
        try:
            with mapped(self.shown(prefix)):
                self._fs.invalidate_cache()
                entries = self._fs.find(folder, detail=True)
        except Missing:
            return []
        return [
            Listed(key, entry.get("size"))
            for key, entry in entries.items()
            if key.startswith(prefix)
        ]

    def close(self) -> None:
        """Keep the file system: fsspec closes its connections when it is dropped."""


def _timeout() -> Any:
    with found("http://"):
        from aiohttp import ClientTimeout

        return ClientTimeout(total=None, sock_connect=5, sock_read=_WEB_SECONDS)


def _prefix(url: str, key: str) -> str:
    """Return what comes before a key in the URLs of messages."""
    end = key.lstrip("/")
    return url[: -len(end)] if end and url.endswith(end) else url.partition("://")[0] + "://"


class MemoryObjects(ObjectStore):
    """Those of `memory://`: all threads of one process see them, and no other process does."""

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
