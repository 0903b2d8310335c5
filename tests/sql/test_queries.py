"""Queries that databases tend to answer otherwise than memory, one trap a test."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pipestat_sql.queries import distinct_values, select_page
from pipestat_sql.queries.conditions import condition
from pipestat_sql.queries.literals import bigint_bound, double_bound, moment_bound, text_bound
from pipestat_sql.queries.postgresql import PostgreSQL
from pipestat_sql.queries.sqlite_functions import text_key
from pipestat_sql.rows.statements import compiled
from pipestat_sql.tables.column_types import Kind

from pipestat_spec.domain.filters import order_key
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.models.query import And, Comparison, In, IsNull, Like, Not, Or, Query
from pipestat_spec.models.record import Record, RecordKey
from tests.sql.query_tables import Rows

ALL = {
    "n": Kind.INTEGER,
    "x": Kind.NUMBER,
    "s": Kind.STRING,
    "flag": Kind.BOOLEAN,
    "doc": Kind.JSON,
}


def record(name, results=None, **rest):
    return Record(RecordKey("sample", name), results or {}, **rest)


def names(page):
    return [one.key.identifier for one in page.records]


# Where no order of texts matters, which is all that a server with ICU has otherwise.
unordered = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(params=["sqlite", "icu", "postgresql"])
def place(request, make_database):
    return make_database(request.param)


@pytest.fixture
def rows(place):
    return Rows(place, ALL)


def ask(rows, where=None, **more):
    with rows.connected() as connection:
        return rows.check_select(connection, Query(where=where, **more))


# Literals against columns of one type


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("lt", 2.5, ("le", 2)),
        ("le", 2.5, ("le", 2)),
        ("gt", 2.5, ("ge", 3)),
        ("ge", -2.5, ("ge", -2)),
        ("eq", 2.5, False),
        ("eq", 2.0, ("eq", 2)),
        ("lt", 2.0, ("lt", 2)),
        ("lt", 1e300, True),
        ("gt", 1e300, False),
        ("ge", -(10**30), True),
        ("eq", 2**63, False),
        ("le", float("inf"), True),
        ("lt", float("nan"), False),
    ],
)
def test_bounds_of_integers(operator, value, expected):
    assert bigint_bound(operator, value) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("lt", 2**53 + 1, ("le", 2.0**53)),
        ("gt", 2**53 + 1, ("ge", 2.0**53 + 2)),
        ("eq", 2**53 + 1, False),
        ("eq", 2**53, ("eq", 2.0**53)),
        ("le", 2**63 - 1, ("le", 9223372036854774784.0)),
        ("ge", 2**63 - 1, ("ge", 2.0**63)),
        ("lt", 10**400, True),
        ("gt", 10**400, False),
        ("gt", -(10**400), True),
        ("eq", float("nan"), False),
    ],
)
def test_bounds_of_doubles(operator, value, expected):
    assert double_bound(operator, value) == expected


def test_bounds_of_text_that_no_database_holds():
    assert text_bound("lt", "a\x00b") == ("le", "a")
    assert text_bound("ge", "a\x00b") == ("gt", "a")
    assert text_bound("gt", "a\ud800b") == ("ge", "a\ue000")
    assert text_bound("le", "a\udfff") == ("lt", "a\ue000")
    assert text_bound("le", "é") == ("le", "é")


@pytest.mark.parametrize(
    ("value", "first", "is_text_of_it"),
    [
        ("2026-01-31", datetime(2026, 1, 31), False),
        ("2026-01-31T12:00:00.000001Z", datetime(2026, 1, 31, 12, 0, 0, 1), True),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, 0, 1), False),
        ("2026-02-30", datetime(2026, 3, 1), False),
        ("", datetime(1, 1, 1), False),
        ("9999-12-31T23:59:59.999999Z", datetime.max, True),
        ("a", None, False),
    ],
)
def test_bounds_of_times(value, first, is_text_of_it):
    """The first time whose text is not before the value divides them."""
    bounds = [moment_bound(operator, value) for operator in ("lt", "le", "gt", "ge", "eq")]
    if first is None:
        assert bounds == [True, True, False, False, False]
        return
    at = first.replace(tzinfo=UTC)
    same = [("lt", at), ("le", at), ("gt", at), ("ge", at), ("eq", at)]
    between = [("lt", at), ("lt", at), ("ge", at), ("ge", at), False]
    assert bounds == (same if is_text_of_it else between)


JSON_TEXTS = ['{"k": "\\u00e9"}', '{"\\u006b": 1}', '{"k": NaN}', '{"k": -Infinity}', "[]", "3",
              '{"k": 12345678901234567890123}', '{"k": 1e22}', '{"k": 9007199254740993}', '"k"',
              '{"k": 0.1}', '{"k": 0.10000000000000002}', '{"k": true}', '{"k": null}', "null",
              '{"k": 1}', '{"k": 1.0}', '{"k": "1"}', '{"k": [1]}', '{"k": {"k": 1}}', '{"k": ""}',
              '{"k": 5e-324}', '{"k": 1.7976931348623157e308}', '{"k": -0.0}', '{"a/b": 2}',
              '{"a\\/b": 2}', '{"k": "a\\"b"}', '{"k": "\\ud83d\\ude00"}', " {} "]  # fmt: skip


def test_json_text_as_other_programs_write_it_into_sqlite(make_database):
    """SQLite reads some of it otherwise. NaN, which no store of ours holds, is not in the way."""
    rows = Rows(make_database("sqlite"), {"doc": Kind.JSON})
    for number, text in enumerate(JSON_TEXTS):
        name = f"{number:02}"
        rows.add(record(name))
        rows.database.execute("update rows set doc = ? where record_identifier = ?", (text, name))
        rows.records[name] = record(name, {"doc": json.loads(text)})
    odd = JSON_TEXTS.index('{"k": NaN}')
    values = [1, 1.0, 0, -0.0, 0.1, 2**53, 2**53 + 1, 10**22, 1e22, 12345678901234567890123,
              5e-324, 1.7976931348623157e308, "1", "", "é", 'a"b', "\U0001f600", True, False, [1],
              {"k": 1}, 3, "k", "[1]", 2]  # fmt: skip
    for path in (("doc",), ("doc", "k"), ("doc", "k", "k"), ("doc", "a/b")):
        filters = [IsNull(path), Like(path, "%"), Like(path, "%b"), In(path, tuple(values))]
        for value in values:
            filters.append(Comparison(path, "eq", value))
            if type(value) in (int, float, str):
                filters += [Comparison(path, order, value) for order in ("lt", "le", "gt", "ge")]
        with rows.connected() as connection:
            for where in filters:
                found = names(rows.select(connection, Query(where=where, columns=())))
                for name, one in sorted(rows.records.items()):
                    if int(name) != odd:
                        assert (name in found) == names_match(where, one), (where, one)


def test_keys_of_sqlite_order_as_the_domain_does():
    values = [None, False, True, -(10**400), -1.8e308, -(2**63), -1.5, -1, -5e-324, 0, -0.0, 5e-324,
              1, 1.0, 1.5, 2**53, 2.0**53, 2**53 + 1, 2.0**53 + 2, 2**63 - 1, 2.0**63, 1e22,
              10**22, 10**22 + 1, 1e308, 10**400, 10**401, "", "1", "a", "\uffff", "\U0010ffff",
              [], [1],
              [1.0], {}, {"a": 1, "b": 2}, {"b": 2, "a": 1}]  # fmt: skip
    for left in values:
        for right in values:
            keys, wanted = (text_key(left), text_key(right)), (order_key(left), order_key(right))
            assert (keys[0] < keys[1], keys[0] == keys[1]) == (
                wanted[0] < wanted[1],
                wanted[0] == wanted[1],
            ), (left, right)


# Filters


def test_two_valued_logic(rows):
    rows.add(
        record("one", {"n": 1, "doc": 1}),
        record("two", {"n": 2, "doc": "2"}),
        record("null", {"doc": None}),
        record("none"),
    )
    one = Comparison(("n",), "eq", 1)
    assert names(ask(rows, Not(one))) == ["none", "null", "two"]
    assert names(ask(rows, Not(Comparison(("n",), "gt", "x")))) == ["none", "null", "one", "two"]
    assert names(ask(rows, Not(Or((one, Comparison(("doc",), "eq", "2")))))) == ["none", "null"]
    assert names(ask(rows, Not(Not(one)))) == ["one"]
    assert names(ask(rows, IsNull(("doc",)))) == ["none", "null"]
    assert names(ask(rows, And(()))) == ["none", "null", "one", "two"]
    assert names(ask(rows, Or(()))) == []
    assert names(ask(rows, In(("n",), ()))) == []
    assert names(ask(rows, Not(In(("doc",), (None,))))) == ["none", "null", "one", "two"]


def test_types_are_kept_apart(rows):
    for name, value in {"t": True, "i": 1, "f": 1.0, "s": "1", "l": [1], "o": {"1": 1}}.items():
        rows.add(record(name, {"doc": value, "u": value}))
    for field in ("doc", "u"):
        assert names(ask(rows, Comparison((field,), "eq", 1))) == ["f", "i"]
        assert names(ask(rows, Comparison((field,), "eq", True))) == ["t"]
        assert names(ask(rows, Comparison((field,), "ge", "0"))) == ["s"]
        assert names(ask(rows, Comparison((field,), "ge", 0))) == ["f", "i"]
        assert names(ask(rows, Comparison((field,), "eq", [1.0]))) == ["l"]
        assert names(ask(rows, Comparison((field,), "eq", {"1": 1.0}))) == ["o"]
        assert names(ask(rows, Comparison((field,), "lt", [2]))) == []


@unordered
def test_numbers_are_exact(rows):
    rows.add(
        record("a", {"n": 2**53, "doc": 2**53, "x": 2.0**53}),
        record("b", {"n": 2**53 + 1, "doc": 2**53 + 1}),
        record("c", {"doc": 2.0**53, "x": 1e22}),
        record("d", {"doc": [2.0**60, 2.0**64, 5e-324], "x": 5e-324}),
    )
    assert names(ask(rows, Comparison(("n",), "gt", 2.0**53))) == ["b"]
    assert names(ask(rows, Comparison(("doc",), "gt", 2.0**53))) == ["b"]
    assert names(ask(rows, Comparison(("doc",), "eq", 2**53))) == ["a", "c"]
    assert names(ask(rows, Comparison(("x",), "lt", 2**53 + 1))) == ["a", "d"]
    assert names(ask(rows, Comparison(("x",), "eq", 10**22))) == ["c"]
    assert names(ask(rows, Comparison(("doc",), "eq", [2**60, 2**64, 5e-324]))) == ["d"]


@pytest.mark.parametrize("binary", [False, True])
def test_numbers_as_other_programs_write_them(make_database, binary):
    rows = Rows(make_database("postgresql"), {"doc": Kind.JSON}, binary=binary)
    texts = ["0.10000000000000001", "1.152921504606847e+18", "1E+2", "-0", "1e5",
             "12345678901234567890123",
             "[0.10000000000000001]", '{"a": 1.152921504606847e+18}', "[1E2, -0.0]",
             '["3e45678"]', "[1e300]", "179769313486231580000e290", "1e-330", "1e-3000",
               " 7 "]  # fmt: skip
    if not binary:
        texts += ["1e99999", "[1e99999]"]
    for number, text in enumerate(texts):
        rows.add(record(f"{number:02}"))
        rows.database.execute(
            "update rows set doc = %s where record_identifier = %s", (text, f"{number:02}")
        )
    wanted = [0.1, 2**60, 2.0**60, 100, 0, -0.0, 1e5, 12345678901234567890123, [0.1], {"a": 2**60},
              [100, 0], ["3e45678"], [1e300], [10**300], float("inf"), 0.0, 5e-324, 7,
               1e22]  # fmt: skip
    with rows.connected() as connection:
        found = rows.database.rows("select record_identifier, doc::json::text from rows")
        rows.records = {name: record(name, {"doc": json.loads(text)}) for name, text in found}
        for value in wanted:
            for operator in ("eq", "lt", "le", "gt", "ge"):
                where = Comparison(("doc",), operator, value)
                found = rows.select(connection, Query(where=where))
                expected = [
                    name
                    for name in sorted(rows.records)
                    if "99999" not in texts[int(name)] and names_match(where, rows.records[name])
                ]
                assert names(found) == expected, where


def names_match(where, one):
    from pipestat_spec.domain.filters import matches

    return matches(where, one)


def test_order_is_by_code_point(place):
    rows = Rows(place, ALL)
    texts = ["a", "A", "9", "10", "_x", "é", "\uffff", "\U0001f600"]
    rows.add(*(record(text, {"s": text, "doc": text}) for text in texts))
    expected = ["10", "9", "A", "_x", "a", "é", "\uffff", "\U0001f600"]
    assert names(ask(rows)) == expected
    for field in ("s", "doc", "record_identifier"):
        assert names(ask(rows, Comparison((field,), "gt", "A"))) == expected[3:]
        assert names(ask(rows, Comparison((field,), "le", "_x"))) == expected[:4]
    walked, cursor = [], None
    while True:
        page = ask(rows, limit=3, cursor=cursor)
        assert page.total_size == 8
        walked += names(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert walked == expected
    with rows.connected() as connection:
        rows.check_distinct(connection, ["s"])


def test_the_other_order_is_that_of_a_language(make_database):
    rows = make_database("icu").rows(
        "select x from unnest(array['a', 'A', '9', '10', '_x']) x order by x"
    )
    assert [text for (text,) in rows] == ["_x", "10", "9", "a", "A"]


PLACES = [("a.b",),
          ('q"q',), ("[0]",), ("0",), ("",), ("$",), ("#-1",), ("é\U0010ffff",), ("a'b",), ("\\",),
          ("*",), ("a", ""), ("%s", ":x"), ("a]",), ('"',), ("\n",)]  # fmt: skip


@unordered
def test_paths_hold_any_key(rows):
    for number, path in enumerate(PLACES):
        value = number
        for key in reversed(path):
            value = {key: value}
        rows.add(record(f"{number:02}", {"doc": value, "u v": value}))
    rows.add(record("list", {"doc": ["x"], "u v": [{"0": 1}]}))
    for number, path in enumerate(PLACES):
        for name in ("doc", "u v"):
            where = Comparison((name, *path), "eq", number)
            assert names(ask(rows, where)) == [f"{number:02}"], where
            assert f"{number:02}" not in names(ask(rows, IsNull((name, *path))))


@unordered
def test_names_are_quoted(place):
    odd = [
        "select",
        "order",
        'a"b',
        "x'; drop table y; --",
        "Name with spaces",
        "%s",
        ":n",
        "Reads",
    ]
    rows = Rows(place, {**dict.fromkeys(odd, Kind.INTEGER), "n": Kind.INTEGER})
    rows.add(record("s1", {name: number for number, name in enumerate(odd)}))
    for number, name in enumerate(odd):
        page = ask(rows, Comparison((name,), "eq", number), columns=(name,))
        assert page.records[0].results == {name: number}
        with rows.connected() as connection:
            rows.check_distinct(connection, [name, 'un"declared'])


@unordered
def test_extended_data_counts(rows):
    rows.add(record("column", {"n": 1, "doc": {"a": 1}}))
    rows.add(record("inside", {"n": 1, "doc": {"a": 1}, "u": 1}), extended=["n", "doc"])
    rows.add(record("typed", {"n": "text", "doc": None}), extended=["n", "doc"])
    rows.database.execute("update rows set n = 7 where record_identifier <> 'column'")
    assert names(ask(rows, Comparison(("n",), "eq", 1))) == ["column", "inside"]
    assert names(ask(rows, Comparison(("n",), "eq", 7))) == []
    assert names(ask(rows, Comparison(("n",), "eq", "text"))) == ["typed"]
    assert names(ask(rows, Comparison(("doc", "a"), "eq", 1))) == ["column", "inside"]
    assert names(ask(rows, IsNull(("doc", "a")))) == ["typed"]
    with rows.connected() as connection:
        rows.check_distinct(connection, ["n", "doc"])


# Patterns


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("A%", ["A"]),
        ("a_b", ["a b", "a\nb", "a_b"]),
        ("a\\_b", ["a_b"]),
        ("%\\%", ["50%"]),
        ("[a]", ["[a]"]),
        ("_", ["*", "?", "A", "\ufffd", "\uffff", "\U0001f600"]),
        ("\uffff", ["\uffff"]),
        ("*", ["*"]),
        ("\\a%", ["a b", "a\nb", "a_b"]),
        ("%\\\\%", ["c\\d"]),
    ],
)
def test_like(rows, pattern, expected):
    texts = [
        "A",
        "a b",
        "a_b",
        "a\nb",
        "50%",
        "[a]",
        "*",
        "?",
        "c\\d",
        "\ufffd",
        "\uffff",
        "\U0001f600",
    ]
    for number, text in enumerate(texts):
        rows.add(record(f"{number:02}", {"s": text, "doc": {"k": text}, "n": 5}))
    for path in (("s",), ("doc", "k")):
        found = ask(rows, Like(path, pattern))
        assert sorted(one.results["s"] for one in found.records) == sorted(expected)
        assert ask(rows, Not(Like(path, pattern))).total_size == len(texts) - len(expected)
    assert ask(rows, Like(("n",), "%")).total_size == 0


@unordered
def test_long_patterns(rows):
    text = "ab" * 40_000
    rows.add(record("long", {"s": text, "u": text}), record("short", {"s": "ab", "u": "ab"}))
    for field in ("s", "u"):
        assert names(ask(rows, Like((field,), text))) == ["long"]
        assert names(ask(rows, Like((field,), "_" * 80_000))) == ["long"]
        assert names(ask(rows, Like((field,), "%a" * 900 + "%"))) == ["long"]
        assert names(ask(rows, Like((field,), "%a" * 3_000 + "%"))) == ["long"]


@unordered
def test_a_pattern_that_ends_in_its_escape_is_refused(rows):
    with rows.connected() as connection, pytest.raises(FilterSyntaxError):
        rows.select(connection, Query(where=Like(("s",), "a\\")))
    with pytest.raises(FilterSyntaxError):
        condition(Not(Like(("nothing",), "a\\")), rows.table, PostgreSQL())


# Large filters


@unordered
def test_deep_nesting(rows):
    rows.add(record("a", {"n": 1, "doc": 1}), record("b", {"doc": 2}))
    for leaf in (Comparison(("n",), "eq", 1), Comparison(("doc",), "lt", 2)):
        deep = leaf
        for _ in range(50):
            deep = Not(And((Or((deep, Comparison(("s",), "eq", "x"))), Not(IsNull(("doc",))))))
        assert ask(rows, deep).total_size == 1
        deep = leaf
        for _ in range(101):
            deep = Not(deep)
        assert names(ask(rows, deep)) == ["b"]


@unordered
@pytest.mark.parametrize(
    ("fields", "value"),
    [("nxu", lambda i: i + 0.5), (("s", "doc"), lambda i: [i, str(i)][i % 2])],
    ids=["of doubles", "of integers and texts"],
)
def test_long_lists(rows, fields, value):
    """A list of more values than a statement of PostgreSQL may have parameters."""
    kept = {"n": 70_000, "x": 70_000.5, "s": "70000", "doc": value(70_000), "u": value(70_000)}
    rows.add(record("in", kept), record("out", dict.fromkeys(("doc", "u"), 7)))
    values = tuple(value(i) for i in range(1000, 71_000))
    for field in fields:
        wanted = kept[field] in values
        page = ask(rows, In((field,), values))
        assert page.total_size == wanted


@unordered
def test_many_alternatives(rows):
    rows.add(record("in", {"n": 4000, "doc": 4000}), record("out", {"n": 9999}))
    # More of them than SQLite lets expressions be deep.
    same = Or(tuple(Comparison(("n",), "eq", i) for i in range(2600, 4100)))
    assert names(ask(rows, same)) == ["in"]
    mixed = [
        Comparison((("n", "doc")[i % 2],), ("eq", "le")[i % 3 == 0], i - 2000) for i in range(250)
    ]
    assert names(ask(rows, Or((*mixed, Comparison(("n",), "eq", 4000))))) == ["in"]
    assert names(ask(rows, And(tuple(Not(one) for one in mixed[:120])))) == ["in", "out"]
    more = tuple(Comparison(("n",), "gt", 4000 + i) for i in range(1500))
    assert names(ask(rows, Or(more))) == ["out"]


# What is read


@unordered
def test_only_the_columns_asked_for_are_read(rows):
    rows.add(record("s1", {"n": 1, "x": 1.0, "doc": {"a": 1}, "u": 2}))
    seen = []

    def to_record(row):
        seen.append(set(row))
        return rows.to_record(row)

    with rows.connected() as connection:
        query = Query(columns=("u", "n"), where=Comparison(("x",), "eq", 1))
        page = select_page(rows.reader(connection, to_record), query)
    assert list(page.records[0].results.items()) == [("u", 2), ("n", 1)]
    assert seen[0] & set(ALL) == {"n"}
    assert {"record_identifier", "status", "pipestat_extended_data", "meta"} <= seen[0]


def test_a_cursor_needs_no_record(rows):
    rows.add(*(record(name) for name in ("A", "a", "b", "b/x", "é")))
    for cursor in ("", "A", "B", "aa", "b", "é", "zz", "b\x00", "\ud800"):
        for limit in (None, 1, 2):
            ask(rows, cursor=cursor, limit=limit)


@unordered
def test_the_largest_limit(rows):
    rows.add(record("a", {"n": 1}), record("b", {"n": 2}))
    assert names(ask(rows, limit=2**63 - 1)) == ["a", "b"]
    assert names(ask(rows, limit=2**63 - 1, cursor="a")) == ["b"]


@unordered
def test_the_longest_path(rows):
    """No value is as deep as this; that is an answer, and no end of the process."""
    rows.add(record("a", {"doc": {"k": 1}}))
    path = ("doc", *["k"] * 99)
    assert ask(rows, Comparison(path, "eq", 1)).total_size == 0
    assert names(ask(rows, IsNull(path))) == ["a"]


@unordered
@pytest.mark.parametrize(
    "query",
    [Query(limit=0), Query(limit=True), Query(limit="3"), Query(limit=2**63), Query(cursor=5)],
)
def test_wrong_pages_are_refused(rows, query):
    with rows.connected() as connection, pytest.raises(FilterSyntaxError):
        rows.select(connection, query)


def test_a_stream_leaves_no_transaction(make_database):
    rows = Rows(make_database("postgresql"), ALL)
    rows.add(*(record(f"{i:04}", {"n": i}) for i in range(1200)))
    calls = itertools.count()

    def to_record(row):
        assert next(calls) != 900, "while it streams"
        return rows.to_record(row)

    with rows.connected() as connection:
        assert len(rows.check_select(connection, Query()).records) == 1200
        driver = connection.driver
        assert driver.info.transaction_status == 0
        with pytest.raises(AssertionError, match="while it streams"):
            select_page(rows.reader(connection, to_record), Query())
        assert driver.info.transaction_status == 0
        assert rows.select(connection, Query(limit=1)).next_cursor == "0000"


# Distinct values and times


def test_equal_numbers_are_shown_as_in_the_first_record(rows):
    rows.add(
        record("d", {"doc": 1, "x": 0.0, "u": {"a": 1, "b": 2}}),
        record("b", {"doc": 1.0, "x": -0.0, "u": {"b": 2.0, "a": 1}}),
        record("c", {"doc": True, "u": "1"}),
        record("a", {"n": 5}),
        record("z", {"doc": None}),
    )
    with rows.connected() as connection:
        for columns in (["doc"], ["x"], ["u"], ["doc", "x"], ["x", "x"], [], ["nowhere"],
                        ["status"], ["record_identifier", "n"], ["flag", "doc"]):  # fmt: skip
            rows.check_distinct(connection, columns)
        found = distinct_values(rows.reader(connection), ["doc"])
    assert list(map(repr, found)) == ["(None,)", "(True,)", "(1.0,)"]


START = datetime(2026, 1, 1, tzinfo=UTC)


def timed(name, seconds, results=None):
    time = START + timedelta(seconds=seconds)
    return record(name, results, created=START, modified=time)


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_recent(place, layout):
    rows = Rows(place, ALL, layout)
    rows.add(timed("b", 2), timed("a", 2), timed("B", 2), timed("old", 0.5), record("never"))
    with rows.connected() as connection:
        page = rows.check_recent(connection)
        assert names(page) == ["B", "a", "b", "old"]
        walked, cursor = [], None
        while cursor is not None or not walked:
            page = rows.check_recent(connection, 1, None, None, "modified", cursor)
            walked += names(page)
            cursor = page.next_cursor
        assert walked == ["B", "a", "b", "old"]
        rows.check_recent(connection, 2, START + timedelta(seconds=2), None, "modified")
        rows.check_recent(
            connection, 2, None, (START + timedelta(seconds=2)).replace(tzinfo=None), "created"
        )
        with pytest.raises(FilterSyntaxError):
            rows.check_recent(connection, 2, None, None, "status")
        with pytest.raises(FilterSyntaxError):
            rows.check_recent(connection, 2, None, None, "created", "nonsense")


@unordered
def test_times_that_the_reference_wrote_are_local(place):
    class Local(Rows):
        def to_record(self, row):
            found = super().to_record(row)
            if f"{found.modified:%Y-%m-%dT%H:%M:%S.%fZ}" in json.dumps(row["meta"]):
                return found
            return replace(found, modified=found.modified - timedelta(hours=2))

    rows = Local(place, ALL, "levels")
    rows.add(timed("ours", 10), timed("theirs", 5))
    time = "2026-01-01 03:00:00" if place.dialect == "sqlite" else "2026-01-01 03:00:00.000000"
    rows.database.execute(
        f"update rows set pipestat_modified_time = '{time}' where record_identifier = 'theirs'"
    )
    rows.records["theirs"] = timed("theirs", 3600)
    late = Comparison(("pipestat_modified_time",), "gt", "2026-01-01T00:30:00.000000Z")
    with rows.connected() as connection:
        assert names(rows.check_select(connection, Query(where=late))) == ["theirs"]
        assert names(rows.check_recent(connection, 1)) == ["theirs"]
        assert names(rows.check_recent(connection, 1, None, None, "created")) == ["ours"]
        rows.check_distinct(connection, ["pipestat_modified_time"])
        assert rows.select(connection, Query(where=late)).total_size == 1


# Indexes


@unordered
def test_an_index_serves(place):
    rows = Rows(place, ALL)
    rows.add(*(record(f"{i:05}", {"n": i, "s": f"{i}"}) for i in range(3000)))
    rows.database.execute('create index by_n on rows ("n")')
    rows.database.execute(
        "create index extended on rows (record_identifier) where pipestat_extended_data is not null"
    )
    rows.database.execute("analyze")
    where = Comparison(("n",), "lt", 2.5)
    with rows.connected() as connection:
        rows.check_select(connection, Query(where=where))
        matching = condition(where, rows.table, rows.reader(connection).dialect)
        statement = sa.select(rows.table.table.c.n).where(matching)
        explain = "explain query plan " if place.dialect == "sqlite" else "explain "
        text, parameters = compiled(statement, connection.dialect)
        plan = "\n".join(map(str, connection.execute(explain + text, parameters)))
    assert "by_n" in plan, plan
    assert "Seq Scan" not in plan, plan
