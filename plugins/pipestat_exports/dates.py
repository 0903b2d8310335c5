"""Dates and times in strings whose schema has such a format."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

__all__ = ["date_of", "time_of"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def date_of(value: object) -> date | None:
    """Return the day that a string in the form of RFC 3339 names, or None."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    return None


def time_of(value: object) -> datetime | None:
    """Return the time in UTC, of microseconds at most, that such a string names, or None."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    return None
