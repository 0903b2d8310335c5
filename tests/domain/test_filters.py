from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.filters import (
    SPECIAL_FIELDS,
    check_pattern,
    compile_filter,
    field_value,
    fields,
    matches,
    order_key,
    unknown_fields,
)
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.models.query import And, Comparison, In, IsNull, Like, Not, Or
from pipestat_spec.models.record import Record, RecordKey


def record(results=None, **rest):
    return Record(RecordKey("sample", "s1"), results or {}, **rest)


MISSING = object()


def holds(text, value=MISSING):
    return matches(parse_filter(text), record({} if value is MISSING else {"x": value}))


COMPARISONS = [
    # Numbers by value
    (1, "x = 1", True),
    (1, "x = 1.0", True),
    (1.0, "x = 1", True),
    (0.5, "x < 1", True),
    (2, "x > 1.5", True),
    (1, "x >= 1.0", True),
    (1, "x <= 0.999", False),
    (-0.0, "x = 0", True),
    (9007199254740993, "x = 9007199254740992.0", False),
    (9007199254740993, "x > 9007199254740992.0", True),
    (9223372036854775807, "x = 9223372036854775807", True),
    (9223372036854775807, "x = 9223372036854775806", False),
    # Booleans with booleans, and without order
    (True, "x = true", True),
    (True, "x = false", False),
    (False, "x in (true, false)", True),
    (True, "x = 1", False),
    (True, "x >= 1", False),
    (1, "x = true", False),
    (0, "x in (false)", False),
    (False, "x < true", False),
    (True, "x >= true", False),
    # Strings by code point
    ("b", "x > 'a'", True),
    ("Z", "x < 'a'", True),
    ("é", "x > 'z'", True),
    ("\U0001f600", "x > '\uff5e'", True),  # UTF-16 orders these the other way round
    ("", "x = ''", True),
    ("", "x < 'a'", True),
    ("10", "x < '9'", True),
    ("a", "x = 'A'", False),
    ("é", "x = 'e\u0301'", False),
    # Other types
    ("1", "x = 1", False),
    (1, "x = '1'", False),
    ("1", "x < 2", False),
    (1, "x < '2'", False),
    ([1], "x = 1", False),
    ({"a": 1}, "x > 0", False),
    # Lists
    (2, "x in (1, 2.0)", True),
    (3, "x in (1, 2)", False),
    ("2", "x in (2)", False),
    (2, "x in ()", False),
    # Patterns
    ("chr1", "x like 'chr%'", True),
    ("Chr1", "x like 'chr%'", False),
    ("chr1", "x like 'hr%'", False),
    ("chr1", "x like '%hr%'", True),
    ("chr1", "x like 'chr_'", True),
    ("chr12", "x like 'chr_'", False),
    ("chr", "x like 'chr%'", True),
    ("", "x like ''", True),
    ("", "x like '%'", True),
    ("a", "x like ''", False),
    ("a\nb", "x like 'a%b'", True),
    ("a\nb", "x like 'a_b'", True),
    ("a\n", "x like 'a'", False),
    ("\U0001f600", "x like '_'", True),
    ("100%", r"x like '100\%'", True),
    ("1000", r"x like '100\%'", False),
    ("a_b", r"x like 'a\_b'", True),
    ("axb", r"x like 'a\_b'", False),
    ("a\\b", r"x like 'a\\b'", True),
    ("ab", r"x like '\ab'", True),
    ("a.c", "x like 'a.c'", True),
    ("abc", "x like 'a.c'", False),
    ("[a]*", "x like '[a]*'", True),
    ("aXbXc", "x like 'a%b%c'", True),
    ("acb", "x like 'a%b%c'", False),
    ("abab", "x like '%ab'", True),
    ("ab", "x like 'ab%ab'", False),
    ("aab", "x like '%ab%'", True),
    (12, "x like '1%'", False),
    (None, "x like '%'", False),
]


@pytest.mark.parametrize(("value", "text", "expected"), COMPARISONS)
def test_comparison_and_its_negation(value, text, expected):
    assert holds(text, value) is expected
    assert holds(f"not {text}", value) is not expected


@pytest.mark.parametrize("value", [MISSING, None])
@pytest.mark.parametrize(
    "text", ["x = 1", "x < 1", "x >= 1", "x = ''", "x = false", "x in (1)", "x like '%'"]
)
def test_missing_and_null_fulfil_no_comparison(value, text):
    assert holds(text, value) is False
    assert holds(f"not {text}", value) is True
    assert holds("x is null", value) is True
    assert holds("x is not null", value) is False
    assert holds("x != 1", value) is True
    assert holds("x not in (1)", value) is True
    assert holds("x not like 'a'", value) is True


@pytest.mark.parametrize("value", [0, False, "", [], {}, "null"])
def test_empty_values_are_not_null(value):
    assert holds("x is null", value) is False


def test_null_as_a_value_equals_nothing():
    for value in (None, 1):
        assert not matches(Comparison(("x",), "eq", None), record({"x": value}))
        assert not matches(Comparison(("x",), "le", None), record({"x": value}))
    assert not matches(In(("x",), (None,)), record({"x": None}))
    assert matches(In(("x",), (None, 1)), record({"x": 1}))


DEEP = [
    ([1, 2], [1, 2.0], True),
    ([1, 2], [2, 1], False),
    ([1, True], [1, 1], False),
    ([1], [1, None], False),
    ([], {}, False),
    ({"a": 1, "b": [{}]}, {"b": [{}], "a": 1.0}, True),
    ({"a": 1}, {"a": 1, "b": None}, False),
    ({"a": "1"}, {"a": 1}, False),
    ([2**53 + 1], [float(2**53)], False),
    ([1e300], [1e300], True),
    (["é"], ["é"], True),
]


@pytest.mark.parametrize(("stored", "given", "expected"), DEEP)
def test_arrays_and_objects_are_compared_deeply(stored, given, expected):
    one = record({"x": stored})
    assert matches(Comparison(("x",), "eq", given), one) is expected
    assert matches(In(("x",), (5, given)), one) is expected
    assert (order_key(stored) == order_key(given)) is expected


def test_arrays_and_objects_have_no_order_in_filters():
    for operator in ("lt", "le", "gt", "ge"):
        assert not matches(Comparison(("x",), operator, [2]), record({"x": [2]}))
        assert not matches(Comparison(("x",), operator, {}), record({"x": {}}))


NESTED = {"align": {"rate": 0.9, "by": {"a.b": "x", "0": "zero"}}, "a.b": 1, "list": [{"n": 1}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("align.rate > 0.5", True),
        ("align.by.\"a.b\" = 'x'", True),
        ("align.by.\"0\" = 'zero'", True),
        ('"a.b" = 1', True),
        ("a.b is null", True),
        ("align.none.deeper is null", True),
        ("align.rate.deeper is null", True),
        ('list."0" is null', True),
        ("list.n is null", True),
        ("align = 1", False),
        ("align is null", False),
    ],
)
def test_paths_lead_through_objects_only(text, expected):
    assert matches(parse_filter(text), record(NESTED)) is expected


def test_results_may_be_any_mapping():
    one = record(MappingProxyType({"x": {"y": 1}}))
    assert field_value(one, ("x", "y")) == 1


FULL = record(
    {"reads": 5},
    status="failed",
    status_message="boom",
    created=datetime(2026, 1, 31, 12, 0, 0, 5, UTC),
    modified=datetime(2026, 2, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("record_identifier = 's1'", True),
        ("record_identifier in ('s2')", False),
        ("status = 'failed'", True),
        ("status in ('failed', 'partial')", True),
        ("pipestat_created_time = '2026-01-31T12:00:00.000005Z'", True),
        ("pipestat_created_time < '2026-02'", True),
        ("pipestat_modified_time = '2026-02-01T00:00:00.000000Z'", True),
        ("status_message is null", True),
        ("status.x is null", True),
    ],
)
def test_special_fields(text, expected):
    assert matches(parse_filter(text), FULL) is expected


def test_special_fields_can_be_missing():
    for name in SPECIAL_FIELDS - {"record_identifier"}:
        assert matches(IsNull((name,)), record())
        assert field_value(record(), (name,), "none") == "none"


def test_field_value_tells_missing_from_null():
    one = record({"x": None, "o": {"y": None}})
    assert field_value(one, ("x",), MISSING) is None
    assert field_value(one, ("o", "y"), MISSING) is None
    assert field_value(one, ("y",), MISSING) is MISSING
    assert field_value(one, ("o", "z"), MISSING) is MISSING
    assert field_value(one, ("x", "y"), MISSING) is MISSING


def test_connectives():
    yes, no = IsNull(("x",)), Not(IsNull(("x",)))
    for filter, expected in [
        (And(()), True),
        (Or(()), False),
        (And((yes, no)), False),
        (And((yes, yes)), True),
        (Or((no, yes)), True),
        (Or((no, no)), False),
        (Not(Not(yes)), True),
    ]:
        assert matches(filter, record()) is expected


def test_pattern_that_ends_in_its_escape():
    assert check_pattern(r"a\\") == r"a\\"
    for pattern in ("\\", "a\\", "\\\\\\", "\n\\"):
        with pytest.raises(FilterSyntaxError, match="escapes nothing"):
            compile_filter(Like(("x",), pattern))


def test_pattern_with_many_wildcards_comes_to_an_end():
    like = compile_filter(Like(("x",), "%a" * 30 + "%b"))
    assert not like(record({"x": "a" * 5000}))


def test_order_key_is_the_documented_order():
    ordered = [
        *(None, False, True),
        *(-1.5, 0, 0.5, 2**53, 2**53 + 1, 1e300),
        *("", "1", "Z", "a", "\uff5e", "\U0001f600"),
        # By their text, so not by their length.
        *(["a"], [1, 2], [1], [], [True]),
        *({"a": 1}, {"b": 0}, {}),
    ]
    keys = [order_key(value) for value in ordered]
    assert sorted(keys) == keys
    assert len(set(keys)) == len(keys)
    assert order_key({"b": 1.0, "a": -0.0}) == order_key({"a": 0, "b": 1})


def test_fields():
    filter = parse_filter("a = 1 and (b.c in (1) or not d like 'x') and a is null")
    assert list(fields(filter)) == [("a",), ("b", "c"), ("d",), ("a",)]


def test_unknown_fields():
    where = parse_filter("reads > 1 and align.any = 1 and status = 'x'")
    assert unknown_fields(where, {"reads", "align"}) == {}
    where = parse_filter("reads > 1 or raeds < 1 and not (statsu = 'x' or zzz = 1)")
    assert unknown_fields(where, ["reads", "align"]) == {
        "raeds": "reads",
        "statsu": "status",
        "zzz": None,
    }


scalars = st.sampled_from([None, True, False, 0, 1, 1.0, 2.5, "", "a", "b%", "1"])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.just("k"), scalars)
paths = st.sampled_from([("x",), ("y",), ("x", "k"), ("status",), ("record_identifier",)])
leaves = (
    st.builds(Comparison, paths, st.sampled_from(["eq", "lt", "le", "gt", "ge"]), values)
    | st.builds(In, paths, st.lists(values, max_size=3).map(tuple))
    | st.builds(Like, paths, st.sampled_from(["%", "a", "_", "b\\%"]))
    | st.builds(IsNull, paths)
)
filters = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
records = st.builds(
    lambda results, status: record(results, status=status),
    st.dictionaries(st.sampled_from(["x", "y"]), values),
    st.sampled_from([None, "a", "failed"]),
)


@given(filters, filters, records)
def test_logic_is_two_valued(a, b, one):
    assert matches(Not(And((a, b))), one) == matches(Or((Not(a), Not(b))), one)
    assert matches(Not(Or((a, b))), one) == matches(And((Not(a), Not(b))), one)
    assert matches(Or((a, Not(a))), one)
    assert not matches(And((a, Not(a))), one)


@given(paths, st.lists(values, max_size=3), records)
def test_in_is_an_or_of_equals(path, given, one):
    equals = Or(tuple(Comparison(path, "eq", value) for value in given))
    assert matches(In(path, tuple(given)), one) == matches(equals, one)


def by_hand(pattern, text):
    """Match a pattern without escapes the slow way."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(by_hand(pattern[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and by_hand(pattern[1:], text[1:])


@given(st.text("ab%_", max_size=7), st.text("ab", max_size=8))
def test_like_agrees_with_the_slow_way(pattern, text):
    assert matches(Like(("x",), pattern), record({"x": text})) == by_hand(pattern, text)
