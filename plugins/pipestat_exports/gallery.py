"""The images of records as HTML, with the pictures in it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from pipestat_spec.linking import local_file
from pipestat_spec.logs import logger

if TYPE_CHECKING:
    from pipestat_exports.places import FoundFile, Places
    from pipestat_spec.json_values import JSONValue
    from pipestat_spec.models.record import Record
    from pipestat_spec.plugins.hookspecs import Source

__all__ = ["Gallery"]

# What browsers show, and as what.
_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
# Larger pictures give way to their thumbnail; so much of pictures is in one report.
_LARGE, _MOST = 1_000_000, 50_000_000
_FIGURE = (
    '<figure style="margin:0;width:22em"><img style="max-width:100%" alt="{title}" '
    'src="data:{type};base64,{data}"><figcaption>{record}: {title}</figcaption></figure>'
)
_FIGURES = '<div style="display:flex;flex-wrap:wrap;gap:1.5em">{}</div>'


class Gallery:
    """Collects the images of one level, by result."""

    def __init__(self, source: Source, places: Places) -> None:
        self._source = source
        self._places = places
        self._figures: dict[str, list[str]] = {}
        self._left_out: dict[str, int] = {}
        self._size = 0

    def add(self, record: Record) -> None:
        """Take the images of a record."""
        folder = self._source.record_folder(record.key.identifier)
        for result, value in record.results.items():
            for found in self._places.files(result, value):
                if found.kind == "image":
                    self._add(record.key.identifier, result, found, folder)

    def _add(self, identifier: str, result: str, found: FoundFile, folder: str) -> None:
        figures = self._figures.setdefault(result, [])
        file = _shown(found.value, folder)
        size = file.stat().st_size if file else 0
        if file is None or self._size + size > _MOST:
            self._left_out[result] = self._left_out.get(result, 0) + 1
            logger().warning("%s of %s is not shown: %s", result, identifier, found.path)
            return
        self._size += size
        title = found.value.get("title")
        figures.append(
            _FIGURE.format(
                title=escape(title if isinstance(title, str) else result),
                type=_TYPES[file.suffix.lower()],
                data=b64encode(file.read_bytes()).decode(),
                record=escape(identifier),
            )
        )

    def sections(self) -> Iterator[tuple[str, str, str]]:
        """Yield each result with images, what is to be said of them, and their HTML."""
        for result, figures in self._figures.items():
            left = self._left_out.get(result)
            said = f"{left} of {left + len(figures)} images are not shown." if left else ""
            yield result, said, _FIGURES.format("".join(figures))


def _shown(value: Mapping[str, JSONValue], folder: str) -> Path | None:
    """Return the file to show: the image, or its thumbnail where that does better."""
    paths = [value.get("path"), value.get("thumbnail_path")]
    files = [local_file(path, folder) for path in paths if isinstance(path, str) and path]
    found = [Path(file) for file in files if file is not None]
    there = [path for path in found if path.suffix.lower() in _TYPES and path.is_file()]
    small = [path for path in there if path.stat().st_size <= _LARGE]
    return next(iter((*small, *there)), None)
