"""Regular expressions of schemas: ECMA-262 with the flag `u` (spec/schema.md).

Engines agree on most of the syntax and differ in the rest without a word: `$` before a last line
feed, `\\w` beyond ASCII, `\\b`, `(?i)`. So a pattern is read here, refused where it is not
ECMA-262, and written again for the engine in a form that leaves no doubt.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

from pipestat_spec.text.strings import shorten

__all__ = ["PatternError", "backtracks", "translated"]

_MAX_DEPTH = 50
_Ranges = tuple[tuple[int, int], ...]
_DIGITS: _Ranges = ((0x30, 0x39),)
_WORD: _Ranges = (*_DIGITS, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_LINE_ENDS: _Ranges = ((0xA, 0xA), (0xD, 0xD), (0x2028, 0x2029))
# fmt: off
_SPACE: _Ranges = (
    (0x9, 0xD), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)
# fmt: on


def _span(first: int, last: int) -> str:
    return f"\\u{{{first:x}}}-\\u{{{last:x}}}"


def _inside(ranges: _Ranges) -> str:
    return "".join(_span(first, last) for first, last in ranges)


def _outside(ranges: _Ranges) -> str:
    firsts = (0, *(last + 1 for _, last in ranges))
    lasts = (*(first - 1 for first, _ in ranges), 0x10FFFF)
    return "".join(_span(first, last) for first, last in zip(firsts, lasts, strict=True))


# Written out, since an engine may take them for those of Unicode.
_SETS = {
    "d": _inside(_DIGITS),
    "D": _outside(_DIGITS),
    "w": _inside(_WORD),
    "W": _outside(_WORD),
    "s": _inside(_SPACE),
    "S": _outside(_SPACE),
}
_ANY = f"[{_outside(_LINE_ENDS)}]"
_W = f"[{_SETS['w']}]"
_CONTROLS = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_GROUPS = {"(?:": "(?:", "(?=": "(?=", "(?!": "(?!", "(?<=": "(?<=", "(?<!": "(?<!"}
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(?P<least>[0-9]+)(?:,(?P<most>[0-9]*))?\})\??")
_HEXADECIMAL = re.compile(r"x([0-9A-Fa-f]{2})|u\{0*([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})")
_LOW_HALF = re.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_NAME = re.compile(r"<([A-Za-z_$][A-Za-z0-9_$]*)>")
_CATEGORY = (
    r"L|L[ultmo]|M|M[nce]|N|N[dlo]|P|P[cdseifo]|S|S[mcko]|Z|Z[slp]|C|C[cfon]|Letter|Mark|Number|"
    r"Punctuation|Symbol|Separator|Uppercase_Letter|Lowercase_Letter|Decimal_Number|"
    r"Alphabetic|Lowercase|Uppercase|White_Space"
)
_PROPERTY = re.compile(rf"[pP]\{{(?:{_CATEGORY}|(?:Script|sc)=[A-Z][a-z]+)\}}")
# The characters of words are ASCII's, and so are the boundaries of words.
_BOUNDARIES = {
    "b": f"(?:(?<={_W})(?!{_W})|(?<!{_W})(?={_W}))",
    "B": f"(?:(?<={_W})(?={_W})|(?<!{_W})(?!{_W}))",
}
_ELSEWHERE = {
    r"\A": "write ^",
    r"\Z": "write $",
    r"\z": "write $",
    "(?P": "write (?<name>...) for a group, \\k<name> for what it holds",
    "(?i": "spell both cases out: [Aa]",
}


class PatternError(ValueError):
    """What is not ECMA-262, where, and what would be; `hint` may be None."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@lru_cache(maxsize=1024)
def translated(pattern: str) -> str:
    """Return a pattern of ECMA-262 in the engine's syntax; raises PatternError."""
    reader = _Reader(pattern)
    text, _ = reader.disjunction(frozenset(), 0)
    if reader.at < len(pattern):
        reader.refuse("')' closes no group", "write \\)")
    return text


def backtracks(pattern: str) -> bool:
    """Tell whether a pattern has look-around or back-references, which take time."""
    text = translated(pattern)
    for boundary in _BOUNDARIES.values():
        text = text.replace(boundary, "")
    return any(start in text for start in ("(?=", "(?!", "(?<=", "(?<!", "(?:\\"))


class _Reader:
    """Reads a pattern from left to right.

    `certain` are the groups that have taken part by then: engines differ in what a
    back-reference to another group means.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self._groups = 0
        self._names: dict[str, int] = {}

    def refuse(self, problem: str, hint: str | None = None) -> NoReturn:
        rest = self.pattern[self.at :]
        hint = next((h for start, h in _ELSEWHERE.items() if rest.startswith(start)), hint)
        raise PatternError(
            f"the pattern {shorten(repr(self.pattern))} is refused: {problem}, "
            f"at character {self.at + 1}",
            hint,
        )

    def disjunction(self, certain: frozenset[int], depth: int) -> tuple[str, frozenset[int]]:
        if depth > _MAX_DEPTH:
            self.refuse(f"more than {_MAX_DEPTH} groups in each other")
        written: list[str] = []
        after: list[frozenset[int]] = []
        while True:
            text, groups = self._alternative(certain, depth)
            written.append(text)
            after.append(groups)
            if not self._take("|"):
                return "|".join(written), frozenset.intersection(*after)

    def _alternative(self, certain: frozenset[int], depth: int) -> tuple[str, frozenset[int]]:
        written = ""
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            start = self.at
            text, after = self._term(certain, depth)
            quantifier, least = self._quantifier()
            if quantifier and (text in ("^", "$", *_BOUNDARIES.values()) or _looks_around(text)):
                self.at = start
                self.refuse("a place cannot be repeated", "repeat what stands there")
            if least:
                certain = after
            written += text + quantifier
        return written, certain

    def _term(self, certain: frozenset[int], depth: int) -> tuple[str, frozenset[int]]:
        character = self.pattern[self.at]
        if character == "(":
            return self._group(certain, depth)
        if character == "[":
            return self._class(), certain
        if character == "\\":
            return self._escape(certain), certain
        if character in "*+?{":
            self.refuse("there is nothing to repeat", f"write \\{character} for the character")
        if character in "]}":
            self.refuse(f"{character!r} stands alone", f"write \\{character}")
        self.at += 1
        if character == ".":
            return _ANY, certain
        return character if character in "^$" else _literal(character), certain

    def _quantifier(self) -> tuple[str, int]:
        """Return a quantifier and how often it asks for its atom at least."""
        found = _QUANTIFIER.match(self.pattern, self.at)
        if found is None:
            return "", 1
        least, most = found["least"], found["most"]
        if most and int(most) < int(least):
            self.refuse("the bounds are the wrong way round")
        self.at = found.end()
        return found[0], int(least) if least else int(found[0][0] == "+")

    def _group(self, certain: frozenset[int], depth: int) -> tuple[str, frozenset[int]]:
        opening = next((start for start in _GROUPS if self._take(start)), None)
        number = None
        if opening is None:
            number = self._open_group()
        inside, after = self.disjunction(certain, depth + 1)
        if not self._take(")"):
            self.refuse("a group is not closed", "write \\( for the character")
        if number is not None:
            return f"({inside})", after | {number}
        return f"{opening}{inside})", certain if opening in ("(?!", "(?<!") else after

    def _open_group(self) -> int:
        name = _NAME.match(self.pattern, self.at + 2)
        named = self.pattern.startswith("(?<", self.at) and name is not None
        if self.pattern.startswith("(?", self.at) and not named:
            self.refuse("no group of ECMA-262 begins so")
        self._groups += 1
        if named and name is not None:
            if name[1] in self._names:
                self.refuse(f"two groups are called {name[1]!r}")
            self._names[name[1]] = self._groups
            self.at = name.end()
        else:
            self.at += 1
        return self._groups

    def _escape(self, certain: frozenset[int]) -> str:
        kind = self.pattern[self.at + 1 : self.at + 2]
        if kind in _BOUNDARIES:
            self.at += 2
            return _BOUNDARIES[kind]
        if kind in "123456789" and kind:
            return self._back_reference(re.compile("[0-9]+"), certain)
        if kind == "k":
            return self._back_reference(_NAME, certain)
        one = self._set_or_character()
        return f"[{one}]" if len(one) > 1 else _literal(one)

    def _back_reference(self, form: re.Pattern[str], certain: frozenset[int]) -> str:
        by_name = form is _NAME
        found = form.match(self.pattern, self.at + 1 + by_name)
        number = (self._names.get(found[1], 0) if by_name else int(found[0])) if found else 0
        if found is None or number not in certain:
            self.refuse(
                "a back-reference leads to no group that has taken part in every case",
                "write the group before it, not in an alternative or repeated from zero times on",
            )
        self.at = found.end()
        # What follows must not become part of the number.
        return f"(?:\\{number})"

    def _class(self) -> str:
        start = self.at
        negated = self.pattern.startswith("[^", start)
        self.at += 1 + negated
        written = ""
        while not self._take("]"):
            first = self._class_atom(start)
            if self.pattern[self.at : self.at + 1] != "-" or self.pattern[self.at + 1 :][:1] == "]":
                written += first if len(first) > 1 else _literal(first)
                continue
            self.at += 1
            last = self._class_atom(start)
            if len(first) > 1 or len(last) > 1:
                self.refuse("a range ends in a set of characters", "write \\- for the character")
            if last < first:
                self.refuse(f"the range {first}-{last} is the wrong way round")
            written += f"{_literal(first)}-{_literal(last)}"
        if not written:
            return f"[{'' if negated else '^'}{_span(0, 0x10FFFF)}]"
        return f"[{'^' * negated}{written}]"

    def _class_atom(self, start: int) -> str:
        if self.at >= len(self.pattern):
            self.at = start
            self.refuse("a class is not closed", "write \\[ for the character")
        if self.pattern.startswith("\\b", self.at):
            self.at += 2
            return "\b"
        if self.pattern[self.at] == "\\":
            return self._set_or_character()
        self.at += 1
        return self.pattern[self.at - 1]

    def _set_or_character(self) -> str:
        """Return what an escape stands for: one character, or a set in the engine's syntax."""
        rest = self.at + 1
        kind = self.pattern[rest : rest + 1]
        length, meant = 1, ""
        if kind and kind in _SETS:
            meant = _SETS[kind]
        elif kind in _CONTROLS:
            meant = _CONTROLS[kind]
        elif kind == "0" and not self.pattern[rest + 1 :][:1].isdigit():
            meant = "\0"
        elif kind == "c" and re.match("[A-Za-z]", self.pattern[rest + 1 :]):
            length, meant = 2, chr(ord(self.pattern[rest + 1]) % 32)
        elif found := _PROPERTY.match(self.pattern, rest):
            length, meant = len(found[0]), f"\\{found[0]}"
        elif found := _HEXADECIMAL.match(self.pattern, rest):
            length, meant = self._hexadecimal(found)
        elif kind.isascii() and kind.isprintable() and kind and not kind.isalnum():
            meant = kind
        if not meant:
            self.refuse(f"{self.pattern[self.at : rest + 1]} has no meaning in ECMA-262")
        self.at = rest + length
        return meant

    def _hexadecimal(self, found: re.Match[str]) -> tuple[int, str]:
        code, length = int(found[found.lastindex or 0], 16), len(found[0])
        low = _LOW_HALF.match(self.pattern, found.end())
        if 0xD800 <= code < 0xDC00 and found[3] and low:
            code = 0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00
            length += len(low[0])
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            self.refuse("there is no such character")
        return length, chr(code)

    def _take(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.at)
        self.at += len(text) * found
        return found


def _literal(character: str) -> str:
    plain = character.isascii() and character.isalnum()
    return character if plain else f"\\u{{{ord(character):x}}}"


def _looks_around(text: str) -> bool:
    return text.startswith(("(?=", "(?!", "(?<=", "(?<!"))
