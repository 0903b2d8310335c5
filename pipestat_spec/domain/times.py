"""Times are UTC with microseconds, and those of one record only ever grow (SPEC.md section 3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from pipestat_spec.errors import InvalidTimeFormatError
from pipestat_spec.text.strings import shorten

__all__ = ["Clock", "as_utc", "format_utc", "later", "parse_time", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]
_TICK = timedelta(microseconds=1)


def utc_now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


def later(now: datetime, *past: datetime | None) -> datetime:
    """Return `now`, or the first microsecond after the latest of `past` when that is later."""
    for moment in past:
        if moment is not None and moment >= now:
            now = moment + _TICK
    return now


def format_utc(time: datetime) -> str:
    """Return the one text form of a time: `2026-01-31T12:00:00.000000Z`."""
    # Several times as fast as strftime, and it stands on the path of every report.
    return time.astimezone(UTC).isoformat("T", "microseconds")[:26] + "Z"


def as_utc(moment: datetime) -> datetime:
    """Return a time in UTC, which one without an offset already is."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_time(text: str, *, end: bool = False) -> datetime:
    """Return an ISO 8601 time or `YYYY-MM-DD HH:MM:SS` as UTC (SPEC.md section 12).

    Without an offset it is UTC. A date alone is its first microsecond, with `end` its
    last, so that a range includes its last day. Raises InvalidTimeFormatError.
    """
    try:
        if re.fullmatch(r"[0-9TtWZz:.,+ -]+", text) is None:
            raise ValueError
        moment = datetime.fromisoformat(text)
        if end and re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text):
            moment = datetime.combine(moment, time.max)
        return as_utc(moment)
    # OverflowError: an offset that leads out of the years 1 to 9999.
    except (ValueError, TypeError, OverflowError):
        raise InvalidTimeFormatError(
            f"{shorten(text)!r} is not a time",
            hint="write it as 2026-01-31T12:00:00Z or 2026-01-31 12:00:00",
            text=text,
        ) from None
