"""The text form of filters (spec/queries.md).

    filter    = all { "or" all }
    all       = negation { "and" negation }
    negation  = "not" negation | "(" filter ")" | test
    test      = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal
              | field [ "not" ] "in" "(" [ literal { "," literal } ] ")"
              | field [ "not" ] "like" string
              | field "is" [ "not" ] "null"
    field     = segment { "." segment }          no blanks between
    segment   = [A-Za-z_][A-Za-z0-9_-]*  |  '"' any text, "" for one quote '"'
    literal   = JSON number, + allowed  |  string  |  "true"  |  "false"
    string    = "'" any text, '' for one quote "'"

Keywords are case-insensitive; a field of that name stands in double quotes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from pipestat_spec.domain.filters import check_path, check_pattern
from pipestat_spec.errors import FilterSyntaxError, InvalidValueError
from pipestat_spec.json_values import MAX_INTEGER, MIN_INTEGER, JSONValue
from pipestat_spec.models.query import (
    And,
    Comparison,
    FieldPath,
    Filter,
    In,
    IsNull,
    Like,
    Not,
    Operator,
    Or,
)
from pipestat_spec.text.strings import check_text, shorten

__all__ = [
    "MAX_NESTING",
    "Token",
    "format_path",
    "parse_filter",
    "read_field",
    "read_path",
    "read_token",
    "syntax_error",
]

T = TypeVar("T")

_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "is", "null", "true", "false"})
_BARE = r"[A-Za-z_][A-Za-z0-9_-]*"
_SEGMENT = rf'(?:{_BARE}|"(?:[^"]|"")*+")'
_TOKEN = re.compile(
    rf"""(?P<field>{_SEGMENT}(?:\.{_SEGMENT})*+)
    |(?P<string>'(?:[^']|'')*+')
    |(?P<number>[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))
    |(?P<operator>(?:!=|<=|>=|=|<|>)(?![=<>!]))
    |(?P<mark>[(),])""",
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\r\n]*+")

# What people write instead, by how the text goes on where no token fits.
_MENDS = {
    "'": "close the string; '' stands for a quote inside one",
    '"': 'close the name; "" stands for a quote inside one',
    "==": "write =",
    "<>": "write !=",
    "=<": "write <=",
    "=>": "write >=",
    "!": "write != or not",
    "&": "write and",
    "|": "write or",
    "[": "a list stands in parentheses",
    "{": "a list stands in parentheses",
}
_OTHERWISE = "numbers are written as 12, -0.5 or 1e6; names with other characters in double quotes"


class Token(NamedTuple):
    kind: str  # field, keyword, string, number, operator, mark, end
    text: str
    position: int


def read_token(text: str, position: int) -> Token:
    """Return the token that starts at `position` or after blanks; raises FilterSyntaxError."""
    blank = _BLANK.match(text, position)
    position = blank.end() if blank else position
    if position >= len(text):
        return Token("end", "", len(text))
    match = _TOKEN.match(text, position)
    if match is None or match.lastgroup is None:
        rest = text[position : position + 2]
        hint = _MENDS.get(rest) or _MENDS.get(rest[0]) or _OTHERWISE
        wrong = Token("", rest[0], position)
        raise syntax_error(text, wrong, "a name, a value or an operator", hint=hint)
    token = Token(match.lastgroup, match.group(), position)
    if token.kind in ("field", "string"):
        try:
            check_text(token.text, "text")
        except InvalidValueError:
            raise syntax_error(text, token, "text without NUL and lone surrogates") from None
    if token.kind == "field" and token.text.lower() in _KEYWORDS:
        return Token("keyword", token.text.lower(), position)
    return token


def syntax_error(
    text: str, token: Token, expected: str, *, hint: str | None = None, found: str | None = None
) -> FilterSyntaxError:
    """Return the error that something else was expected where `token` is, on one line."""
    found = found or (f"found {shorten(token.text, 40)}" if token.text else "the filter ends")
    around = shorten(text[max(token.position - 20, 0) :], 60)
    column = token.position + 1
    return FilterSyntaxError(
        f"filter, column {column}: expected {expected}, {found}" + (around and f" near: {around}"),
        hint=hint and shorten(hint, 120),
        column=column,
    )


def read_path(text: str) -> FieldPath:
    """Return the segments of a field token."""
    return tuple(
        segment[1:-1].replace('""', '"') if segment[0] == '"' else segment
        for segment in re.findall(_SEGMENT, text)
    )


def read_field(text: str) -> FieldPath | None:
    """Return the segments of a text that is one field, such as `align.rate`; None: it is not."""
    match = _TOKEN.fullmatch(text)
    return read_path(text) if match is not None and match.lastgroup == "field" else None


def format_path(path: FieldPath) -> str:
    """Return the text of a field, quoted where it must be."""
    return ".".join(map(_format_segment, path))


def _format_segment(segment: str) -> str:
    if re.fullmatch(_BARE, segment) and segment.lower() not in _KEYWORDS:
        return segment
    return '"' + segment.replace('"', '""') + '"'


# Parentheses and `not` that may be open at one place.
MAX_NESTING = 100

_OPERATORS: dict[str, Operator] = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def parse_filter(text: str) -> Filter:
    """Return the filter that a text stands for (spec/queries.md).

    Raises FilterSyntaxError, whose `column` counts characters from 1.
    """
    return _Parser(text).parse()


class _Parser:
    """Recursive descent, one method per rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._token = read_token(text, 0)

    def parse(self) -> Filter:
        if self._token.kind == "end":
            raise self._error("a filter", hint="for example: reads > 1000 and genome = 'hg38'")
        result = self._filter(0)
        if self._token.kind != "end":
            raise self._error("and, or or the end")
        return result

    def _filter(self, depth: int) -> Filter:
        operands = [self._all(depth)]
        while self._accept("keyword", "or"):
            operands.append(self._all(depth))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _all(self, depth: int) -> Filter:
        operands = [self._negation(depth)]
        while self._accept("keyword", "and"):
            operands.append(self._negation(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _negation(self, depth: int) -> Filter:
        if depth > MAX_NESTING:
            raise self._error(
                f"at most {MAX_NESTING} open parentheses and nots", hint="simplify it"
            )
        if self._accept("keyword", "not"):
            return Not(self._negation(depth + 1))
        if self._accept("mark", "("):
            inner = self._filter(depth + 1)
            if not self._accept("mark", ")"):
                raise self._error("and, or or )")
            return inner
        return self._test()

    def _test(self) -> Filter:
        if self._token.kind != "field":
            raise self._error("the name of a result", hint=self._name_hint())
        token = self._take()
        path = self._checked(token, check_path, read_path(token.text))
        if self._token.kind == "operator":
            return self._comparison(path)
        if self._accept("keyword", "is"):
            negated = self._accept("keyword", "not")
            if not self._accept("keyword", "null"):
                raise self._error(
                    "null" if negated else "null or not null", hint="write = before a value"
                )
            return _negate(IsNull(path), negated)
        negated = self._accept("keyword", "not")
        if self._accept("keyword", "in"):
            return _negate(In(path, self._list()), negated)
        if self._accept("keyword", "like"):
            return _negate(Like(path, self._pattern()), negated)
        hint = (
            f"to ask for a boolean write {format_path(path)} = true, and in a shell put the whole "
            "filter in quotes"
        )
        if self._token.kind == "field":
            hint = "a name with spaces stands in double quotes"
        operators = "in or like" if negated else "an operator (=, !=, <, <=, >, >=, in, like, is)"
        raise self._error(operators, hint=hint)

    def _comparison(self, path: FieldPath) -> Filter:
        symbol = self._take().text
        if self._token.kind == "keyword" and self._token.text == "null":
            wanted = "is not null" if symbol == "!=" else "is null"
            raise self._error("a value", hint=f"write {format_path(path)} {wanted}")
        value = self._literal()
        return _negate(Comparison(path, _OPERATORS.get(symbol, "eq"), value), symbol == "!=")

    def _list(self) -> tuple[JSONValue, ...]:
        if not self._accept("mark", "("):
            raise self._error("(", hint="a list is written as ('a', 'b')")
        if self._accept("mark", ")"):
            return ()
        values = [self._literal()]
        while self._accept("mark", ","):
            values.append(self._literal())
        if not self._accept("mark", ")"):
            raise self._error(", or )")
        return tuple(values)

    def _pattern(self) -> str:
        token = self._token
        if token.kind != "string":
            raise self._error("a pattern", hint="patterns stand in single quotes: 'chr%'")
        return self._checked(token, check_pattern, str(self._literal()))

    def _checked(self, token: Token, check: Callable[[T], T], value: T) -> T:
        try:
            return check(value)
        except FilterSyntaxError as error:
            wanted = "a field" if token.kind == "field" else "a pattern"
            raise self._error(wanted, token, hint=error.hint, found=error.message) from None

    def _literal(self) -> JSONValue:
        token = self._token
        if token.kind == "string":
            return self._take().text[1:-1].replace("''", "'")
        if token.kind == "keyword" and token.text in ("true", "false"):
            return self._take().text == "true"
        if token.kind == "number":
            return self._number(self._take())
        hint = None
        if token.kind == "field":
            hint = "strings stand in single quotes: '" + ".".join(read_path(token.text)) + "'"
        elif token.text == "null":
            hint = "null is asked for with is null"
        raise self._error("a number, a string, true or false", hint=hint)

    def _number(self, token: Token) -> int | float:
        if set(".eE").isdisjoint(token.text):
            # No longer text is converted: int() refuses thousands of digits on its own.
            value = int(token.text) if len(token.text) <= 20 else MAX_INTEGER + 1
            if not MIN_INTEGER <= value <= MAX_INTEGER:
                raise self._error("a signed 64-bit integer", token, hint="write 1e20 for a number")
            return value
        number = float(token.text)
        if math.isinf(number):
            raise self._error("a number that a double can hold", token)
        return number

    def _name_hint(self) -> str | None:
        if self._token.kind == "string":
            return "names stand in double quotes, strings in single ones"
        if self._token.kind == "keyword":
            return f'write "{self._token.text}" if it is a name'
        return "the name stands left of the operator" if self._token.kind == "number" else None

    def _accept(self, kind: str, text: str) -> bool:
        if self._token[:2] != (kind, text):
            return False
        self._take()
        return True

    def _take(self) -> Token:
        token = self._token
        self._token = read_token(self._text, token.position + len(token.text))
        return token

    def _error(
        self,
        expected: str,
        token: Token | None = None,
        *,
        hint: str | None = None,
        found: str | None = None,
    ) -> FilterSyntaxError:
        return syntax_error(self._text, token or self._token, expected, hint=hint, found=found)


def _negate(filter: Filter, negated: bool) -> Filter:
    return Not(filter) if negated else filter
