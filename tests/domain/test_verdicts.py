"""Records judged by the QC rules of their level (spec/qc.md)."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.filters import matches
from pipestat_spec.domain.verdicts import Judge, Judgement, Verdict, judges
from pipestat_spec.errors import SchemaError
from pipestat_spec.models.query import And, Comparison, In, IsNull, Not, Or
from pipestat_spec.models.record import Level, Record, RecordKey
from pipestat_spec.models.schema.output_schema import parse_output_schema
from tests.filter_texts import written


def judge(text: str, level: Level = "sample") -> Judge:
    return judges(parse_output_schema(yaml.safe_load(text), "s.yaml"))[level]


def judged(judge: Judge, results: dict[str, Any], status: str | None = None) -> Judgement:
    return judge.judgement(Record(RecordKey("sample", "s1"), results, status))


def level_of(fail: str) -> Judge:
    return judge(f'samples: {{a: {{type: integer}}, b: {{type: integer}}, qc: {{fail: "{fail}"}}}}')


# What of a rule with the results a and b: the verdict for each pair of values.
NO = None  # reported as null, or not at all
TRUTHS = [
    ("a < 10 and b < 10", 5, 5, "fail"),
    ("a < 10 and b < 10", 5, NO, "not judged"),
    ("a < 10 and b < 10", 50, NO, "pass"),
    ("a < 10 and b < 10", NO, 50, "pass"),
    ("a < 10 and b < 10", NO, NO, "not judged"),
    ("a < 10 or b < 10", 5, NO, "fail"),
    ("a < 10 or b < 10", NO, 5, "fail"),
    ("a < 10 or b < 10", 50, NO, "not judged"),
    ("a < 10 or b < 10", 50, 50, "pass"),
    ("not a < 10", NO, 5, "not judged"),
    ("not a < 10", 5, NO, "pass"),
    ("not a < 10", 50, NO, "fail"),
    ("a != 5", NO, NO, "not judged"),
    ("a != 5", 6, NO, "fail"),
    ("a not in (1, 2)", NO, NO, "not judged"),
    ("a not in ()", 1, NO, "fail"),
    ("a is null", NO, NO, "fail"),
    ("a is null", 0, NO, "pass"),
    ("a is not null", NO, NO, "pass"),
    ("a is null or b < 10", NO, NO, "fail"),
    ("a is null or b < 10", 1, NO, "not judged"),
    ("not (a < 10 and b < 10)", 5, NO, "not judged"),
    ("not (a < 10 and b < 10)", 50, NO, "fail"),
    ("not (a < 10 or b < 10)", 5, NO, "pass"),
    ("a < 1", 0, NO, "fail"),
    ("record_identifier = 's1'", NO, NO, "fail"),
    ("status = 'failed'", NO, NO, "not judged"),
]


@pytest.mark.parametrize("as_null", [True, False])
@pytest.mark.parametrize(("rule", "a", "b", "verdict"), TRUTHS)
def test_a_missing_value_is_unknown(rule: str, a: Any, b: Any, verdict: str, as_null: bool) -> None:
    given = {"a": a, "b": b}
    results = {name: value for name, value in given.items() if as_null or value is not None}
    judgement = judged(level_of(rule), results)
    assert judgement.verdict == verdict
    assert bool(judgement.reasons) == (verdict == "fail")


RULES = """
samples:
  reads: {type: integer}
  rate: {type: number, qc: {fail: "value < 0.5", warn: "value < 0.8", reason: poor mapping}}
  align: {type: object, qc: [{warn: "value.dup > 0.3"}, {fail: "value.dup > 0.9"}]}
  qc:
    - {warn: "reads < 2000"}
    - {fail: "reads < 1000 and rate < 0.9", reason: too little}
"""


@pytest.mark.parametrize(
    ("results", "verdict", "reasons"),
    [
        ({"rate": 0.9, "reads": 5000}, "pass", []),
        ({"rate": 0.8}, "pass", []),
        ({"rate": 0.7}, "warn", ["poor mapping (rate = 0.7)"]),
        ({"rate": 0.4}, "fail", ["poor mapping (rate = 0.4)"]),
        ({"align": {"x": 1}}, "not judged", []),
        ({"align": {"dup": 0.5}}, "warn", ["value.dup > 0.3 (align.dup = 0.5)"]),
        (
            {"reads": 10, "rate": 0.7, "align": {"dup": 0.95}},
            "fail",
            [
                "value.dup > 0.9 (align.dup = 0.95)",
                "too little (reads = 10, rate = 0.7)",
                "poor mapping (rate = 0.7)",
                "value.dup > 0.3 (align.dup = 0.95)",
                "reads < 2000 (reads = 10)",
            ],
        ),
    ],
)
def test_the_worst_reason_decides_and_all_are_given(
    results: dict[str, Any], verdict: str, reasons: list[str]
) -> None:
    judgement = judged(judge(RULES), results)
    assert (judgement.verdict, [reason.text for reason in judgement.reasons]) == (verdict, reasons)


def test_a_reason_says_what_it_is_about() -> None:
    reasons = judged(judge(RULES), {"rate": 0.4, "reads": 1500}).reasons
    assert [reason.as_dict() for reason in reasons] == [
        {
            "severity": "fail",
            "result": "rate",
            "rule": "value < 0.5",
            "reason": "poor mapping",
            "values": {"rate": 0.4},
            "text": "poor mapping (rate = 0.4)",
        },
        {
            "severity": "warn",
            "result": None,
            "rule": "reads < 2000",
            "reason": None,
            "values": {"reads": 1500},
            "text": "reads < 2000 (reads = 1500)",
        },
    ]


def test_each_level_has_its_own_rules() -> None:
    text = """
    samples: {n: {type: integer}}
    project: {n: {type: integer, qc: {fail: "value < 5"}}}
    """
    assert list(judges(parse_output_schema(yaml.safe_load(text)))) == ["project"]
    assert judged(judge(text, "project"), {"n": 1}).verdict is Verdict.FAIL


def test_severity_orders_verdicts() -> None:
    assert [str(v) for v in sorted(Verdict, key=lambda v: v.rank)] == [
        "fail",
        "warn",
        "pass",
        "not judged",
    ]


@pytest.mark.parametrize(
    ("declared", "field"),
    [("", "verdict"), ("verdict: {type: string}, ", "pipestat_verdict")],
)
def test_the_field_gives_way_to_a_result(declared: str, field: str) -> None:
    found = judge(f'samples: {{{declared}n: {{type: integer, qc: {{fail: "value < 1"}}}}}}')
    assert found.field == field
    record = found.judged(Record(RecordKey("sample", "s1"), {"n": 0, "verdict": "mine"}))
    of_field = parse_filter(f"{field} = 'fail'")
    assert found.asked(of_field)
    assert matches(of_field, record)
    assert matches(found.without_verdicts(of_field), record)
    assert matches(parse_filter("verdict = 'mine'"), record) == bool(declared)


# Where `qc` may stand

PLACES = [
    'n: {type: integer}\nqc: {fail: "n < 5"}',
    'samples: {n: {type: integer}, qc: {fail: "n < 5"}}',
    'samples: {type: object, properties: {n: {type: integer}}, qc: [{fail: "n < 5"}]}',
    'properties: {samples: {properties: {n: {type: integer}}, qc: [{fail: "n < 5"}]}}',
    'properties: {n: {type: integer}}\nqc: [{fail: "n < 5"}]',
    "properties: {samples: {type: array, items: {properties: {n: {type: integer}}, "
    'qc: {fail: "n < 5"}}}}',
    'samples: {n: {$ref: "#/$defs/n"}}\n$defs: {n: {type: integer, qc: {fail: "value < 5"}}}',
    'samples: {n: {type: [file, object, "null"], qc: {fail: "value.n < 5 or n.n is null"}}}',
]


@pytest.mark.parametrize("text", PLACES)
def test_the_rules_of_a_level_stand_where_its_results_do(text: str) -> None:
    assert judged(judge(text), {"n": 4}).verdict is Verdict.FAIL


def test_a_result_may_be_called_qc() -> None:
    text = "samples: {qc: {type: integer}, n: {type: integer}}"
    schema = parse_output_schema(yaml.safe_load(text))
    assert not schema.has_qc
    assert list(schema.levels["sample"].results) == ["qc", "n"]


WRONG = [
    ('n: {type: integer, qc: {fail: "value <"}}', "s.yaml: n.qc.fail: filter, column 8: ", ""),
    (
        'reads: {type: integer, qc: {fail: "raeds < 5"}}',
        "s.yaml: reads.qc.fail: there is",
        "'reads'?",
    ),
    ('n: {type: integer}\nqc: [{warn: "value < 5"}]', "s.yaml: qc.0.warn: there is no", "are n"),
    ('n: {type: integer}\nqc: [{warn: "verdict = 1"}]', "s.yaml: qc.0.warn: a rule cannot", ""),
    ("n: {type: integer, qc: {fail: \"value < '5'\"}}", "s.yaml: n.qc.fail: value is declared", ""),
    ("n: {type: integer, qc: {fails: x}}", "s.yaml: n.qc.fails: no part of", "mean fail?"),
    ("n: {type: integer, qc: {reason: x}}", "s.yaml: n.qc: a QC rule without", "write qc:"),
    ("n: {type: integer, qc: {fail: 5}}", "s.yaml: n.qc.fail: 5 is no text", "write a filter"),
    ('n: {type: integer, qc: {fail: "value < 5", reason: " "}}', "s.yaml: n.qc.reason: ' '", ""),
    ("n: {type: integer, qc: value < 5}", "s.yaml: n.qc: 'value < 5' is no QC rule", "write qc:"),
    ("n: {type: integer, qc: [5]}", "s.yaml: n.qc.0: 5 is no QC rule", "write qc:"),
    ("n: {type: integer}\nqc:", "s.yaml: qc: None is no QC rule", "write qc:"),
    (
        'n: {type: object, properties: {a: {type: integer, qc: {fail: "value < 5"}}}}',
        "s.yaml: n.properties.a.qc: QC rules stand at a result",
        "value.rate leads inside",
    ),
    (
        'n: {type: integer}\nadditionalProperties: {type: integer, qc: {fail: "value < 5"}}',
        "s.yaml: additionalProperties.qc: only a result",
        "declare it",
    ),
    (
        'samples: {n: {type: integer}}\nqc: {fail: "n < 5"}',
        "s.yaml: qc: the QC rules of a level stand in its section",
        "move them into samples",
    ),
    (
        'properties: {samples: {properties: {n: {type: integer}}}, qc: {fail: "n < 5"}}',
        "s.yaml: properties.qc: the QC rules of a level",
        "move them into samples",
    ),
    (
        "samples: {verdict: {type: string}, pipestat_verdict: {type: string, "
        'qc: {fail: "value is null"}}}',
        "s.yaml: samples.pipestat_verdict: a level with QC rules cannot",
        "another name",
    ),
]


@pytest.mark.parametrize(("text", "start", "fix"), WRONG)
def test_wrong_rules_are_refused_with_their_place(text: str, start: str, fix: str) -> None:
    with pytest.raises(SchemaError) as caught:
        judges(parse_output_schema(yaml.safe_load(text), "s.yaml"))
    message = str(caught.value)
    assert message.startswith(start)
    assert fix in message
    assert "\n" not in message


# A search by verdict is a search by the rules

VALUES = st.sampled_from([None, 0, 1, 2, "x", True])
LEAVES = st.one_of(
    st.builds(
        Comparison,
        st.sampled_from([("a",), ("b",), ("c", "d"), ("status",)]),
        st.sampled_from(["eq", "lt", "ge"]),
        st.sampled_from([0, 1, 2]),
    ),
    st.builds(In, st.sampled_from([("a",), ("b",)]), st.sampled_from([(), (0,), (1, 2)])),
    st.builds(IsNull, st.sampled_from([("a",), ("b",), ("c", "d")])),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.tuples(inner, inner)),
        st.builds(Or, st.tuples(inner, inner)),
    ),
    max_leaves=6,
)
CHECKS = st.lists(
    st.dictionaries(st.sampled_from(["fail", "warn"]), FILTERS.map(written), min_size=1),
    min_size=1,
    max_size=4,
)


@given(
    CHECKS,
    st.fixed_dictionaries({}, optional={"a": VALUES, "b": VALUES, "c": st.just({"d": 1})}),
    st.lists(st.sampled_from([str(verdict) for verdict in Verdict]), unique=True),
)
def test_a_search_by_verdict_finds_what_is_judged_so(
    checks: list[dict[str, str]], results: dict[str, Any], wanted: list[str]
) -> None:
    anything = {"enum": [0, 1, 2, None, "x", True]}
    schema = {"a": anything, "b": anything, "c": {"type": "object"}, "qc": checks}
    found = judges(parse_output_schema({"samples": schema}))["sample"]
    record = Record(RecordKey("sample", "s1"), results)
    where = In(("verdict",), tuple(wanted))
    expected = found.judgement(record).verdict in wanted
    assert matches(found.without_verdicts(where), record) == expected
    assert matches(Not(found.without_verdicts(where)), record) != expected
    assert matches(where, found.judged(record)) == expected
