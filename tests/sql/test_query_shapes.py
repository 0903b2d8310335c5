"""Searches that differ by values alone share a statement, and each has its own answer."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from pipestat_sql.queries.conditions import condition
from pipestat_sql.queries.shapes import Shape
from pipestat_sql.queries.table_reader import dialect_of
from pipestat_sql.rows.statements import compiled
from pipestat_sql.tables.column_types import Kind
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect

from pipestat_spec.models.query import And, Comparison, In, Like, Not, Or, Query
from pipestat_spec.models.record import Record, RecordKey
from tests.sql import query_cases as cases
from tests.sql.query_tables import Rows

ALL = {"n": Kind.INTEGER, "x": Kind.NUMBER, "s": Kind.STRING, "flag": Kind.BOOLEAN,
       "doc": Kind.JSON}  # fmt: skip
FIELDS = [("n",), ("x",), ("s",), ("flag",), ("doc",), ("doc", "a"), ("elsewhere",),
          ("record_identifier",), ("status",), ("pipestat_modified_time",)]  # fmt: skip
DIALECTS = {"sqlite": sqlite_dialect(paramstyle="named"), "postgresql": psycopg_dialect()}


def record(name, results):
    return Record(RecordKey("sample", name), results, "completed")


@pytest.fixture
def table(make_database):
    return Rows(make_database("sqlite"), ALL).table


@pytest.fixture(params=["sqlite", "postgresql"])
def rows(request, make_database):
    return Rows(make_database(request.param), ALL)


def ask(rows, where):
    with rows.connected() as connection:
        page = rows.check_select(connection, Query(where=where))
    return [one.key.identifier for one in page.records]


VALUES = [1, -7, 2**53 - 1, 2**53, 2**63, 2**64, 0.0, -0.0, 3.0, 2.5, -0.25, 1e-7, 1e300, "", "a",
          "\uffff", "b\x00", "2026-01-01T00:00:00.000001Z", "2026", None, True, False, [1],
          {"a": 1}]  # fmt: skip
LISTS = [(), (1, 2), (5, 7, 9), (1, 1), (1, 2.5), (2.5, 3.5), ("a", "b"), ("a", "c", "d"),
         ("a", 1), (None, "a"), (True, 1), ([1], [2])]  # fmt: skip


def filters(path):
    """Filters on one field, those of an operator together."""
    for operator in ("eq", "lt", "ge"):
        yield [Comparison(path, operator, value) for value in VALUES]
    yield [In(path, values) for values in LISTS]
    yield [Like(path, pattern) for pattern in cases.PATTERNS]


def check_shared(filters, table):
    """Check that those of one shape have one statement, with the values of each."""
    for name, dialect in DIALECTS.items():
        first = {}
        for where in filters:
            shape = Shape(where)
            fresh = compiled(sa.select(condition(shape, table, dialect_of(name))), dialect)
            shared, derivations = first.setdefault(
                str(shape.key), (fresh, shape.derivations(fresh.parameters))
            )
            assert fresh.text == shared.text, where
            parameters = {**shared.parameters, **shape.values(derivations)}
            assert parameters == fresh.parameters, where


@pytest.mark.parametrize("path", FIELDS)
def test_a_statement_is_that_of_every_filter_of_its_shape(table, path):
    for alike in filters(path):
        check_shared(alike, table)


def test_values_are_told_apart_in_a_filter_of_many(table):
    def filter(*values):
        first, second, third, fourth, fifth = values
        few = Or((Comparison(("n",), "eq", first), Comparison(("n",), "eq", second)))
        other = Or((Comparison(("doc", "a"), "lt", third), Like(("s",), fourth)))
        return And((few, Not(other), Not(Not(In(("s",), fifth)))))

    alike = [filter(1, 2, 3.5, "a%", ("a", "b")), filter(8, 9, 7.5, "bc%", ("c", "d", "e"))]
    assert len({Shape(where).key for where in alike}) == 1
    check_shared(alike, table)
    alternatives = [filter(1, 1, 3.5, "a%", ("a", "b")), filter(8, 9, 7.5, "%b", ("c", "d"))]
    check_shared([*alike, *alternatives], table)


@pytest.mark.parametrize("path", FIELDS[:-1])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, -(2**53) + 1),
        (1.5, -0.25),
        (1.0, -3.0),
        ("a", "é"),
    ],
)
def test_values_of_one_kind_have_one_shape(path, one, other):
    for operator in ("eq", "lt", "le", "gt", "ge"):
        shapes = (Shape(Comparison(path, operator, value)) for value in (one, other))
        assert len({shape.key for shape in shapes}) == 1
    many = In(path, (one, other)), In(path, (other, one, one))
    if not isinstance(one, float):
        assert len({Shape(where).key for where in many}) == 1


@pytest.mark.parametrize(
    "values",
    [
        [1, 1.0, 1.5, "1", True, False, None, 2**53, 2**63, 2**64, 1e300, 10**400],
        ["a", "a\x00b", "b\x00", "\ud800", [1], [2], {"a": 1}, {"a": 2}],
    ],
)
def test_what_is_translated_in_a_way_of_its_own_has_a_shape_of_its_own(values):
    keys = [Shape(Comparison(("n",), "lt", value)).key for value in values]
    # By its text: 1 and True are equal.
    assert len(set(map(str, keys))) == len(values)


def test_lists_of_one_value_and_of_several_are_apart():
    lists = [(1,), (1, 2), (1, 1), (1, "a"), ()]
    assert len({Shape(In(("n",), values)).key for values in lists}) == len(lists)


def test_each_search_has_its_own_answer(rows):
    rows.add(
        record("a", {"n": 1, "x": 1.0, "s": "a", "doc": {"a": 1}}),
        record("b", {"n": 2, "x": 2.5, "s": "ab", "doc": {"a": "a"}, "elsewhere": 2}),
        record("c", {"n": 3, "x": 9.5, "s": "b", "doc": {"a": 3.5}, "elsewhere": "b"}),
    )
    at = ("doc", "a")
    for where, expected in (
        (Comparison(("n",), "ge", 2), "bc"),
        (Comparison(("n",), "ge", 3), "c"),
        (Comparison(("n",), "ge", 2.5), "c"),
        (Comparison(("n",), "ge", 0.5), "abc"),
        (Comparison(("n",), "ge", 2.0), "bc"),
        (Comparison(("n",), "ge", "2"), ""),
        (Comparison(("n",), "ge", -(2**70)), "abc"),
        (Comparison(("n",), "ge", None), ""),
        (Comparison(("x",), "lt", 2), "a"),
        (Comparison(("x",), "lt", 9), "ab"),
        (Comparison(("x",), "lt", 9.75), "abc"),
        (Comparison(at, "gt", 0), "ac"),
        (Comparison(at, "gt", 2), "c"),
        (Comparison(at, "gt", 3.25), "c"),
        (Comparison(at, "gt", 3.75), ""),
        (Comparison(at, "gt", ""), "b"),
        (Comparison(at, "eq", 1), "a"),
        (Comparison(at, "eq", 3.5), "c"),
        (Comparison(at, "eq", "a"), "b"),
        (Comparison(at, "eq", True), ""),
        (In(at, (1, 2)), "a"),
        (In(at, (5, 6, 7)), ""),
        (In(at, ("a", "b")), "b"),
        (In(at, (3.5, "a")), "bc"),
        (In(("s",), ("a", "b")), "ac"),
        (In(("s",), ("ab", "c", "d")), "b"),
        (Comparison(("elsewhere",), "eq", 2), "b"),
        (Comparison(("elsewhere",), "eq", "b"), "c"),
        (Like(("s",), "a%"), "ab"),
        (Like(("s",), "b%"), "c"),
        (Like(("s",), "%b"), "bc"),
        (Like(("s",), "%ab"), "b"),
        (Or((Comparison(("n",), "eq", 1), Comparison(("n",), "eq", 3))), "ac"),
        (Or((Comparison(("n",), "eq", 2), Comparison(("n",), "eq", 3))), "bc"),
    ):
        assert "".join(ask(rows, where)) == expected, where


def test_searches_of_one_shape_are_built_once_and_few_are_kept(rows):
    rows.add(*(record(f"{number}", {"n": number}) for number in range(3)))
    for number in range(3):
        assert ask(rows, Comparison(("n",), "eq", number)) == [f"{number}"]
        assert len(rows.searches) == 1
    for number in range(110):
        assert ask(rows, Comparison((f"unknown {number}",), "eq", number)) == []
    assert len(rows.searches) <= 100
