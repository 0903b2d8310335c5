"""Canonical text: three parsers and our own reader read the value that was written."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pipestat_yaml.text.canonical_text import NotCanonical, read_block, read_key
from ruamel.yaml import YAML

from pipestat_spec.text.yaml_reader import read_yaml
from pipestat_spec.text.yaml_writer import Verbatim, entry_lines, yaml_text
from tests.parsers import NodeParser, tagged

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
AMBIGUOUS = st.sampled_from(
    [
        *"no on yes off y n true null ~ 1e3 1.5 0o7 010 0x1F 12:30 190:20:30 2024-01-01".split(),
        *".inf .nan << = - -- --- ... ? : # ! & * [ ] { } | > % @ ` a: :a a#b 1_000 +1 -1".split(),
        *"1. .5 _ / a/b Null NO 2024-01-01T12:00:00Z 0b1 +.INF".split(),
        *("", " ", " a", "a ", "a b", "a: b", "a #b", "- a", "? a", "\n", "a\n", "\ta", "\r"),
        *('"', "'", "\\", "\u2028", "\u0085", "\ufeff", "\x7f", "\xa0", "\U0001f600", "\ufffe"),
    ]
)
STRINGS = st.one_of(AMBIGUOUS, TEXT)
FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e22, -0.0, 5e-324, 1.7976931348623157e308, 1e-7, 123456789012345680.0, 1e16]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), FLOATS, STRINGS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=20,
)
MAPPINGS = st.dictionaries(STRINGS, VALUES, max_size=5)
LONG = "k" * 990 + "\u2028" * 9


def text_of(value: dict[str, Any]) -> str:
    lines = [line for key, child in value.items() for line in entry_lines(key, child, "")]
    return "\n".join(lines) + "\n" if lines else "{}\n"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MAPPINGS)
@example({LONG: {LONG: [{LONG: 1, "b": {LONG: []}}]}})
@example({"\U0001f600" * 255: [[{"a": [[], {}, [[1]]]}]]})
@example({"<<": {"a": 1}, "b": {"<<": [1]}})
def test_every_reader_reads_what_was_written(value: dict[str, Any]) -> None:
    text = text_of(value)
    wanted = tagged(value)
    assert tagged(read_yaml(text, verbatim=True)) == wanted
    if value:
        assert tagged(read_block(text, 0)) == wanted
    assert tagged(yaml.load(text, yaml.CSafeLoader)) == wanted
    assert tagged(yaml.safe_load(text)) == wanted
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    assert tagged(parser.load(text)) == wanted


@settings(max_examples=100, deadline=None)
@given(MAPPINGS)
def test_one_line_for_each_scalar_and_never_another_line_break(value: dict[str, Any]) -> None:
    text = text_of(value)
    assert text.splitlines() == text.split("\n")[:-1]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("no", '"no"'),
        ("1e3", '"1e3"'),
        ("12:30", '"12:30"'),
        ("2024-01-01", '"2024-01-01"'),
        ("", '""'),
        ("results/plot one.png", "results/plot one.png"),
        ("/data/x_1.bam", "/data/x_1.bam"),
        ("é", '"é"'),
        ("a\nb\u2028", '"a\\nb\\u2028"'),
        (1e22, "1.0e+22"),
        (1e-7, "1.0e-07"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        ("E5", '"E5"'),
        ("e-12", '"e-12"'),
        ("e5x", "e5x"),
        ("e", "e"),
        ("Ex5", "Ex5"),
        (Verbatim(".NaN"), ".NaN"),
    ],
)
def test_form_of_scalars(value: Any, written: str) -> None:
    assert entry_lines("k", value, "  ") == [f"  k: {written}"]
    assert yaml_text(value) == written
    assert yaml_text([value]) == f"- {written}"


def test_form_of_containers() -> None:
    value = {"a": [1, [2, {"b": 3, "c": {"d": None}}]], "e": {"f": [[]]}}
    assert text_of({"r": value}) == (
        "r:\n"
        "  a:\n"
        "    - 1\n"
        "    - - 2\n"
        "      - b: 3\n"
        "        c:\n"
        "          d: null\n"
        "  e:\n"
        "    f:\n"
        "      - []\n"
    )


def test_keys_beyond_the_limit_of_implicit_keys_are_explicit() -> None:
    short, long = "k" * 900, "k" * 1001
    assert entry_lines(short, 1, "") == [f"{short}: 1"]
    assert entry_lines(long, 1, "") == [f"? {long}", ": 1"]
    assert entry_lines(long, {"a": 1}, " ") == [f" ? {long}", " :", "   a: 1"]


@pytest.mark.parametrize(
    "text",
    [
        "a: no\n",
        "a: 1e3\n",
        "a: 'x'\n",
        "a: 010\n",
        "a: +1\n",
        "a: [1]\n",
        "a: {b: 1}\n",
        "a:\n",
        "a: 1 # comment\n",
        "# comment\n",
        "a:\n    b: 1\n",
        "a:\n  b: 1\n    c: 2\n",
        "? a\n",
        "a: |\n  x\n",
        "a: &x 1\n",
        'a: "x\n  y"\n',
        'a: "x" y\n',
        "no: 1\n",
        "1: 1\n",
        "a: 2024-01-01\n",
        "\ta: 1\n",
        "a:\n- 1\n",
        "a: 1 \n",
        'a: "\\x41"\n',
        "a: .nan\n",
        "a: -.inf\n",
        "a: 9223372036854775808\n",
        "a: -9223372036854775809\n",
        "a: 1.0e+999\n",
        "a: E5\n",
        'a: "\\ud800"\n',
        "a: 1\na: 2\n",
    ],
)
def test_other_text_is_not_taken_for_canonical(text: str) -> None:
    with pytest.raises(NotCanonical):
        read_block(text, 0)


@pytest.mark.parametrize("text", ["1", "true", "{}", '"', '"a"b"', "'a'", "a: b"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(NotCanonical):
        read_key(text)


def test_node_reads_the_same(node_yaml: NodeParser, tmp_path: Any) -> None:
    value = {
        "strings": ["no", "1e3", "0o7", "12:30", "", " a", "é\u2028\U0001f600", "a\nb", "<<"],
        "numbers": [1e22, -0.0, 5e-324, 2**63 - 1, -(2**63), 0.1],
        LONG: {LONG: [{LONG: [True, None]}]},
        "\U0001f600" * 255: {"a": [[], {}]},
        "<<": {"a": 1},
    }
    path = tmp_path / "x.yaml"
    path.write_text(text_of(value), encoding="utf-8")
    assert node_yaml.read(path) == tagged(value)
