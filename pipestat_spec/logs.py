"""The package's logger; `logging` is imported when there is something to say.

It costs a command as much as reading its results file does, and most have nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

__all__ = ["logger", "on_first_use"]

# Called before each message; the command line sets up its handler here.
on_first_use: list[Callable[[], None]] = []


def logger() -> logging.Logger:
    """Return the logger `pipestat_spec`."""
    import logging

    for prepare in on_first_use:
        prepare()
    return logging.getLogger("pipestat_spec")
