"""How long a test waits for what has to come.

A busy machine is slow, and slow is no defect: the limit only ends what hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 600

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found], what: str, pause: float = 0.02) -> Found:
    """Look until something true is found, and return it; `what` is said where it never is."""
    end = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not after {SECONDS} s"
        time.sleep(pause)
    return found
