"""Values as pipestat stores them when nothing is validated."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["as_file_result", "without_null_thumbnail"]

_IMAGES = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp")
_OTHERS = (".csv", ".tsv", ".json", ".pdf", ".txt", ".html", ".bed", ".bam")
_FILES = frozenset((*_IMAGES, *_OTHERS))


def as_file_result(name: str, value: Any) -> Any:
    """Return a text that ends like the name of a file as a file result, its title `name`."""
    if isinstance(value, str) and os.path.splitext(value)[1].lower() in _FILES:
        return {"path": value, "title": name}
    return value


def without_null_thumbnail(value: Any) -> Any:
    """Return an image without a thumbnail that is null; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    names = ("thumbnail_path", "thumbnail")
    return {key: item for key, item in value.items() if item is not None or key not in names}
