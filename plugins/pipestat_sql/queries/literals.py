"""What a literal means for a column of one type, decided before the database is asked.

Numbers compare by mathematical value and strings by code point (PS-QRY-008); databases
round one operand to the type of the other, so the literal is moved to the nearest value
of the column's type that leaves the answer as it is.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from pipestat_spec.domain.times import format_utc
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.query import Operator

__all__ = [
    "IntegerBound",
    "MomentBound",
    "NumberBound",
    "PatternForm",
    "TextBound",
    "bigint_bound",
    "double_bound",
    "integer_bound",
    "is_number",
    "is_storable",
    "is_storable_all",
    "moment_bound",
    "pattern_form",
    "text_bound",
]

# An operator and what to compare with; a boolean where all such values give that answer.
IntegerBound: TypeAlias = tuple[Operator, int] | bool
NumberBound: TypeAlias = tuple[Operator, float] | bool
TextBound: TypeAlias = tuple[Operator, str]
MomentBound: TypeAlias = tuple[Operator, datetime] | bool

_NOT_STORED = re.compile("[\x00\ud800-\udfff]")
_AFTER_SURROGATES = "\ue000"
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def is_number(value: JSONValue) -> bool:
    """Tell whether a value is a number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_storable(text: str) -> bool:
    """Tell whether a string can stand in a store at all (PS-VAL-004)."""
    return _NOT_STORED.search(text) is None


def is_storable_all(value: JSONValue) -> bool:
    """Tell whether a value with all that it holds can stand in a store."""
    if isinstance(value, dict):
        return all(map(is_storable, value)) and all(map(is_storable_all, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_storable_all, value))
    if isinstance(value, str):
        return is_storable(value)
    return not isinstance(value, float) or math.isfinite(value)


def integer_bound(operator: Operator, value: float) -> IntegerBound:
    """Return the comparison of any integer with `value` as one with an integer."""
    if isinstance(value, int):
        return operator, value
    if math.isnan(value):
        return False
    if math.isinf(value):
        return operator in (("lt", "le") if value > 0 else ("gt", "ge"))
    if value.is_integer():
        return operator, int(value)
    if operator == "eq":
        return False
    return ("le", math.floor(value)) if operator in ("lt", "le") else ("ge", math.ceil(value))


def bigint_bound(operator: Operator, value: float) -> IntegerBound:
    """Return the comparison of a signed 64-bit integer with `value` as one with such."""
    bound = integer_bound(operator, value)
    if isinstance(bound, bool) or -(2**63) <= bound[1] < 2**63:
        return bound
    return operator in (("lt", "le") if bound[1] > 0 else ("gt", "ge"))


def double_bound(operator: Operator, value: float) -> NumberBound:
    """Return the comparison of a double with `value` as one with a double."""
    if isinstance(value, float):
        return (operator, value) if not math.isnan(value) else False
    try:
        near = float(value)
    except OverflowError:
        return operator in (("lt", "le") if value > 0 else ("gt", "ge"))
    if near == value:
        return operator, near
    if operator == "eq":
        return False
    if operator in ("lt", "le"):
        return "le", near if near < value else math.nextafter(near, -math.inf)
    return "ge", near if near > value else math.nextafter(near, math.inf)


def text_bound(operator: Literal["lt", "le", "gt", "ge"], value: str) -> TextBound:
    """Return the comparison with `value` as one with a string that a database can hold."""
    found = _NOT_STORED.search(value)
    if found is None:
        return operator, value
    before = value[: found.start()]
    below = operator in ("lt", "le")
    # What begins as `before` goes on with something after NUL.
    if found[0] == "\x00":
        return ("le", before) if below else ("gt", before)
    return ("lt" if below else "ge"), before + _AFTER_SURROGATES


def moment_bound(operator: Operator, value: str) -> MomentBound:
    """Return the comparison of the text of any time (PS-REC-003) with `value` as one of times.

    Such texts are in the order of their times, so that one of them is the first that is not
    before `value`, whatever that is.
    """
    number = bisect_left(_Moments(), value)
    if number == len(_Moments()):
        return operator in ("lt", "le")
    found = _moment(number)
    if operator == "eq":
        return ("eq", found) if format_utc(found) == value else False
    if format_utc(found) == value:
        return operator, found
    return ("lt" if operator in ("lt", "le") else "ge"), found


class _Moments:
    """The texts of all times, in their order."""

    def __len__(self) -> int:
        return (_LAST - _FIRST) // _MICROSECOND + 1

    def __getitem__(self, number: int) -> str:
        return format_utc(_moment(number))


def _moment(number: int) -> datetime:
    return _FIRST + number * _MICROSECOND


class PatternForm(NamedTuple):
    """What a `like` pattern asks, and of which text; `pattern` where only a pattern says it.

    `prefix` has a text after all that begin with it, `following`.
    """

    kind: Literal["text", "prefix", "suffix", "part", "pattern"]
    text: str
    following: str = ""


_PARTS = re.compile(r"(%*)((?:[^%_\\]|\\.)*)(%*)", re.DOTALL)


def pattern_form(pattern: str) -> PatternForm:
    """Return the form of a pattern that does not end in its escape character."""
    found = _PARTS.fullmatch(pattern)
    if found is None:
        return PatternForm("pattern", pattern)
    before, text, after = found.groups()
    text = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    if not before and not after:
        return PatternForm("text", text)
    if before and after:
        return PatternForm("part", text)
    if before and text:
        return PatternForm("suffix", text)
    following = None if before else _following(text)
    if following is None:
        return PatternForm("pattern", pattern)
    return PatternForm("prefix", text, following)


def _following(prefix: str) -> str | None:
    """Return the first text after all that begin with a prefix; None where there is none."""
    if not prefix or prefix[-1] in ("\ud7ff", "\U0010ffff"):
        return None
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
