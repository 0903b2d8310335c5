"""A line on a terminal's stderr for what takes longer than a second."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

__all__ = ["Progress"]

_PACE = 1.0


class Progress:
    """Shows the last text once a second, beginning with the second second; nothing elsewhere."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _PACE
        self._shown = False

    def show(self, text: str) -> None:
        """Show a text, if it is time for one."""
        if time.monotonic() < self._next or sys.stderr is None or not sys.stderr.isatty():
            return
        self._next = time.monotonic() + _PACE
        self._shown = True
        _write(f"\r\x1b[K{text}")

    def done(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._shown = False
            _write("\r\x1b[K")


def _write(text: str) -> None:
    # What is only shown may not make anything fail.
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
