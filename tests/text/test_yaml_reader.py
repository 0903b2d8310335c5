"""The reader for text that others wrote: what it keeps, and what it refuses in one line."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from pipestat_yaml.text.results_text import parse_text

from pipestat_spec.errors import PipestatDataError
from pipestat_spec.json_values import same_value
from pipestat_spec.text import yaml_parser
from pipestat_spec.text.yaml_reader import read_yaml
from pipestat_spec.text.yaml_writer import Verbatim as out  # a value outside the data model


@pytest.fixture(params=["C", "Python"])
def either_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "Python":
        monkeypatch.setattr(yaml_parser, "_LOADER", yaml_parser._PythonLoader)


def read(text: str) -> Any:
    """Return what the parser reads, which is what is read of any text."""
    text = text.removeprefix("\ufeff")
    value = yaml_parser.parse_yaml(text, verbatim=True)
    assert same_value(read_yaml(text, verbatim=True), value)
    return value


def refusal(text: str | bytes) -> str:
    """Return what a store says of a results file with this text."""
    with pytest.raises(PipestatDataError) as caught:
        parse_text(text if isinstance(text, bytes) else text.encode(), "r.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("r.yaml, line ")
    assert ";" in message
    return message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("---\n...\n", None),
        ("\ufeffa: 1\n", {"a": 1}),
        ("a: no\nb: on\nc: ~\nd:\n", {"a": False, "b": True, "c": None, "d": None}),
        ("a: 010\nb: 0x1F\nc: 1_000\nd: 12:30\n", {"a": 8, "b": 31, "c": 1000, "d": 750}),
        ("a: 1e3\nb: 1.0e+3\nc: .5\n", {"a": "1e3", "b": 1000.0, "c": 0.5}),
        ("a: 2024-01-01\n", {"a": "2024-01-01"}),
        ("a: 2024-01-01T12:00:00Z\n", {"a": "2024-01-01T12:00:00Z"}),
        ("a: .inf\nb: -.inf\nc: .NaN\n", {"a": out(".inf"), "b": out("-.inf"), "c": out(".NaN")}),
        ("a: 9223372036854775807\n", {"a": 2**63 - 1}),
        ("a: 9223372036854775808\n", {"a": out("9223372036854775808")}),
        ("a: -9223372036854775808\n", {"a": -(2**63)}),
        ("a: -9223372036854775809\n", {"a": out("-9223372036854775809")}),
        ("a: 1.0e+309\nb: 1.0e+308\n", {"a": out("1.0e+309"), "b": 1e308}),
        ("a: 0x\nb: 0b_\n", {"a": "0x", "b": out("0b_")}),
        ("a: 0x1_0000_0000_0000_0000\n", {"a": out("0x1_0000_0000_0000_0000")}),
        ("a: " + "1" * 5000 + "\n", {"a": out("1" * 5000)}),
        ("a: 1" + ":0" * 5000 + "\n", {"a": out("1" + ":0" * 5000)}),
        (".inf: 1\n99999999999999999999: 2\n", {".inf": 1, "99999999999999999999": 2}),
        ("no: 1\n123: 2\n1.50: 3\n~: 4\n", {"no": 1, "123": 2, "1.50": 3, "~": 4}),
        ("2024-01-01: 5\nnull: 6\n", {"2024-01-01": 5, "null": 6}),
        ("a: !!str 12\nb: !!int '12'\n", {"a": "12", "b": 12}),
        ("c: !!float 3\nd: ! x\n", {"c": 3.0, "d": "x"}),
        ("a: !!timestamp 2024-01-01\n", {"a": "2024-01-01"}),
        ("a: =\n", {"a": "="}),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
        ("{a: [1, {b: c}], 'd': \"e\\n\"}", {"a": [1, {"b": "c"}], "d": "e\n"}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("&k a: 1\nb: *k\n", {"a": 1, "b": "a"}),
        ("? a\n: 1\n? |\n  long\n: 2\n", {"a": 1, "long\n": 2}),
        ("a: !!int 1180591620717411303424\n", {"a": out("1180591620717411303424")}),
        ("a: !!float 1e3\nb: !!null ''\n", {"a": 1000.0, "b": None}),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = read(text)
    assert found == value
    assert repr(found) == repr(value)


def test_merge_keys() -> None:
    text = (
        "one: &one {a: 1, b: 1}\n"
        "two: &two {b: 2, c: 2}\n"
        "all:\n  <<: [*one, *two]\n  c: 3\n"
        "single:\n  a: 9\n  <<: *one\n"
        "quoted:\n  '<<': text\n"
    )
    found = read(text)
    assert found["all"] == {"a": 1, "b": 1, "c": 3}
    assert found["single"] == {"a": 9, "b": 1}
    assert found["quoted"] == {"<<": "text"}
    # The order of PyYAML, which reads such files elsewhere.
    assert [*found["all"]] == ["a", "b", "c"]
    assert [*found["single"]] == ["a", "b"]


def test_duplicate_keys_name_both_lines() -> None:
    message = refusal("a:\n  s1:\n    n: 1\n  s2: {}\n  s1:\n    n: 2\n")
    assert message == (
        "r.yaml, line 5: key 's1' stands twice, on lines 2 and 5; remove one of the two"
    )


def test_keys_that_differ_only_for_a_parser_are_duplicates() -> None:
    assert "stands twice" in refusal("no: 1\n'no': 2\n")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: !!python/object:os.system x\n", 1, "tag tag:yaml.org,2002:python/object:os.system"),
        ("a:\n  - !mine 1\n", 2, "tag !mine"),
        ("a: !!binary aGk=\n", 1, "binary"),
        ("a: !!set {b, c}\n", 1, "set"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "a mapping key is not a scalar"),
        ("a: 1\n---\nb: 1\n", 2, "second YAML document"),
        ("a: *x\n", 1, "alias"),
        ("a: &x [*x]\n", 1, "holds itself"),
        ("a: 1\nb:\n  <<: 5\n", 3, "'<<'"),
        ("a: 1\n b: 2\n", 2, "not valid YAML"),
        ("a: 'x\n", 2, "not valid YAML"),
        ("\tb: 2\n", 1, "not valid YAML"),
        ("a: !!int x\n", 1, "is not a int"),
        ("a: !!float nan\n", 1, "is not a float"),
        ("a: !!float 1e999\n", 1, "is not a float"),
        ("a: !!null x\n", 1, "is not a null"),
        ("a: !!bool x\n", 1, "is not a bool"),
        ("a: &a {}\nb:\n  <<: *a\n  <<: *a\n", 4, "'<<' stands twice, on lines 3 and 4"),
        ('a: "\\ud800"\n', 1, "not valid YAML"),
    ],
)
def test_refused(text: str, line: int, problem: str) -> None:
    message = refusal(text)
    assert message.startswith(f"r.yaml, line {line}: ")
    assert problem in message


@pytest.mark.usefixtures("either_loader")
def test_bytes_that_are_not_text() -> None:
    assert refusal(b"a: 1\nb: \xff\n") == (
        "r.yaml, line 2: byte 9 is not UTF-8; save the file as UTF-8"
    )
    assert refusal("ä: 1\nb: \x01\n").startswith("r.yaml, line 2: a character that YAML")
    assert refusal("ä: 1\nb: " + "[" * 2000 + "\x01").startswith("r.yaml, line 2: ")
    assert refusal("a: 1\0\n").startswith("r.yaml, line 1: ")


@pytest.mark.usefixtures("either_loader")
def test_nesting() -> None:
    assert read("a: " + "[" * 119 + "]" * 119)
    assert read("a: " + "[" * 119 + "1" + "]" * 119)
    assert "the depth is more than 120" in refusal("a: " + "[" * 120 + "]" * 120)


# libyaml refuses some of these in words of its own before it gives the first bracket away.
@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[" * 100_000, 1),
        ("{" * 100_000, 1),
        ("{a: " * 100_000, 1),
        ("- " * 50_000, 1),
        ("? " * 50_000, 1),
        ("[\n" * 5000, 121),
        ("".join(" " * depth + "a:\n" for depth in range(1500)), 121),
        ("a: 1\nb: " + "[" * 2000 + "]" * 2000, 2),
        ("- " * 100 + "[" * 2000, 1),
        ("é: 1\nb:\n - " + "[" * 1001, 3),
        ("a:\n- " + "[" * 60 + "'" + "]" * 60 + "', " + "[" * 1200, 2),
    ],
)
def test_nesting_is_refused_in_the_same_words(text: str, line: int) -> None:
    assert refusal(text) == (f"r.yaml, line {line}: the depth is more than 120; flatten the value")


@pytest.mark.usefixtures("either_loader")
def test_many_brackets_are_not_deep() -> None:
    text = "a: [" + "[1, 2], " * 5000 + "]\n"
    assert len(read(text)["a"]) == 5000
    assert "not valid YAML" in refusal(text[:-2] + "\n")
    assert "not valid YAML" in refusal("a: '" + "[" * 1000 + "'\nb: ]\n")


def test_nesting_by_aliases() -> None:
    ten = "[" * 10 + "{}" + "]" * 10
    lines = ["a0: &a0 " + ten.format("1")]
    lines += [f"a{n}: &a{n} " + ten.format(f"*a{n - 1}") for n in range(1, 13)]
    # The mapping of all, and ten lists for each of a0 to a11: a depth of 121.
    assert "the depth is more than 120" in refusal("\n".join(lines[:12]) + "\n")
    assert read("\n".join(lines[:11]) + "\n")


@pytest.mark.parametrize("flow", [True, False])
def test_an_alias_bomb_costs_nothing(flow: bool) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 12):
        many = ", ".join([f"*a{n - 1}"] * 10)
        lines.append(f"a{n}: &a{n} [{many}]" if flow else f"a{n}: &a{n} {{<<: {{k: [{many}]}}}}")
    tracemalloc.start()
    message = refusal("\n".join(lines) + "\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "aliases repeat more than" in message
    assert peak < 50_000_000


def test_ordinary_aliases_are_read() -> None:
    text = "base: &b {x: [1, 2, 3]}\n" + "".join(f"r{n}: *b\n" for n in range(5000))
    assert len(read(text)) == 5001
