"""Objects of any file system that fsspec knows: read, and written without any condition."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipestat_yaml.remote.faults import Missing, found, mapped
from pipestat_yaml.remote.objects import Condition, Listed, ObjectStore, StoredObject
from pipestat_yaml.remote.urls import shown

__all__ = ["FilesystemObjects"]

# Options of a web server's file system: as for S3, seconds are better few than unlimited.
_WEB_SECONDS = 60


class FilesystemObjects(ObjectStore):
    """The files below a URL; keys are paths as the file system has them.

    `key` is the path that the URL names.
    """

    def __init__(self, url: str, options: Mapping[str, Any], *, web: bool = False) -> None:
        options = dict(options)
        if web:
            options = {"client_kwargs": {"timeout": _timeout()}, **options}
        with found(shown(url)):
            from fsspec.core import url_to_fs

            # Not cached: neither the file system nor its lists of files.
            fresh = {"skip_instance_cache": True, "use_listings_cache": False}
            chained = "::" in url
            self._fs: Any
            self._fs, self.key = url_to_fs(url, **({} if chained else fresh), **options)
        self._prefix = _prefix(shown(url), self.key)

    def shown(self, key: str) -> str:
        return shown(key if "://" in key else f"{self._prefix}{key}")

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
