"""How much work something is, counted and not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(call: Callable[[], object]) -> int:
    """Return how many lines of Python run while `call` does; each turn of a loop counts."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def is_linear(call: Callable[[int], object], size: int = 300) -> bool:
    """Tell whether eight times as much costs less than sixteen times as many lines."""
    call(size)  # what is done once is done
    return lines_run(lambda: call(8 * size)) < 16 * lines_run(lambda: call(size))
