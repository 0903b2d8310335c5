"""Values as pipestat stores them when nothing is validated."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["as_file_result"]

_IMAGES = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp")
_OTHERS = (".csv", ".tsv", ".json", ".pdf", ".txt", ".html", ".bed", ".bam")
_FILES = frozenset((*_IMAGES, *_OTHERS))


def as_file_result(name: str, value: Any) -> Any:
    """Return a text that ends like the name of a file as a file result, its title `name`."""
    if isinstance(value, str) and os.path.splitext(value)[1].lower() in _FILES:
        return {"path": value, "title": name}
    return value
