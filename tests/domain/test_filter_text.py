from decimal import Decimal
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipestat_spec.domain.filter_conditions import filter_from_conditions
from pipestat_spec.domain.filter_text import MAX_NESTING, parse_filter
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.models.query import And, Comparison, In, IsNull, Like, Not, Or
from tests.filter_texts import written


def eq(name, value):
    return Comparison((name,), "eq", value)


A, B, C = eq("a", 1), eq("b", 2), eq("c", 3)

TEXTS = [
    # Comparisons
    ("reads = 5", eq("reads", 5)),
    ("reads!=5", Not(eq("reads", 5))),
    ("reads < 5", Comparison(("reads",), "lt", 5)),
    ("reads<=5", Comparison(("reads",), "le", 5)),
    ("reads > 5", Comparison(("reads",), "gt", 5)),
    ("reads>=-5", Comparison(("reads",), "ge", -5)),
    ("\n reads\t=\r\n5 ", eq("reads", 5)),
    # Literals
    ("a = +5", eq("a", 5)),
    ("a = 0", eq("a", 0)),
    ("a = 1.0", eq("a", 1.0)),
    ("a = -0.5", eq("a", -0.5)),
    ("a = 1e3", eq("a", 1000.0)),
    ("a = 12E-1", eq("a", 1.2)),
    ("a = 9223372036854775807", eq("a", 2**63 - 1)),
    ("a = -9223372036854775808", eq("a", -(2**63))),
    ("a = 9223372036854775808.0", eq("a", 2.0**63)),
    ("a = true", eq("a", True)),
    ("a = FALSE", eq("a", False)),
    ("a = ''", eq("a", "")),
    ("a = 'it''s'", eq("a", "it's")),
    ("a = ''''", eq("a", "'")),
    ("a = 'and or (\"x\") \n\\'", eq("a", 'and or ("x") \n\\')),
    ("a = 'Zürich'", eq("a", "Zürich")),
    # Lists, patterns, null
    ("a in (1, 'x', true)", In(("a",), (1, "x", True))),
    ("a IN (1)", In(("a",), (1,))),
    ("a in ()", In(("a",), ())),
    ("a not in (1)", Not(In(("a",), (1,)))),
    ("a like 'chr%'", Like(("a",), "chr%")),
    ("a Not Like '100\\%'", Not(Like(("a",), "100\\%"))),
    ("a is null", IsNull(("a",))),
    ("a IS NOT NULL", Not(IsNull(("a",)))),
    # Names
    ("align.rate = 1", Comparison(("align", "rate"), "eq", 1)),
    ("_a-b9.c-d = 1", Comparison(("_a-b9", "c-d"), "eq", 1)),
    ('"Name with spaces".rate = 1', Comparison(("Name with spaces", "rate"), "eq", 1)),
    ('"a.b" = 1', eq("a.b", 1)),
    ('a."b ""c""" = 1', Comparison(("a", 'b "c"'), "eq", 1)),
    ('"""" = 1', eq('"', 1)),
    ('a."" = 1', Comparison(("a", ""), "eq", 1)),
    ('"In" = 1', eq("In", 1)),
    ("a.in = 1", Comparison(("a", "in"), "eq", 1)),
    ("notes = 1", eq("notes", 1)),
    ("is_null is null", IsNull(("is_null",))),
    # Precedence: not > and > or
    ("a=1 and b=2 and c=3", And((A, B, C))),
    ("a=1 or b=2 or c=3", Or((A, B, C))),
    ("a=1 or b=2 and c=3", Or((A, And((B, C))))),
    ("a=1 and b=2 or c=3", Or((And((A, B)), C))),
    ("(a=1 or b=2) and c=3", And((Or((A, B)), C))),
    ("a=1 and (b=2 and c=3)", And((A, And((B, C))))),
    ("not a=1 and b=2", And((Not(A), B))),
    ("not (a=1 and b=2)", Not(And((A, B)))),
    ("not not a=1", Not(Not(A))),
    ("not a != 1", Not(Not(A))),
    ("((a=1))", A),
    ("a=1 AND NOT b=2 Or c=3", Or((And((A, Not(B))), C))),
    (
        "reads > 1000 and (genome = 'hg38' or status in ('failed', 'partial'))"
        " and align.rate >= 0.9",
        And(
            (
                Comparison(("reads",), "gt", 1000),
                Or((eq("genome", "hg38"), In(("status",), ("failed", "partial")))),
                Comparison(("align", "rate"), "ge", 0.9),
            )
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_text_means_filter(text, expected):
    parsed = parse_filter(text)
    assert repr(parsed) == repr(expected)  # tells 1 from 1.0 and true


WRONG_TEXTS = [
    # text, column, part of what is said
    ("", 1, "expected a filter"),
    ("   ", 4, "expected a filter"),
    ("reads", 6, "write reads = true"),
    ("reads >", 8, "expected a number, a string, true or false, the filter ends"),
    ("reads > and b = 1", 9, "found and"),
    ("x = null", 5, "write x is null"),
    ("x != NULL", 6, "write x is not null"),
    ('"my x" = null', 10, 'write "my x" is null'),
    ("x < null", 5, "write x is null"),
    ("x in (1, null)", 10, "is null"),
    ("genome = hg38", 10, "single quotes: 'hg38'"),
    ('genome = "hg38"', 10, "single quotes: 'hg38'"),
    ("'genome' = 1", 1, "names stand in double quotes"),
    ("Aligned reads > 3", 9, "a name with spaces stands in double quotes"),
    ("in = 3", 1, 'write "in" if it is a name'),
    ("5 < a", 1, "left of the operator"),
    ("a == 1", 3, "write ="),
    ("a <> 1", 3, "write !="),
    ("a => 1", 3, "write >="),
    ("a =< 1", 3, "write <="),
    ("a=1 && b=1", 5, "write and"),
    ("a=1 || b=1", 5, "write or"),
    ("! a=1", 1, "write != or not"),
    ("a in [1]", 6, "a list stands in parentheses"),
    ("a in 1", 6, "('a', 'b')"),
    ("a in (1,)", 9, "found )"),
    ("a in (1 2)", 9, "expected , or )"),
    ("a in (b)", 7, "single quotes: 'b'"),
    ("a like 5", 8, "single quotes: 'chr%'"),
    ("a like 'x\\'", 8, "escapes nothing"),
    ("a is 5", 6, "expected null or not null"),
    ("a is not 5", 10, "expected null,"),
    ("a not = 5", 7, "expected in or like"),
    ("(a = 1", 7, "expected and, or or )"),
    ("a = 1)", 6, "expected and, or or the end"),
    ("a = 1 b = 2", 7, "expected and, or or the end"),
    ("a = 1 and", 10, "expected the name of a result"),
    ("a = 'x", 5, "close the string"),
    ('"a = 1', 1, "close the name"),
    ("a.0 = 1", 2, "in double quotes"),
    ("a. b = 1", 2, "in double quotes"),
    ("a = .5", 5, "-0.5"),
    ("a = 01", 5, "numbers are written"),
    ("a = 5x", 5, "numbers are written"),
    ("a = 1e999", 5, "a double can hold"),
    ("a = 9223372036854775808", 5, "signed 64-bit"),
    ("a = -9223372036854775809", 5, "signed 64-bit"),
    ("a = " + "9" * 5000, 5, "signed 64-bit"),
    ("a = 'x\0'", 5, "NUL"),
    ("a = '\ud800'", 5, "lone surrogates"),
    ('"\0" = 1', 1, "NUL"),
    ("é = 1", 1, "in double quotes"),
    ("a = '\n' x", 9, "expected and, or or the end"),
]


@pytest.mark.parametrize(("text", "column", "said"), WRONG_TEXTS)
def test_error_points_at_the_column_and_says_what_mends_it(text, column, said):
    with pytest.raises(FilterSyntaxError) as caught:
        parse_filter(text)
    message = str(caught.value)
    assert caught.value.column == column
    assert f"column {column}:" in message
    assert said in message
    assert message.isprintable()
    assert len(message) < 400


def test_error_quotes_the_text_around():
    with pytest.raises(FilterSyntaxError, match=r"near: .*genome = hg38 and"):
        parse_filter("reads > 1000 and genome = hg38 and rate > 0.5")


def nested(depth, opening, closing=""):
    return opening * depth + "a = 1" + closing * depth


def test_nesting_is_limited():
    assert parse_filter(nested(MAX_NESTING, "(", ")")) == A
    assert repr(parse_filter(nested(MAX_NESTING, "not "))) == (
        "Not(operand=" * MAX_NESTING + repr(A) + ")" * MAX_NESTING
    )
    for text in (nested(MAX_NESTING + 1, "(", ")"), nested(MAX_NESTING + 1, "not ")):
        with pytest.raises(FilterSyntaxError, match="at most 100"):
            parse_filter(text)
    with pytest.raises(FilterSyntaxError, match="at most 100"):
        parse_filter("(" * 100_000)


def test_length_is_not_limited():
    parsed = parse_filter(" and ".join(["a = 1"] * 20_000))
    assert isinstance(parsed, And)
    assert len(parsed.operands) == 20_000


PRECEDENCE = [
    (Not(eq("a b", "it's")), "\"a b\" != 'it''s'"),
    (Not(In(("a",), (1, 2.0, True))), "a not in (1, 2.0, true)"),
    (Not(Like(("a", "b.c"), "x%")), "a.\"b.c\" not like 'x%'"),
    (Not(IsNull(("null",))), '"null" is not null'),
    (Not(Comparison(("a",), "lt", 1e22)), "not a < 1e+22"),
    (And((A, Or((B, C)))), "a = 1 and (b = 2 or c = 3)"),
    (Or((A, And((B, C)))), "a = 1 or b = 2 and c = 3"),
    (Or((A, Or((B, C)))), "a = 1 or (b = 2 or c = 3)"),
    (Not(Or((A, B))), "not (a = 1 or b = 2)"),
    (Not(Not(A)), "not a != 1"),
]


@pytest.mark.parametrize(("filter", "text"), PRECEDENCE)
def test_what_binds_stronger(filter, text):
    assert repr(parse_filter(text)) == repr(filter)


text_values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
tricky = st.sampled_from(["in", "Not", "a", "b-c", "x y", "a.b", '"', "", "é", "1", "null", "\n"])
paths = st.lists(text_values | tricky, min_size=1, max_size=3).map(tuple)
literals = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text_values
    | st.sampled_from(["'", "''", "%", "null", "true"])
)
patterns = text_values.map(lambda text: text.replace("\\", "\\\\")) | st.just("a\\%_%")
leaves = (
    st.builds(Comparison, paths, st.sampled_from(["eq", "lt", "le", "gt", "ge"]), literals)
    | st.builds(In, paths, st.lists(literals, max_size=3).map(tuple))
    | st.builds(Like, paths, patterns)
    | st.builds(IsNull, paths)
)


def several(filters):
    return st.lists(filters, min_size=2, max_size=3).map(tuple)


filters = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner) | st.builds(And, several(inner)) | st.builds(Or, several(inner))
    ),
    max_leaves=12,
)


@given(filters)
def test_every_filter_is_read_as_it_is_written(filter):
    assert repr(parse_filter(written(filter))) == repr(filter)


@given(st.text(max_size=30) | st.text("ab1 .'\"()=<>!,-+e%\\notinlike", max_size=40))
def test_any_text_is_a_filter_or_refused(text):
    try:
        parsed = parse_filter(text)
    except FilterSyntaxError as error:
        refused = error
    else:
        assert repr(parse_filter(written(parsed))) == repr(parsed)
        return
    assert 1 <= refused.column <= len(text) + 1
    assert str(refused).isprintable()


def condition(key, operator, value):
    return {"key": key, "operator": operator, "value": value}


CONDITIONS = [
    (condition("a", "eq", 1), A),
    (condition("a", "ne", 1), Not(A)),
    (condition("a", "lt", 1), Comparison(("a",), "lt", 1)),
    (condition("a", "le", 1), Comparison(("a",), "le", 1)),
    (condition("a", "gt", "x"), Comparison(("a",), "gt", "x")),
    (condition("a", "ge", 1.5), Comparison(("a",), "ge", 1.5)),
    (condition("a", "in", [1, "x"]), In(("a",), (1, "x"))),
    (condition("a", "in", (1,)), In(("a",), (1,))),
    (condition("a", "in", []), In(("a",), ())),
    (condition("a", "in", [1, None]), Or((In(("a",), (1,)), IsNull(("a",))))),
    (condition("a", "like", "x%"), Like(("a",), "x%")),
    (condition("a", "eq", None), IsNull(("a",))),
    (condition("a", "ne", None), Not(IsNull(("a",)))),
    (condition("a", "eq", [1, {"b": 2}]), eq("a", [1, {"b": 2}])),
    (condition("a.b", "eq", 1), eq("a.b", 1)),
    (condition(["a", "b.c"], "eq", 1), Comparison(("a", "b.c"), "eq", 1)),
    (condition(("a",), "eq", 1), A),
    ({"value": 1, "operator": "eq", "key": "a"}, A),
    (condition("a", "eq", Decimal("1.5")), eq("a", 1.5)),
    (condition("a", "eq", PurePosixPath("x/y")), eq("a", "x/y")),
]


@pytest.mark.parametrize(("given", "expected"), CONDITIONS)
def test_condition(given, expected):
    assert repr(filter_from_conditions([given])) == repr(expected)


def test_conditions_are_joined():
    given = [condition("a", "eq", 1), condition("b", "eq", 2)]
    assert filter_from_conditions(given) == And((A, B))
    assert filter_from_conditions(given, "and") == And((A, B))
    assert filter_from_conditions(tuple(given), "Or") == Or((A, B))
    assert filter_from_conditions([]) is None
    assert filter_from_conditions(None, "OR") is None


WRONG_CONDITIONS = [
    ([condition("a", "eqq", 1)], "operator 'eqq' is not known; did you mean 'eq'"),
    ([condition("a", "EQ", 1)], "did you mean 'eq'"),
    ([condition("a", "=", 1)], "known are eq, ne, lt, le, gt, ge, in, like"),
    ([condition("a", ["eq"], 1)], "is not known"),
    ([{"key": "a", "value": 1}], "condition 1 has no 'operator'"),
    ([{"operator": "eq", "value": 1}], "condition 1 has no 'key'"),
    ([{"key": "a", "operator": "eq"}], "condition 1 has no 'value'"),
    ([condition("a", "eq", 1), {"kye": "a"}], "condition 2: the entry 'kye' .* mean 'key'"),
    ([condition("", "eq", 1)], "neither a name nor a path"),
    ([condition([], "eq", 1)], "neither a name nor a path"),
    ([condition(["a", 0], "eq", 1)], "neither a name nor a path"),
    ([condition(None, "eq", 1)], "neither a name nor a path"),
    ([condition("a", "lt", None)], "cannot compare with null"),
    ([condition("a", "in", "abc")], "needs a list"),
    ([condition("a", "like", 5)], "needs a string"),
    ([condition("a", "like", "x\\")], "escapes nothing"),
    ([condition("a", "eq", float("nan"))], "not a JSON number"),
    ([condition("a", "eq", 2**63)], "64-bit"),
    ([condition("a", "eq", object())], "no counterpart"),
    (["a = 1"], "condition 1 is not a mapping"),
    (condition("a", "eq", 1), "not a list"),
    ("a = 1", "not a list"),
]


@pytest.mark.parametrize(("given", "said"), WRONG_CONDITIONS)
def test_wrong_condition(given, said):
    with pytest.raises(FilterSyntaxError, match=said):
        filter_from_conditions(given)


@pytest.mark.parametrize("conditions", [None, [condition("a", "eq", 1)]])
def test_wrong_bool_operator(conditions):
    with pytest.raises(FilterSyntaxError, match="'XOR' is not known; write AND or OR"):
        filter_from_conditions(conditions, "XOR")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("n = 1 and " + ".".join(["a"] * 101) + " = 1", 11),
        (".".join(["a"] * 10_000) + " = 1", 1),
        ("s like '" + "%a" * 50_001 + "'", 8),
    ],
)
def test_what_is_too_long_is_refused(text: str, column: int) -> None:
    with pytest.raises(FilterSyntaxError) as caught:
        parse_filter(text)
    assert f"column {column}:" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_longest_that_is_allowed() -> None:
    path = ["a"] * 100
    assert parse_filter(".".join(path) + " = 1") == Comparison(tuple(path), "eq", 1)
    pattern = "%a" * 50_000
    assert parse_filter(f"s like '{pattern}'") == Like(("s",), pattern)
