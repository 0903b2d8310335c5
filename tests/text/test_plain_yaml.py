"""The reader for plain YAML gives what the parser gives, or leaves the text to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipestat_spec.json_values import same_value
from pipestat_spec.text.plain_yaml import NotPlain, read_plain
from pipestat_spec.text.yaml_parser import parse_yaml

SCHEMA = """---
# what rnaseq makes
pipeline_name: rnaseq  # the namespace
samples:
  reads: {type: integer, description: number of reads, qc: [{fail: "reads < 1000"}]}

  rate:
      type: number
      minimum: 0.5
      enum:
      - -12
      - 'no # comment'
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("\n# nothing\n", None),
        ("---\n", None),
        (
            SCHEMA.replace("'no # comment'", "'no'  # comment"),
            {
                "pipeline_name": "rnaseq",
                "samples": {
                    "reads": {
                        "type": "integer",
                        "description": "number of reads",
                        "qc": [{"fail": "reads < 1000"}],
                    },
                    "rate": {"type": "number", "minimum": 0.5, "enum": [-12, "no"]},
                },
            },
        ),
        ("a: { b: 1 }\nc: [ x , 'y, z' ]\nd: []\n", {"a": {"b": 1}, "c": ["x", "y, z"], "d": []}),
        ("a:\n- x\n- b: 1\n  c:\n  - 2\nd: x\n", {"a": ["x", {"b": 1, "c": [2]}], "d": "x"}),
        ("a:\n  -   b: 1\n      c: 2\n", {"a": [{"b": 1, "c": 2}]}),
        ("a:\n    b:\nc: # none\n", {"a": {"b": None}, "c": None}),
        ("a: Yes\nb: OFF\nc: Null\nno: y\n", {"a": True, "b": False, "c": None, "no": "y"}),
        ("a: ../x y\nb: $X/y\nc: ~/z\n", {"a": "../x y", "b": "$X/y", "c": "~/z"}),
        ('a: it\'s "b" [c], {d} & e:f g#h\n', {"a": 'it\'s "b" [c], {d} & e:f g#h'}),
        ("a: 'é'  # ü\n", {"a": "é"}),
    ],
)
def test_plain_text_is_read(text: str, value: Any) -> None:
    assert same_value(read_plain(text), value)
    assert same_value(parse_yaml(text, verbatim=True), value)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "a: b\n  c\n",
        "a: b\n  c: d\n",
        "a: 'b'\n  c\n",
        "a: b: c\n",
        "a: 010\n",
        "a: 1e3\n",
        "a: 1_000\n",
        "a: 12:30\n",
        "a: 2024-01-01\n",
        "a: .inf\n",
        "a: ~\n",
        "a: 'it''s'\n",
        'a: "\\n"\n',
        "a: 'b # c'\n",
        "a: |\n  b\n",
        "a: &x b\nc: *x\n",
        "a: !!str 1\n",
        "<<: {a: 1}\n",
        "? a\n: b\n",
        "a: [1,\n  2]\n",
        "a: [b: c]\n",
        "a: {b:1}\n",
        "a: [1, 2\n",
        "a:\tb\n",
        "a: b\r\n",
        "a: \u2028\n",
        "a: 1\n---\nb: 2\n",
        "a:\n    b: 1\n  c: 2\n",
        "- a\n",
        "a\n",
        "a:\n- - b\n",
        "a: " + "[" * 99 + "]" * 99 + "\n",
    ],
)
def test_the_rest_is_left_to_the_parser(text: str) -> None:
    with pytest.raises(NotPlain):
        read_plain(text)


PIECES = st.sampled_from(
    [
        *(
            "\n",
            "\n  ",
            "\n    ",
            "\n- ",
            "\n  - ",
            "\n---\n",
            " ",
            "  ",
            ": ",
            ":",
            ", ",
            ",",
            "#",
        ),
        *(
            " # ",
            "{",
            "}",
            "[",
            "]",
            "'",
            '"',
            "-",
            "- ",
            "a",
            "b c",
            "é",
            "no",
            "On",
            "null",
            "~/",
        ),
        *("0", "-1", "2.50", "1e3", "<<", "=", "&x", "*x", "!", "?", "\\", "../d", "$x", "\t", "|"),
        *("\na: ", "\n  b: ", "\nc:", "{a: ", "%", "@"),
    ]
)


@example("a: b\n  # c\n  d")
@given(st.lists(PIECES, max_size=14).map("".join))
def test_both_readers_agree(text: str) -> None:
    text = "a: " + text
    try:
        value = read_plain(text)
    except NotPlain:
        return
    assert same_value(value, parse_yaml(text, verbatim=True))
