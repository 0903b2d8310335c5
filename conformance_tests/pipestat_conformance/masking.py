"""Taking out of a report what differs from run to run: folders, times, addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["Mask"]

_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
)
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_UNIQUE = re.compile(r"\bc[0-9a-f]{15}\b")
_CHECKSUM = re.compile(r"\bcrc32:[0-9a-f]{8}\b")
_SCRATCH = re.compile(r"/tmp/tmp[a-z0-9_]{8}")


class Mask:
    """Numbers the times of one problem in the order in which they appear."""

    def __init__(self, folder: str, kept: str = "") -> None:
        self._folder = folder
        self._kept = kept
        self._times: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        """Return the value with what varies replaced, keys included."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self._text(str(key)): self(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self(item) for item in value]
        return value

    def _text(self, text: str) -> str:
        text = text.replace(self._folder, "{run}")
        text = _CHECKSUM.sub("crc32:...", text)
        text = _SCRATCH.sub("{scratch}", _UNIQUE.sub("{unique}", _ADDRESS.sub("0x...", text)))
        return _TIME.sub(self._time, text)

    def _time(self, match: re.Match[str]) -> str:
        # Times that a vector itself writes are the same in every run.
        if match[0] in self._kept:
            return match[0]
        return self._times.setdefault(match[0], f"<time {len(self._times) + 1}>")
