"""The files and images in results: where they are, and whether they are there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipestat_report.links import Linker, Place, locate, safe_address

__all__ = ["Media", "find_media"]

# What browsers show as an image.
_SHOWN = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp")
_PICTURES = (*_SHOWN, ".tif", ".tiff", ".pdf")


@dataclass
class Media:
    """One file or image of a result; `keys` lead to it inside the value.

    `href` is the link (None: there is none), `missing` that the file is not there, `shown`
    that a browser shows what the link leads to. `sources` are the local files that a thumbnail
    can be made of, the best one first, and `remote` the addresses; `thumbnail` is where it
    stands among those embedded.
    """

    kind: str
    keys: tuple[str | int, ...] = ()
    href: str | None = None
    missing: bool = False
    shown: bool = False
    sources: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    thumbnail: tuple[int, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the page needs of it."""
        content: dict[str, Any] = {"kind": self.kind}
        for name in ("href", "missing", "shown", "thumbnail"):
            if value := getattr(self, name):
                content[name] = value
        if self.remote and not self.href:
            # Where it is: the path that was reported may be relative.
            content["address"] = self.remote[-1]
        if self.keys:
            content["keys"] = list(self.keys)
        return content


def find_media(value: Any, kind: str, folder: str, linker: Linker, place: Place) -> list[Media]:
    """Return the files and images in a value of a result of this `kind`, which is at a place."""
    return [
        _describe(
            found,
            kind if kind == "image" and not keys else None,
            place._replace(keys=keys),
            folder,
            linker,
        )
        for keys, found in _walk(value, (), kind in ("file", "image"))
    ]


def _walk(
    value: Any, keys: tuple[str | int, ...], declared: bool
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        is_file = isinstance(value.get("path"), str)
        if is_file and (declared or isinstance(value.get("title"), str)):
            yield keys, value
            return
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                yield from _walk(item, (*keys, key), declared=False)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping | list):
                yield from _walk(item, (*keys, index), declared=False)


def _describe(
    value: Mapping[str, Any],
    kind: str | None,
    place: Place,
    folder: str,
    linker: Linker,
) -> Media:
    path: str = value["path"]
    small = value.get("thumbnail_path", value.get("thumbnail"))
    small = small if isinstance(small, str) else None
    if kind is None:
        kind = "image" if small or path.lower().endswith(_PICTURES) else "file"
    media = Media(kind, place.keys)
    target = locate(path, folder)
    if target.address is not None:
        media.href = safe_address(target.address)
        media.remote = (target.address,)
    elif target.file is not None:
        if os.path.exists(target.file):
            media.href = linker.link(target.file, place)
            media.shown = target.file.lower().endswith(_SHOWN)
            media.sources = (target.file,)
        else:
            media.missing = True
    if small is not None:
        made = locate(small, folder)
        if made.file is not None and os.path.isfile(made.file):
            media.sources = (made.file, *media.sources)
        elif made.address is not None and not media.sources:
            media.remote = (made.address, *media.remote)
    return media
