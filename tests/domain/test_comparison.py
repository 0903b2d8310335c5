"""When values differ and by how much, probable new names, and records at an earlier time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from pipestat_spec.domain.comparison.criteria import Criteria, Criterion, is_close, parse_tolerance
from pipestat_spec.domain.comparison.records import compare_records, is_worse_status
from pipestat_spec.domain.comparison.schemas import schema_differences
from pipestat_spec.domain.comparison.values import MISSING, Part, differing
from pipestat_spec.domain.past import NOT_KNOWN, record_at
from pipestat_spec.errors import MissingConfigDataError, SchemaError
from pipestat_spec.models.record import HistoryEntry, Record, RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from pipestat_spec.models.verdict import Judgement, Verdict

NAN = float("nan")
NOTHING = Criterion()


def record(name: str, results: dict[str, Any] | None = None, **more: Any) -> Record:
    return Record(RecordKey("sample", name), results or {}, **more)


@pytest.mark.parametrize(
    ("before", "after", "differ"),
    [
        (1, 1, False),
        (1, 1.0, True),
        (0.0, -0.0, False),
        (True, 1, True),
        ("1", 1, True),
        (None, None, False),
        (None, 0, True),
        (None, "", True),
        (2**63 - 1, float(2**63), True),
        (NAN, NAN, False),
        (NAN, 1.0, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": None}, {}, True),
        ([1, 2], [2, 1], True),
        ([], {}, True),
        ([], None, True),
    ],
)
def test_values_differ_as_the_specification_says(before: Any, after: Any, differ: bool) -> None:
    assert bool(list(differing(before, after, lambda _: NOTHING))) is differ
    found = compared([record("s", {"n": before})], [record("s", {"n": after})])
    assert bool(found.results) is found.differs is differ


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        (
            {"x": {"rate": 0.5}, "n": 1},
            {"x": {"rate": 0.6}, "n": 1},
            [(("x", "rate"), 0.5, 0.6)],
        ),
        ([1, 2], [1, 3, 4], [((1,), 2, 3), ((2,), MISSING, 4)]),
        ({"a": None}, {"b": 1}, [(("a",), None, MISSING), (("b",), MISSING, 1)]),
        (
            {"path": "a.png", "title": "t"},
            {"path": "b.png", "title": "t"},
            [(("path",), "a.png", "b.png")],
        ),
        ({"a": [1]}, {"a": {"0": 1}}, [(("a",), [1], {"0": 1})]),
    ],
)
def test_the_places_that_differ_are_told(before: Any, after: Any, parts: list[Any]) -> None:
    found = [(p.place, p.before, p.after) for p in differing(before, after, lambda _: NOTHING)]
    assert found == parts


@pytest.mark.parametrize(
    ("before", "after", "atol", "rtol", "close"),
    [
        (0.51, 0.5100000001, 1e-6, None, True),
        (0.51, 0.5100000001, None, None, False),
        (0.51, 0.5100000001, 0, 0, False),
        # The difference of the doubles is more than that of the doubles 0.01 stands for.
        (0.51, 0.52, 0.01, None, True),
        (0.51, 0.5200000001, 0.01, None, False),
        (100, 101, None, 0.01, True),
        (100, 102, None, 0.01, False),
        # The tolerance is that of the value before.
        (1.0, 2.0, None, 0.5, False),
        (2.0, 1.0, None, 0.5, True),
        (-100, -101, None, 0.01, True),
        (0, 1e-9, None, 0.5, False),
        (1, 1.0, 0, None, True),
        (2**53, 2**53 + 1, 0, None, False),
        (2**53 + 1, float(2**53), 0, None, False),
        (1e308, -1e308, 1e300, None, False),
        (NAN, 1.0, 1e9, None, False),
        (100, 111, 1, 0.1, True),
    ],
)
def test_tolerances(
    before: float, after: float, atol: float | None, rtol: float | None, close: bool
) -> None:
    assert is_close(before, after, Criterion(atol, rtol)) is close
    differ = bool(list(differing([before], [after], lambda _: Criterion(atol, rtol))))
    assert differ is not close


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0.01", Criterion(atol=0.01)),
        (0, Criterion(atol=0.0)),
        ("1%", Criterion(rtol=0.01)),
        ("1.1 %", Criterion(rtol=0.011)),
    ],
)
def test_tolerances_of_a_person(given: object, expected: Criterion) -> None:
    assert parse_tolerance(given, "n") == expected


@pytest.mark.parametrize("given", ["x", "", "-1", "-1%", "nan", "inf", None, [1]])
def test_what_is_no_tolerance(given: object) -> None:
    with pytest.raises(MissingConfigDataError, match=r"^n: "):
        parse_tolerance(given, "n")


@pytest.mark.parametrize(
    ("before", "after", "delta", "percent"),
    [
        (100, 90, -10, -10.0),
        (0.95, 0.8, -0.15, pytest.approx(-15.789, abs=0.001)),
        (0, 5, 5, None),
        (-10, -5, 5, 50.0),
        (1, 1.0, 0.0, 0.0),
        (2**62, 2**62 + 1, 1, pytest.approx(0, abs=1e-9)),
        (NAN, 1.0, None, None),
        (1, "1", None, None),
        (True, 2, None, None),
        (1, MISSING, None, None),
    ],
)
def test_deltas(before: Any, after: Any, delta: Any, percent: Any) -> None:
    part = Part((), before, after)
    assert (part.delta, part.percent) == (delta, percent)


SCHEMA = {
    "rate": {"type": "number", "better": "higher", "atol": 0.01},
    "dup": {"$ref": "#/$defs/low"},
    "hist": {"type": "array", "items": {"type": "number", "rtol": 0.1}, "atol": 5},
    "align": {
        "type": "object",
        "better": "higher",
        "atol": 1,
        "properties": {"errors": {"type": "number", "better": "lower", "rtol": 0.5}},
    },
    "$defs": {"low": {"type": "number", "better": "lower"}},
}


@pytest.mark.parametrize(
    ("result", "place", "expected"),
    [
        ("rate", (), Criterion(0.01, None, "higher")),
        ("dup", (), Criterion(9.0, None, "lower")),
        ("hist", (3,), Criterion(None, 0.1, None)),
        ("align", ("mapped",), Criterion(1, None, "higher")),
        ("align", ("errors",), Criterion(None, 0.5, "lower")),
        ("unknown", (), Criterion(9.0, None, None)),
        ("given", (), Criterion(0.5, None, "lower")),
    ],
)
def test_the_criterion_of_a_place(result: str, place: Any, expected: Criterion) -> None:
    given = {"given": Criterion(0.5, None, "lower")}
    criteria = Criteria((None, parse_output_schema(SCHEMA)), Criterion(atol=9.0), given)
    assert criteria.of("sample", result, place) == expected


def test_the_command_line_is_stronger_than_the_schema() -> None:
    schemas = (parse_output_schema(SCHEMA),)
    given = {"rate": Criterion(rtol=0.2), "align": Criterion(better="lower")}
    criteria = Criteria(schemas, given=given)
    assert criteria.of("sample", "rate") == Criterion(None, 0.2, "higher")
    assert criteria.of("sample", "align", ("mapped",)) == Criterion(1, None, "lower")


@pytest.mark.parametrize(
    ("key", "value"),
    [("atol", -1), ("atol", "0.1"), ("rtol", True), ("better", "up"), ("better", 1)],
)
def test_a_wrong_criterion_names_its_place(key: str, value: object) -> None:
    schema = parse_output_schema({"rate": {"type": "number", key: value}}, "schema.yaml")
    with pytest.raises(SchemaError, match=rf"schema\.yaml: rate\.{key}"):
        Criteria((schema,)).of("sample", "rate")


def compared(before: list[Record], after: list[Record], schema: Any = None) -> Any:
    parsed = None if schema is None else parse_output_schema(schema)
    return compare_records("sample", before, after, Criteria((parsed,)))


def test_records_are_paired_by_name() -> None:
    found = compared(
        [record("a", {"n": 1}), record("b"), record("é", {"n": 1})],
        [record("a", {"n": 1}), record("c"), record("é", {"n": 2}), record("z")],
    )
    assert (found.added, found.removed) == (["c", "z"], ["b"])
    assert (found.before, found.after, found.changed, found.same) == (3, 4, 1, 1)
    assert found.differs
    assert found.has_removed
    assert not found.is_worse


def test_results_come_by_their_effect() -> None:
    schema = {"rate": {"type": "number", "better": "higher"}, "dup": {"type": "number"}}
    before = {"rate": 0.9, "dup": 10, "gone": 1, "text": "a", "zero": 0, "big": 1}
    after = {"rate": 0.89, "dup": 11, "new": None, "text": "b", "zero": 1, "big": 9}
    found = compared([record("s", before)], [record("s", after)], schema)
    names = [(one.result, one.difference, one.trend) for one in found.results]
    assert names == [
        ("rate", "changed", "worse"),
        ("gone", "removed", None),
        ("zero", "changed", None),
        ("big", "changed", None),
        ("dup", "changed", None),
        ("text", "changed", None),
        ("new", "added", None),
    ]
    assert found.is_worse


@pytest.mark.parametrize(
    ("better", "before", "after", "trend"),
    [
        ("higher", 1, 2, "better"),
        ("higher", 2, 1, "worse"),
        ("lower", 1, 2, "worse"),
        ("lower", 2, 1, "better"),
        ("higher", 1, 1.0, None),
        ("higher", 1, None, "worse"),
        ("higher", None, 1, None),
        ("higher", 1.0, NAN, "worse"),
        ("lower", NAN, 1.0, "better"),
        ("higher", [1, 2], [2, 1], "worse"),
        ("higher", [1, 2], [2, 3], "better"),
        (None, 1, 2, None),
    ],
)
def test_worse_and_better(better: str | None, before: Any, after: Any, trend: str | None) -> None:
    schema = {"n": {"type": ["number", "array", "null"], "better": better}}
    found = compared([record("s", {"n": before})], [record("s", {"n": after})], schema)
    assert [one.trend for one in found.results] == [trend]


def test_a_worse_part_beyond_those_that_are_kept_is_judged() -> None:
    schema = {"n": {"type": "array", "better": "higher"}}
    before, after = [1.0] * 150, [2.0] * 149 + [0.5]
    found = compared([record("s", {"n": before})], [record("s", {"n": after})], schema)
    (one,) = found.results
    assert (one.part_count, len(one.parts), one.trend) == (150, 100, "worse")
    assert one.parts[0].place == (149,)


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("completed", "failed", True),
        ("completed", "running", True),
        ("completed", None, True),
        ("running", "failed", True),
        (None, "failed", True),
        ("failed", "completed", False),
        ("running", "waiting", False),
        ("running", None, False),
        ("failed", "failed", False),
    ],
)
def test_a_status_that_is_worse(before: str | None, after: str | None, worse: bool) -> None:
    assert is_worse_status(before, after) is worse
    found = compared([record("s", status=before)], [record("s", status=after)])
    assert found.is_worse is worse
    assert found.changed == (before != after)


VERDICTS = list(Verdict)
WORSE = {
    ("pass", "fail"),
    ("pass", "warn"),
    ("pass", "not judged"),
    ("not judged", "warn"),
    ("not judged", "fail"),
    ("warn", "fail"),
}


@pytest.mark.parametrize("before", [None, *VERDICTS])
@pytest.mark.parametrize("after", [None, *VERDICTS])
def test_a_verdict_that_moves(before: Verdict | None, after: Verdict | None) -> None:
    old, new = (
        record("s", judgement=None if verdict is None else Judgement(verdict))
        for verdict in (before, after)
    )
    found = compared([old], [new])
    if before is None or after is None or before is after:
        assert found.verdicts == []
        assert not found.differs
    else:
        worse = (str(before), str(after)) in WORSE
        assert found.verdicts == [("s", str(before), str(after), worse, None)]
        assert (found.differs, found.is_worse) == (True, worse)


@pytest.mark.parametrize(
    ("before", "after", "renamed"),
    [
        ([{"a": 1}, {"a": 2}], [{"b": 1}, {"b": 2}], {"a": "b"}),
        # One value differs.
        ([{"a": 1}, {"a": 2}], [{"b": 1}, {"b": 3}], {}),
        # The old name is still in use, the new one was before.
        ([{"a": 1}, {"a": 2}], [{"b": 1}, {"a": 2}], {}),
        ([{"a": 1}, {"b": 2}], [{"b": 1}, {"b": 2}], {}),
        # Either of two could be it.
        ([{"a": 1}], [{"b": 1, "c": 1}], {}),
        ([{"a": 1, "c": 1}], [{"b": 1}], {}),
        # A second record tells them apart.
        (
            [{"a": 1, "c": 1}, {"a": 2, "c": 3}],
            [{"b": 1, "d": 1}, {"b": 3, "d": 2}],
            {"a": "d", "c": "b"},
        ),
        # In one record the new one comes alone.
        ([{"a": 1}, {}], [{"b": 1}, {"b": 2}], {}),
        ([{"a": 1}, {"a": 2}], [{"b": 1}, {}], {}),
        ([{"a": 1}], [{"b": 1.0}], {}),
        ([{"a": NAN}], [{"b": NAN}], {"a": "b"}),
    ],
)
def test_probable_new_names(before: list[Any], after: list[Any], renamed: dict[str, str]) -> None:
    olds = [record(f"s{number}", results) for number, results in enumerate(before)]
    news = [record(f"s{number}", results) for number, results in enumerate(after)]
    assert compared(olds, news).renamed == renamed


def test_schemas_are_compared_result_by_result() -> None:
    before = parse_output_schema(
        {"samples": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "image"}}}
    )
    after = parse_output_schema(
        {
            "samples": {
                "b": {"type": "string", "enum": ["x"]},
                "c": {"type": "image"},
                "d": {"type": "null"},
            },
            "project": {"t": {"type": "integer"}},
            "status": {"done": {"description": "d", "color": [1, 2, 3]}},
        }
    )
    found = [
        (one.difference, one.level, one.name, one.keys) for one in schema_differences(before, after)
    ]
    assert found == [
        ("removed", "sample", "a", ()),
        ("changed", "sample", "b", ("enum",)),
        ("added", "sample", "d", ()),
        ("added", "project", "t", ()),
        ("added", None, "done", ()),
    ]
    assert schema_differences(before, before) == []
    assert schema_differences(None, after) == []


def moment(hour: int) -> datetime:
    return datetime(2026, 1, 31, hour, tzinfo=UTC)


def test_a_record_at_an_earlier_time() -> None:
    now = record(
        "s",
        {"n": 3, "kept": 0, "again": 8},
        status="failed",
        created=moment(1),
        modified=moment(9),
        status_time=moment(8),
    )
    entries = [
        HistoryEntry("n", 1, moment(3)),
        HistoryEntry("n", 2, moment(5)),
        HistoryEntry("gone", "x", moment(6)),
        HistoryEntry("again", 7, moment(7)),
    ]

    def then(hour: int) -> Any:
        found = record_at(now, entries, moment(hour))
        return found and (dict(found.results), found.status)

    assert then(0) is None
    assert then(2) == ({"n": 1, "kept": 0, "gone": "x", "again": 7}, NOT_KNOWN)
    # Until 3 o'clock it was 1: at 3 it is 2.
    assert then(3) == ({"n": 2, "kept": 0, "gone": "x", "again": 7}, NOT_KNOWN)
    assert then(6) == ({"n": 3, "kept": 0, "again": 7}, NOT_KNOWN)
    assert then(8) == ({"n": 3, "kept": 0, "again": 8}, "failed")
    assert then(9) == ({"n": 3, "kept": 0, "again": 8}, "failed")


def test_a_time_that_is_not_known_is_an_old_one() -> None:
    old = record("s", {"n": 1}, status="completed")
    found = record_at(old, [], moment(1))
    assert found is not None
    assert (dict(found.results), found.status) == ({"n": 1}, "completed")


def test_infinity_has_no_delta() -> None:
    part = Part((), 1.0, math.inf)
    assert (part.delta, part.percent, part.effect) == (None, None, -1.0)
