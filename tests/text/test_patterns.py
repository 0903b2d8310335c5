"""Regular expressions of ECMA-262, as the engine has to read them; Node is the second opinion."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest
from jsonschema_rs import Draft202012Validator

from pipestat_spec.text.patterns import PatternError, backtracks, translated
from tests import patience
from tests.legs import leave_out


def fits(pattern: str, text: str) -> bool:
    return Draft202012Validator({"pattern": translated(pattern)}).is_valid(text)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("a", ["cat"], ["b"]),
        ("^[0-9a-f]{4}$", ["12ab"], ["12ab\n", "12abc"]),
        (r"^\d\D$", ["1x", "1\u0663"], ["\u0663x"]),
        (r"^[\w.]+$", ["a_1."], ["\u00e9", "a\u0131"]),
        (r"^\W$", ["\u00e9", "-"], ["a", "_"]),
        (r"\bx", ["\u00e9x", "-x"], ["ax"]),
        (r"x\By", ["xy"], ["x\u00e9"]),
        (r"^\s$", ["\u00a0", "\ufeff", "\u2029", "\v"], ["\u0085", "\x1c", "\u200b"]),
        (r"^[^\s]$", ["\u0085"], ["\ufeff"]),
        (r"^[\S1]$", ["1", "\u0085"], [" "]),
        ("^.$", ["\U0001f600", "\u0085"], ["\n", "\r", "\u2028", "\u2029"]),
        (r"^\x41\u0042\u{1F600}\cJ\0$", ["AB\U0001f600\n\0"], ["AB"]),
        (r"^\uD83D\uDE00$", ["\U0001f600"], ["\ufffd"]),
        (r"^\-\_\/\@$", ["-_/@"], ["-_/"]),
        ("^[[&&~|+--]+$", ["[&&", "~|", "+,-"], ["]", "a"]),
        (r"^[\]\-a\b]+$", ["]-a\b"], ["b"]),
        ("^[a-]+$", ["a-"], ["b"]),
        ("[]", [], ["", "a"]),
        ("^[^]$", ["\n", "a"], [""]),
        (r"^(?<y>\d)-\k<y>$", ["1-1"], ["1-2"]),
        (r"([ACGT])\1{3}", ["xAAAA"], ["ACGT"]),
        (r"^(a)\1(?:0)$", ["aa0"], ["a0"]),
        (r"^(?!x)(?=.b)..(?<=b)(?<!a)$", ["ab"], ["xb", "aa"]),
        (r"^\p{Lu}\P{L}\p{Script=Greek}$", ["\u00c41\u03b1"], ["a1\u03b1"]),
        ("^a+?b{2,3}?c??$", ["abb", "aabbbc"], ["ab"]),
        ("a #b", ["xa #b"], ["ab"]),
        ("", ["", "x"], []),
    ],
)
def test_what_fits(pattern: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not fits(pattern, text)] == []
    assert [text for text in bad if fits(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "problem", "hint"),
    [
        (r"\Ax", r"\A has no meaning in ECMA-262, at character 1", "write ^"),
        (r"x\Z", r"\Z has no meaning in ECMA-262, at character 2", "write $"),
        (r"x\z", r"\z has no meaning in ECMA-262, at character 2", "write $"),
        ("(?i)x", "no group of ECMA-262 begins so, at character 1", "spell both cases out: [Aa]"),
        ("(?P<n>x)", "no group of ECMA-262 begins so, at character 1",
         "write (?<name>...) for a group, \\k<name> for what it holds"),
        ("(?>x)", "no group of ECMA-262 begins so, at character 1", None),
        ("x++", "there is nothing to repeat, at character 3", "write \\+ for the character"),
        ("{", "there is nothing to repeat, at character 1", "write \\{ for the character"),
        ("x{,3}", "there is nothing to repeat, at character 2", "write \\{ for the character"),
        ("x{3,1}", "the bounds are the wrong way round, at character 2", None),
        ("[[:alpha:]]", "']' stands alone, at character 11", "write \\]"),
        ("[b-a]", "the range b-a is the wrong way round, at character 5", None),
        (r"[\d-x]", "a range ends in a set of characters, at character 6",
         "write \\- for the character"),
        ("[x", "a class is not closed, at character 1", "write \\[ for the character"),
        ("(x", "a group is not closed, at character 3", "write \\( for the character"),
        ("x)", "')' closes no group, at character 2", "write \\)"),
        ("^*", "a place cannot be repeated, at character 1", "repeat what stands there"),
        (r"\b+", "a place cannot be repeated, at character 1", "repeat what stands there"),
        (r"\uD83D", "there is no such character, at character 1", None),
        (r"\u{110000}", "there is no such character, at character 1", None),
        (r"\pL", r"\p has no meaning in ECMA-262, at character 1", None),
        (r"\p{Greek}", r"\p has no meaning in ECMA-262, at character 1", None),
        ("x\\", "\\ has no meaning in ECMA-262, at character 2", None),
        (r"\07", r"\0 has no meaning in ECMA-262, at character 1", None),
        ("(?<n>a)(?<n>b)", "two groups are called 'n', at character 8", None),
        ("(" * 51 + ")" * 51, "more than 50 groups in each other, at character 52", None),
    ],
)  # fmt: skip
def test_what_is_none(pattern: str, problem: str, hint: str | None) -> None:
    with pytest.raises(PatternError) as caught:
        translated(pattern)
    assert str(caught.value).endswith(f" is refused: {problem}")
    assert caught.value.hint == hint


@pytest.mark.parametrize("pattern", [r"(a)?\1", r"(a)|b\1", r"\1(a)", r"(?!(a))\1", r"(a*\1)"])
def test_a_back_reference_needs_a_group_that_has_taken_part(pattern: str) -> None:
    with pytest.raises(PatternError, match="a back-reference leads to no group"):
        translated(pattern)


def test_which_patterns_take_time() -> None:
    assert [p for p in (r"(?=a)", r"(?<!a)", r"(a)\1") if not backtracks(p)] == []
    assert [p for p in ("^(a+)+$", r"\bx\B", "(?:a|b)", r"(?<n>a)") if backtracks(p)] == []


_ATOMS = (
    "a", "b", "1", "_", "\u00e9", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", "[a-c]", "[^a]",
    r"[\d_]", r"[^\w]", "[^]", r"[\W1]", r"[\w-]", "[a&&b]", "[+--]", r"\x61", r"\u{1F600}",
    r"\uD83D\uDE00", r"\p{L}", r"\cA", r"\0", r"\/", r"[\b]", "[[:alpha:]", r"\n", "[$^]", r"\$",
)  # fmt: skip
_TEXTS = "ab1_A\u00e9\n\r\u2028\u0085\u00a0\ufeff -\x01\0\b\u0131\u212a\u0663/&+,[].$^"


def _random_pattern(random: random.Random, depth: int = 0) -> str:
    def inner() -> str:
        return _random_pattern(random, depth + 1)

    kind = random.random()
    if depth > 3 or kind < 0.5:
        atom = random.choice(_ATOMS)
    elif kind < 0.7:
        atom = random.choice(["({})", "(?:{})", "(?<n{n}>{})"]).format(
            inner(), n=random.randrange(10**6)
        )
    elif kind < 0.8:
        return random.choice(["{}|{}", "{}{}"]).format(inner(), inner())
    else:
        place = random.choice(["^", "$", r"\b", r"\B", r"(?=\w)", "(?!b)", "(?<=a)", r"(?<!\d)"])
        return random.choice([f"{place}{inner()}", f"{inner()}{place}"])
    return atom + random.choice(["", "", "*", "+?", "{1,2}"])


def test_node_says_the_same() -> None:
    node = shutil.which("node")
    if node is None:
        leave_out("node", "there is no node", "install Node.js")
    chance = random.Random(15)
    patterns = [_random_pattern(chance) for _ in range(600)]
    texts = ["".join(chance.choices(_TEXTS, k=chance.randrange(4))) for _ in range(40)]
    script = """
        const [patterns, texts] = JSON.parse(require("fs").readFileSync(0));
        const fits = (pattern) => {
          try { const found = new RegExp(pattern, "u"); return texts.map((t) => found.test(t)); }
          catch { return null; }
        };
        console.log(JSON.stringify(patterns.map(fits)));
    """
    done = subprocess.run(
        [node, "-e", script],
        input=json.dumps([patterns, texts]),
        capture_output=True,
        text=True,
        check=True,
        timeout=patience.SECONDS,
    )
    for pattern, expected in zip(patterns, json.loads(done.stdout), strict=True):
        assert expected is not None, pattern
        assert [fits(pattern, text) for text in texts] == expected, pattern
