"""Times are UTC with microseconds, and those of one record only ever grow (SPEC.md section 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

__all__ = ["Clock", "format_utc", "later", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]
_TICK = timedelta(microseconds=1)


def utc_now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


def later(now: datetime, *past: datetime | None) -> datetime:
    """Return `now`, or the first microsecond after the latest of `past` when that is later."""
    for time in past:
        if time is not None and time >= now:
            now = time + _TICK
    return now


def format_utc(time: datetime) -> str:
    """Return the one text form of a time: `2026-01-31T12:00:00.000000Z`."""
    # Several times as fast as strftime, and it stands on the path of every report.
    return time.astimezone(UTC).isoformat("T", "microseconds")[:26] + "Z"
