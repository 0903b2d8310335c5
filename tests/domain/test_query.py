import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.query import check_limit, distinct, recent, select
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.models.query import Page, Query
from pipestat_spec.models.record import Record, RecordKey


def record(identifier, results=None, **rest):
    return Record(RecordKey("sample", identifier), results or {}, **rest)


def names(page):
    return [one.key.identifier for one in page.records]


FIVE = [record(name, {"n": i}) for i, name in enumerate(["A", "a", "b", "b/x", "é"])]


def page_of(where=None, **rest):
    return select(iter(FIVE), Query(where=where and parse_filter(where), **rest))


def test_select_without_conditions_gives_all():
    assert page_of() == Page(tuple(FIVE), 5, None)
    assert select([], Query(limit=1)) == Page((), 0, None)


def test_filter_comes_before_limit_and_cursor():
    page = page_of("n >= 2", limit=2)
    assert (names(page), page.total_size, page.next_cursor) == (["b", "b/x"], 3, "b/x")
    page = page_of("n >= 2", limit=2, cursor="b/x")
    assert (names(page), page.total_size, page.next_cursor) == (["é"], 3, None)


def test_last_page_that_is_full_has_no_cursor():
    assert page_of(limit=5).next_cursor is None
    assert page_of(limit=4).next_cursor == "b/x"
    assert page_of(limit=1, cursor="b/x").next_cursor is None


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("", ["A", "a", "b", "b/x", "é"]),
        ("A", ["a", "b", "b/x", "é"]),
        ("B", ["a", "b", "b/x", "é"]),
        ("aa", ["b", "b/x", "é"]),
        ("b", ["b/x", "é"]),
        ("é", []),
        ("zz", ["é"]),
    ],
)
def test_cursor_is_a_place_not_a_record(cursor, expected):
    page = page_of(cursor=cursor)
    assert names(page) == expected
    assert page.total_size == 5


def test_columns():
    one = record("s", {"a": 1, "b": None, "c": [1]}, status="failed")
    [found] = select([one], Query(columns=("c", "b", "zzz"))).records
    assert list(found.results.items()) == [("c", [1]), ("b", None)]
    assert found.status == "failed"
    assert select([one], Query(columns=())).records[0].results == {}
    # What is left out can still be asked for.
    query = Query(columns=("b",), where=parse_filter("a = 1"))
    assert select([one], query).records[0].results == {"b": None}


@pytest.mark.parametrize("limit", [0, -1, True, 1.0, "5"])
def test_wrong_limit(limit):
    with pytest.raises(FilterSyntaxError, match="not a positive integer"):
        page_of(limit=limit)
    with pytest.raises(FilterSyntaxError, match="not a positive integer"):
        recent(FIVE, limit)
    with pytest.raises(FilterSyntaxError, match="not a positive integer"):
        check_limit(limit)


def test_wrong_cursor():
    with pytest.raises(FilterSyntaxError, match="cursor 5 is not"):
        page_of(cursor=5)


def test_only_the_page_is_kept():
    def many():
        for i in range(2000):
            yield record(f"{i:06}", {"text": "x" * 10_000 + str(i)}, modified=at(0, i))

    tracemalloc.start()
    try:
        page = select(many(), Query(limit=3))
        newest = recent(many(), 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(page.records), page.total_size, newest.total_size) == (3, 2000, 2000)
    assert names(newest) == ["001999", "001998", "001997"]
    assert peak < 1_000_000


identifiers = st.text("aAbé0/ ", min_size=1, max_size=4)
stores = st.dictionaries(identifiers, st.integers(0, 3), max_size=12)


@given(stores, st.integers(0, 4), st.integers(1, 13))
def test_paging_gives_every_match_once(store, least, limit):
    stored = [record(name, {"n": store[name]}) for name in sorted(store)]
    where = parse_filter(f"n >= {least}")
    expected = sorted(name for name, n in store.items() if n >= least)
    seen, cursor = [], None
    while True:
        page = select(stored, Query(where=where, limit=limit, cursor=cursor))
        assert page.total_size == len(expected)
        assert len(page.records) <= limit
        seen += names(page)
        if page.next_cursor is None:
            break
        assert page.next_cursor == seen[-1]
        cursor = page.next_cursor
    assert seen == expected


def test_distinct_values_in_order():
    found = [2, "b", None, True, 1, 1.0, "a", [1], {"a": 1}, False, [1.0], 2, "", {"a": 1.0}]
    stored = [record(f"{i:02}", {"x": value}) for i, value in enumerate(found)]
    values = [row[0] for row in distinct(stored, ["x"])]
    assert repr(values) == repr([None, False, True, 1, 2, "", "a", "b", [1], {"a": 1}])


def test_distinct_combinations():
    stored = [
        record("s1", {"a": 2, "b": "x"}),
        record("s2", {"a": 1, "b": None}),
        record("s3", {"a": 1}),
        record("s4", {"b": "x"}),
        record("s5", {"c": 1}),
        record("s6", {"a": 2, "b": "x", "c": 3}),
    ]
    assert distinct(stored, ["a", "b"]) == [(None, "x"), (1, None), (2, "x")]
    assert distinct(stored, ("b", "a")) == [(None, 1), ("x", None), ("x", 2)]
    assert distinct(stored, ["zzz"]) == []
    assert distinct(stored, []) == []


def test_distinct_counts_a_reported_null():
    assert distinct([record("s1", {"x": None}), record("s2")], ["x"]) == [(None,)]


def test_distinct_of_special_fields_and_dotted_names():
    stored = [
        record("s1", {"a.b": 1}, status="failed"),
        record("s2", {"a": {"b": 2}}, status="completed"),
        record("s3", status="failed"),
    ]
    assert distinct(stored, ["status"]) == [("completed",), ("failed",)]
    assert distinct(stored, ["a.b"]) == [(1,)]
    assert distinct(stored, ["record_identifier"]) == [("s1",), ("s2",), ("s3",)]


def at(second, microsecond=0):
    return datetime(2026, 1, 31, 12, 0, second, microsecond, tzinfo=UTC)


TIMED = [
    record("a", created=at(0), modified=at(9)),
    record("b", created=at(5), modified=at(5, 1)),
    record("c", created=at(5), modified=at(5)),
    record("d", created=at(1), modified=at(5)),
    record("e"),
]


def test_recent_is_newest_first_and_ties_go_by_identifier():
    page = recent(TIMED)
    assert (names(page), page.total_size, page.next_cursor) == (["a", "b", "c", "d"], 4, None)
    assert names(recent(TIMED, time_column="created")) == ["b", "c", "d", "a"]
    assert names(recent(reversed(TIMED))) == ["a", "b", "c", "d"]


def test_recent_range_is_inclusive():
    assert names(recent(TIMED, start=at(5), end=at(5))) == ["c", "d"]
    assert names(recent(TIMED, start=at(5, 1))) == ["a", "b"]
    assert names(recent(TIMED, end=at(5, 1))) == ["b", "c", "d"]
    assert names(recent(TIMED, start=at(9), end=at(5))) == []


def test_recent_takes_naive_times_for_utc_and_converts_others():
    assert names(recent(TIMED, start=datetime(2026, 1, 31, 12, 0, 9))) == ["a"]
    east = timezone(timedelta(hours=2))
    assert names(recent(TIMED, start=datetime(2026, 1, 31, 14, 0, 9, tzinfo=east))) == ["a"]


def test_recent_pages():
    first = recent(TIMED, 2)
    assert (names(first), first.total_size) == (["a", "b"], 4)
    # A record written in between is newer, so it moves nothing.
    later = [*TIMED, record("0", modified=at(30))]
    second = recent(later, 1, cursor=first.next_cursor)
    assert (names(second), second.total_size) == (["c"], 5)
    third = recent(later, 2, cursor=second.next_cursor)
    assert (names(third), third.next_cursor) == (["d"], None)


@given(st.dictionaries(identifiers, st.integers(0, 3)), st.integers(1, 8))
def test_recent_paging_gives_every_record_once(store, limit):
    stored = [record(name, modified=at(second)) for name, second in sorted(store.items())]
    seen, cursor = [], None
    while True:
        page = recent(stored, limit, cursor=cursor)
        seen += names(page)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == sorted(store, key=lambda name: (-store[name], name))


@pytest.mark.parametrize("cursor", ["", "s1", "yesterday s1"])
def test_recent_wrong_cursor(cursor):
    with pytest.raises(FilterSyntaxError, match="not a cursor"):
        recent(TIMED, cursor=cursor)


def test_recent_wrong_column():
    with pytest.raises(FilterSyntaxError, match="'updated' is not a time column"):
        recent(TIMED, time_column="updated")
