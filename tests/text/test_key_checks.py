"""Keys that stand twice are found by one look at each, however many there are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from pipestat_spec.text.json_reader import read_json
from pipestat_spec.text.plain_yaml import NotPlain, read_plain
from pipestat_spec.text.unreadable import UnreadableText
from pipestat_spec.text.yaml_parser import parse_yaml
from pipestat_spec.text.yaml_reader import read_yaml
from tests.work import is_linear

YAML = {
    "block": lambda n: "".join(f"k{i}: 1\n" for i in range(n)),
    "flow": lambda n: "{" + ", ".join(f"k{i}: 1" for i in range(n)) + "}",
    "quoted": lambda n: "".join(f'"k{i}": 1\n' for i in range(n)),
    "long form": lambda n: "".join(f"? k{i}\n: 1\n" for i in range(n)),
    "equal": lambda n: "k: 1\n" * n,
    "equal at the end": lambda n: "".join(f"k{i}: 1\n" for i in range(n)) + "k0: 1\n",
    "nested": lambda n: "a:\n" + "".join(f"  k{i}:\n    x: 1\n" for i in range(n)),
    "anchors": lambda n: "".join(f"&a{i} k{i}: &b{i} 1\n" for i in range(n)),
    "merged": lambda n: "b: &b {x: 1}\n" + "".join(f"k{i}: {{<<: *b, y: 1}}\n" for i in range(n)),
    "merged at once": lambda n: (
        "".join(f"b{i}: &b{i} {{x{i}: 1}}\n" for i in range(n))
        + "m: {<<: ["
        + ", ".join(f"*b{i}" for i in range(n))
        + "]}\n"
    ),
}
JSON = {
    "distinct": lambda n: "{" + ",".join(f'"k{i}":1' for i in range(n)) + "}",
    "equal": lambda n: "{" + ",".join(['"k":1'] * n) + "}",
    "equal at the end": lambda n: "{" + ",".join(f'"k{i}":1' for i in range(n)) + ',"k0":1}',
    "nested": lambda n: "[" + ",".join(['{"a":{"b":1,"c":1}}'] * n) + "]",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_yaml(text: Callable[[int], str]) -> None:
    def read(size: int) -> None:
        with suppress(UnreadableText):
            parse_yaml(text(size), verbatim=True)

    def try_plain(size: int) -> None:
        with suppress(NotPlain):
            read_plain(text(size))

    assert is_linear(read)
    assert is_linear(try_plain)


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
def test_json(text: Callable[[int], str]) -> None:
    def read(size: int) -> None:
        with suppress(UnreadableText):
            read_json(text(size))

    assert is_linear(read)


def test_the_last_of_many_keys_is_named() -> None:
    size = 40_000
    problem = f"key 'k{size - 1}' stands twice, on lines {size} and {size + 1}"
    with pytest.raises(UnreadableText, match=problem):
        read_yaml(YAML["block"](size) + f"k{size - 1}: 2\n")
    assert read_yaml(YAML["flow"](size)) == {f"k{i}": 1 for i in range(size)}
    with pytest.raises(UnreadableText, match="the key 'k0' stands twice in one object"):
        read_json(JSON["equal at the end"](size))
    merged = read_yaml(YAML["merged at once"](1000))["m"]
    assert merged == {f"x{i}": 1 for i in range(1000)}
