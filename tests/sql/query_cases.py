"""Random records and questions, with values on which databases and memory tend to differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from pipestat_sql.tables.column_types import Kind

from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.query import And, Comparison, Filter, In, IsNull, Like, Not, Or, Query
from pipestat_spec.models.record import Record, RecordKey

INTEGERS = [0, 1, -1, 2, 3, 2**31, 2**53, 2**53 + 1, -(2**53) - 1, 2**60, 2**63 - 1, -(2**63)]
NUMBERS = [0.0, -0.0, 1.0, 1.5, 2.5, -1.0, 0.1, 0.30000000000000004, 1e22, 1e-7, 5e-324,
           2.0**53, 2.0**60, 2.0**63, 2.0**64, -(2.0**63), 1.7976931348623157e308,
           123456.789]  # fmt: skip
STRINGS = ["", "A", "a", "_x", "10", "9", "1", "1.0", "true", "null", "é", "e\u0301", "\uffff",
           "\ufffd", "\ufffe", "\U0010ffff", "\U00010000", "a'b",
           'a"b', "a\\b", "50%", "50 ", "a_b",
           "a\nb", "[a]", "*", "?", "x'; drop table y; --", "\u0130", "ß", "ss", "İ"]  # fmt: skip
KEYS = ["a", "b", "A", "a.b", 'q"q', "[0]", "0", "1", "", "$", "é", "a'b", "\\", "\uffff"]
PATTERNS = ["%", "_", "%b%", "%\uffff", "\ufffe%", "a\\'%", "%0%", "2026%", "%1Z",
            "a%", "A%", "%b", "a_b", "a\\_b", "50\\%", "50%", "%%", "_%",
            "\\\\", "a\\\\b",
            "%\\\\%", "[a]", "*", "?", "%\n%", "", "_x", "\ufffe", "\U0010ffff", "%a%b%", "1_0",
            "é"]  # fmt: skip
NAMES = ["n", "x", "s", "flag", "doc", "A b", 'q"q', "x'; drop table y; --", "order", "%s", ":a"]
UNDECLARED = ["u", "v.w", 'd"']
TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=step) for step in
         (0, 1, 10, 1_000_000, 86_400_000_000)]  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(INTEGERS),
    st.sampled_from(NUMBERS),
    st.sampled_from(STRINGS),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=3),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
OF_KIND: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.sampled_from(INTEGERS) | st.integers(-(2**63), 2**63 - 1),
    Kind.NUMBER: st.sampled_from(NUMBERS) | st.floats(allow_nan=False, allow_infinity=False),
    Kind.STRING: st.sampled_from(STRINGS),
    Kind.BOOLEAN: st.booleans(),
    Kind.JSON: values,
}
kinds = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(Kind)), max_size=6)
identifiers = st.sampled_from(
    [text for text in STRINGS if text and "\n" not in text]
) | st.sampled_from(["s1", "s2", "S1", "s1_x", "s10", "s9"])


_time = st.none() | st.sampled_from(TIMES)
_later = st.sampled_from(TIMES[3:])
_absent = st.sampled_from([True, False])
_undeclared = st.dictionaries(st.sampled_from(UNDECLARED), values, max_size=2)


@st.composite
def records(draw: st.DrawFn, declared: dict[str, Kind]) -> Record:
    """Return a record with values for some of the declared results, and others."""
    results: dict[str, JSONValue] = {
        name: draw(OF_KIND[kind]) for name, kind in declared.items() if draw(_absent)
    }
    results |= draw(_undeclared)
    status = draw(st.sampled_from([None, "running", "completed"]))
    time = draw(_time)
    key = RecordKey("sample", draw(identifiers))
    return Record(key, results, status, created=time, modified=time and draw(_later))


# Built once: a strategy of its own for each example is what takes the time.
_special = ["record_identifier", "status", "pipestat_created_time", "pipestat_modified_time"]
_first = st.sampled_from([*NAMES, *NAMES, *UNDECLARED, *_special, "nowhere"])
paths = st.one_of(
    _first.map(lambda name: (name,)),
    _first.map(lambda name: (name,)),
    st.tuples(_first, st.lists(st.sampled_from(KEYS), max_size=2)).map(lambda p: (p[0], *p[1])),
)
literals = st.one_of(
    values,
    st.sampled_from([*INTEGERS, *NUMBERS, *STRINGS, True, False]),
    st.sampled_from(["2026-01-01T00:00:00.000001Z", "2026-01-01", "s1", "completed"]),
    st.sampled_from(["2026-01-01T00:00:00.00001Z", "2026-01-01T00:00:01", "2026-01-01T00:00:00Z"]),
    st.sampled_from([10**30, -(10**30), 10**400, 2**63, "a\x00b", "a\ud800", {"a": "\x00"}]),
)


_leaf = st.one_of(
    st.builds(Comparison, paths, st.sampled_from(["eq", "eq", "lt", "le", "gt", "ge"]), literals),
    st.builds(In, paths, st.lists(literals, max_size=4).map(tuple)),
    st.builds(Like, paths, st.sampled_from(PATTERNS)),
    st.builds(IsNull, paths),
)
filters: st.SearchStrategy[Filter] = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda operands: And(tuple(operands))),
        st.lists(inner, max_size=3).map(lambda operands: Or(tuple(operands))),
    ),
    max_leaves=6,
)
columns = st.none() | st.lists(st.sampled_from([*NAMES, "u"]), max_size=3, unique=True).map(tuple)
queries = st.builds(
    Query,
    columns=columns,
    where=st.none() | filters,
    limit=st.none() | st.integers(1, 4),
    cursor=st.none() | identifiers | st.just("a\x00"),
)
windows = st.tuples(
    st.none() | st.integers(1, 3), _time, _time, st.sampled_from(["modified", "created"])
)
