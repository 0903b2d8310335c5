"""Texts of times: what people write, what programs write, and what we write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipestat_spec.domain.times import (
    distinct_local,
    distinct_times,
    distinct_utc,
    format_local,
    format_utc,
    parse_time,
    read_time,
)
from pipestat_spec.errors import InvalidTimeFormatError
from tests.work import is_linear


def at(second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 1, 31, 12, 0, second, microsecond, tzinfo=UTC)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the process is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31 12:00:05", at(5)),
        ("2026-01-31T12:00:05", at(5)),
        ("2026-01-31T12:00:05Z", at(5)),
        ("2026-01-31T12:00:05.000007Z", at(5, 7)),
        ("2026-01-31T14:00:05+02:00", at(5)),
        ("20260131T120005Z", at(5)),
        ("2026-01-31T12:00", at(0)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_parse_time(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected
    assert parse_time(text).utcoffset() == timedelta(0)


def test_a_date_as_the_end_is_its_last_microsecond() -> None:
    last = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert parse_time("2026-01-31", end=True) == last
    assert parse_time("20260131", end=True) == last
    assert parse_time("2026-01-31 00:00:00", end=True) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "31.01.2026",
        "2026-01-31x12:00:00",
        "12:00",
        "1769860800",
        "2026-01-31T12:00:00Z Z",
        "0001-01-01T00:00:00+05:00",
        "٢٠٢٦-01-31",
        5,
        None,
    ],
)
def test_wrong_time(text: object) -> None:
    with pytest.raises(InvalidTimeFormatError, match="is not a time; write it as"):
        parse_time(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:05Z", at(5)),
        ("2026-01-31t12:00:05z", at(5)),
        ("2026-01-31 12:00:05.000007Z", at(5, 7)),
        ("2026-01-31T14:00:05+02:00", at(5)),
        ("2026-01-31T12:00:05", None),
        ("2026-01-31 12:00:05", None),
        ("2026-01-31T12:00Z", None),
        ("2026-01-31", None),
        ("20260131T120005Z", None),
        ("2026-02-30T12:00:05Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("2026-01-31T12:00:05Z ", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_what_programs_write(text: object, expected: datetime | None) -> None:
    found = read_time(text)
    assert found == expected
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31 21:00:05", at(5)),
        ("2026-01-31T21:00:05", at(5)),
        ("2026-01-31 21:00:05.5", at(5, 500_000)),
        ("2026-01-31T12:00:05.000007Z", at(5, 7)),
        ("2026-01-31T14:00:05+02:00", at(5)),
        ("2026-01-31t12:00:05z", None),
        ("2026-01-31 21:00", None),
        ("2026-01-31", None),
        ("1769860800", None),
        ({}, None),
    ],
)
@pytest.mark.usefixtures("in_tokyo")
def test_what_stands_in_files(text: object, expected: datetime | None) -> None:
    assert read_time(text, local=True) == expected


@pytest.mark.usefixtures("in_tokyo")
def test_what_we_write() -> None:
    moment = datetime(2026, 1, 31, 14, 0, 5, 7, tzinfo=timezone(timedelta(hours=2)))
    assert format_utc(moment) == "2026-01-31T12:00:05.000007Z"
    assert format_utc(at(5)) == "2026-01-31T12:00:05.000000Z"
    assert format_local(moment) == "2026-01-31 21:00:05"


@pytest.mark.usefixtures("in_tokyo")
def test_times_that_would_have_one_text() -> None:
    assert distinct_times([at(5), at(5), at(5, 1), at(4), at(5)]) == [
        at(5),
        at(5, 1),
        at(5, 2),
        at(4),
        at(5, 3),
    ]
    assert distinct_utc([at(5), at(5)], {"2026-01-31T12:00:05.000000Z"}) == [
        "2026-01-31T12:00:05.000001Z",
        "2026-01-31T12:00:05.000002Z",
    ]
    # Whole seconds: the third one goes past the second, which is there already.
    assert distinct_local([at(5, 7), at(7), at(5, 9), at(6)], {"2026-01-31 21:00:06"}) == [
        "2026-01-31 21:00:05",
        "2026-01-31 21:00:07",
        "2026-01-31 21:00:08",
        "2026-01-31 21:00:09",
    ]


def test_the_hour_that_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        again = first + timedelta(hours=1)
        assert format_local(first) == format_local(again) == "2026-10-25 02:30:00"
        assert distinct_local([first, again, first, again], ()) == [
            "2026-10-25 02:30:00",
            "2026-10-25 02:30:01",
            "2026-10-25 02:30:02",
            "2026-10-25 02:30:03",
        ]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_many_times_that_would_have_one_text() -> None:
    # Of one second, and of a few: each comes upon those that the former ones displaced.
    assert is_linear(lambda n: distinct_local([at(5, i) for i in range(n)], ()))
    assert is_linear(lambda n: distinct_local([at(i % 7) for i in range(n)], ()))
    assert is_linear(lambda n: distinct_times([at(5)] * n))
