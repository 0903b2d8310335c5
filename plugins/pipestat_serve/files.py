"""The files that records report: which of them may be read, and reading one.

A request names a record, a result and what leads to the file inside it, never a path.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from pipestat_report.links import Place, locate
from pipestat_report.media import Media, find_media
from starlette.responses import FileResponse, Response

from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.models.record import Level, Record, RecordKey
from pipestat_spec.store import Store
from pipestat_spec.tables import column_kind

__all__ = ["ServedLinks", "file_response", "files_of"]

# What a browser shows by itself; everything else is saved.
_INLINE = frozenset(
    "image/png image/jpeg image/gif image/webp image/avif image/bmp image/svg+xml "
    "application/pdf text/plain".split()
)
# A file is somebody else's text: it runs nothing and knows nothing of this server.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"


class ServedLinks:
    """Makes links to the files that are inside the allowed folders."""

    def __init__(self, folders: Sequence[str], base: str) -> None:
        """Make it for one store; links are relative to `base`."""
        self._folders, self._base = folders, base

    def link(self, file: str, place: Place) -> str | None:
        if self.allowed(file) is None:
            return None
        query = [("level", place.level), ("record_identifier", place.identifier)]
        query += [("result", place.result), *(("key", str(key)) for key in place.keys)]
        return f"{self._base}file?{urlencode(query, quote_via=quote)}"

    def allowed(self, file: str) -> str | None:
        """Return the real path of a file that may be read, None for any other."""
        try:
            real = os.path.realpath(file, strict=True)
        except (OSError, ValueError):
            return None
        inside = any(os.path.commonpath((real, folder)) == folder for folder in self._folders)
        return real if inside and os.path.isfile(real) else None


def files_of(store: Store, record: Record, links: ServedLinks) -> Iterator[tuple[str, Media, str]]:
    """Yield each file of a record: the result, what is known of it, and the path as reported."""
    level = store.schema.levels.get(record.key.level) if store.schema else None
    folder = store.record_folder(record.key.identifier)
    for name, value in record.results.items():
        declared = level.results.get(name) if level else None
        kind = column_kind(declared.schema if declared else None, (value,))
        place = Place(record.key.level, record.key.identifier, name)
        for media in find_media(value, kind, folder, links, place):
            yield name, media, _inside(value, media.keys)["path"]


def file_response(
    store: Store,
    level: Level,
    identifier: str,
    result: str,
    keys: Sequence[str],
    links: ServedLinks,
) -> Response:
    """Return the content of a file that a record reports.

    Raises RecordNotFoundError when the record reports none there, or when it may not be read.
    """
    record = store.get(RecordKey(level, identifier))
    found = _inside(record.results.get(result), keys)
    path = found.get("path") if isinstance(found, dict) else None
    if not isinstance(path, str):
        raise RecordNotFoundError(f"record {identifier!r} reports no file there")
    file = locate(path, store.record_folder(identifier)).file
    real = links.allowed(file) if file else None
    if real is None:
        raise RecordNotFoundError(
            f"the file of result {result!r} is not served",
            hint="it is not there, or not in a folder given by --files",
        )
    kind = mimetypes.guess_type(real)[0] or "application/octet-stream"
    way = "inline" if kind in _INLINE else "attachment"
    return FileResponse(
        real,
        media_type=kind,
        filename=os.path.basename(real),
        content_disposition_type=way,
        headers={"content-security-policy": _POLICY},
    )


def _inside(value: Any, keys: Sequence[str | int]) -> Any:
    """Return what keys lead to; None where there is nothing."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(str(key))
        elif isinstance(value, list) and str(key).isascii() and str(key).isdigit():
            number = int(str(key)[:9])
            value = value[number] if number < len(value) else None
        else:
            return None
    return value
