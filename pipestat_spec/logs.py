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
    """Return the logger `pipestat_spec`.

    Where a program has set up the logger `pipestat`, levels and handlers of that hold too.
    """
    import logging

    for prepare in on_first_use:
        prepare()
    own = logging.getLogger("pipestat_spec")
    known = logging.Logger.manager.loggerDict.get("pipestat")
    if isinstance(known, logging.Logger) and own.parent is not known:
        own.parent = known
        own.setLevel(own.level)  # forgets what the former parent let through
    return own
