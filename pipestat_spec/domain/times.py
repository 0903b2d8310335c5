"""Times are UTC with microseconds, and those of one record only ever grow (spec/core.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias, TypeVar

from pipestat_spec.errors import InvalidTimeFormatError
from pipestat_spec.text.strings import shorten

__all__ = [
    "LOCAL_FORMAT",
    "RFC_3339",
    "Clock",
    "as_utc",
    "distinct_local",
    "distinct_times",
    "distinct_utc",
    "format_local",
    "format_utc",
    "later",
    "parse_time",
    "read_time",
    "utc_now",
]

Clock: TypeAlias = Callable[[], datetime]
_Form = TypeVar("_Form")
_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
LOCAL_FORMAT = "%Y-%m-%d %H:%M:%S"
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_LOCAL_OR_UTC = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
# What people write; compiled when it is first needed.
_ISO_8601 = r"[0-9TtWZz:.,+ -]+"
_DATE = r"\d{4}-?\d{2}-?\d{2}"
# A date, and perhaps a time, whose parts may have one digit, as strptime takes them.
_SHORT_PARTS = r"\d{4}-\d\d?-\d\d?(?:[Tt ]\d\d?:\d\d?(?::\d\d?)?(?![\d:]).*)?"
_ONE_DIGIT = r"(?<=[-:Tt ])\d(?!\d)"


def utc_now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


def later(now: datetime, *past: datetime | None) -> datetime:
    """Return `now`, or the first microsecond after the latest of `past` when that is later."""
    for moment in past:
        if moment is not None and moment >= now:
            now = moment + _TICK
    return now


def as_utc(moment: datetime) -> datetime:
    """Return a time in UTC, which one without an offset already is."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_utc(time: datetime) -> str:
    """Return the one text form of a time: `2026-01-31T12:00:00.000000Z`."""
    # Several times as fast as strftime, and it stands on the path of every report.
    return time.astimezone(UTC).isoformat("T", "microseconds")[:26] + "Z"


def format_local(time: datetime) -> str:
    """Return pipestat's form of a time: local, in whole seconds (PS-YAML-011)."""
    return time.astimezone().strftime(LOCAL_FORMAT)


def distinct_times(times: Iterable[datetime]) -> list[datetime]:
    """Return the times, each as it is or, where one before it has that, the next free one."""
    return _distinct(times, lambda time: time, (), _TICK)


def distinct_utc(times: Iterable[datetime], taken: Container[str]) -> list[str]:
    """Return a text for each time: that of the first microsecond from it on which is free."""
    return _distinct(times, format_utc, taken, _TICK)


def distinct_local(times: Iterable[datetime], taken: Container[str]) -> list[str]:
    """Return a text in pipestat's form for each time: that of the first free second (PS-YAML-011).

    `taken` are the texts that others have.
    """
    seconds = (time.replace(microsecond=0) for time in times)
    return _distinct(seconds, format_local, taken, _SECOND)


def _distinct(
    times: Iterable[datetime],
    form: Callable[[datetime], _Form],
    taken: Container[_Form],
    step: timedelta,
) -> list[_Form]:
    found: dict[_Form, None] = {}
    # Where to go on from a time that is not free: no way is gone twice.
    following: dict[datetime, datetime] = {}
    for moment in times:
        passed = []
        while (text := form(moment)) in found or text in taken:
            passed.append(moment)
            moment = following.get(moment, moment + step)
        found[text] = None
        following.update(dict.fromkeys((*passed, moment), moment + step))
    return list(found)


def read_time(text: object, *, local: bool = False) -> datetime | None:
    """Return the time that a program wrote, as UTC; None for anything else.

    The form is that of RFC 3339, offset included. `local`: the form of files, where a time
    may lack the offset and is local then.
    """
    form = _LOCAL_OR_UTC if local else RFC_3339
    if not isinstance(text, str) or form.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # such as February 30th, or the year 10000 in UTC
        return None


def parse_time(text: str, *, end: bool = False) -> datetime:
    """Return the time that a person wrote, as UTC (spec/queries.md).

    Any form of ISO 8601, a blank for the T, `9` for `09`; without an offset it is UTC. A date
    alone is its first microsecond, with `end` its last, so that a range includes its last day.
    Raises InvalidTimeFormatError.
    """
    try:
        if re.fullmatch(_ISO_8601, text) is None:
            raise ValueError
        if re.fullmatch(_SHORT_PARTS, text, re.ASCII):
            text = re.sub(_ONE_DIGIT, r"0\g<0>", text, flags=re.ASCII)
        moment = datetime.fromisoformat(text)
        if end and re.fullmatch(_DATE, text):
            moment = datetime.combine(moment, time.max)
        return as_utc(moment)
    # OverflowError: an offset that leads out of the years 1 to 9999.
    except (ValueError, TypeError, OverflowError):
        raise InvalidTimeFormatError(
            f"{shorten(text)!r} is not a time",
            hint="write it as 2026-01-31T12:00:00Z or 2026-01-31 12:00:00",
            text=text,
        ) from None
