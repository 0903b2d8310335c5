"""Evaluating filters on records, with two-valued logic (spec/queries.md).

This module is the meaning of a filter: a backend that answers queries itself must give
exactly these answers.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import TypeAlias

from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.json_values import MAX_DEPTH, JSONValue
from pipestat_spec.models.query import (
    And,
    Comparison,
    FieldPath,
    Filter,
    In,
    IsNull,
    Leaf,
    Like,
    Not,
    Or,
)
from pipestat_spec.models.record import Record
from pipestat_spec.text.strings import nearest, shorten

__all__ = [
    "COMPARE",
    "LONGEST_PATTERN",
    "SPECIAL_FIELDS",
    "check_path",
    "check_pattern",
    "compile_filter",
    "field_value",
    "fields",
    "leaves",
    "like_regex",
    "matches",
    "order_key",
    "unknown_fields",
    "with_leaves",
]

Predicate: TypeAlias = Callable[[Record], bool]
# Rank of the type in the total order, then what orders values within the type.
OrderKey: TypeAlias = tuple[int, JSONValue]

# Characters of a `like` pattern.
LONGEST_PATTERN = 100_000

# Ranks of the total order across types.
NULL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT = range(6)

# How numbers and strings compare, by the operator of a condition.
COMPARE: dict[str, Callable[[JSONValue, JSONValue], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def matches(filter: Filter, record: Record) -> bool:
    """Tell whether the record fulfils the filter; raises FilterSyntaxError (spec/queries.md)."""
    return compile_filter(filter)(record)


def compile_filter(filter: Filter) -> Predicate:
    """Return the filter as a function of a record, for use on many (spec/queries.md).

    Raises FilterSyntaxError for a `like` pattern that ends in its escape character.
    """
    match filter:
        case And(operands):
            every = [compile_filter(operand) for operand in operands]
            return lambda record: all(holds(record) for holds in every)
        case Or(operands):
            some = [compile_filter(operand) for operand in operands]
            return lambda record: any(holds(record) for holds in some)
        case Not(operand):
            inner = compile_filter(operand)
            return lambda record: not inner(record)
        case IsNull(path):
            return lambda record: field_value(record, path) is None
        case Like(path, pattern):
            return _like(path, pattern)
        case In(path, values):
            return _in(path, values)
        case Comparison():
            return _comparison(filter)


def _comparison(filter: Comparison) -> Predicate:
    path, compare = filter.field, COMPARE[filter.operator]
    wanted = order_key(filter.value)
    kind = wanted[0]
    # Equality is defined for every type but null, order for numbers and strings only.
    if kind == NULL or (filter.operator != "eq" and kind not in (NUMBER, STRING)):
        return lambda record: False  # noqa: ARG005

    def holds(record: Record) -> bool:
        found = order_key(field_value(record, path))
        return found[0] == kind and compare(found[1], wanted[1])

    return holds


def _in(path: FieldPath, values: tuple[JSONValue, ...]) -> Predicate:
    # Null equals nothing, so it is left out.
    wanted = {order_key(value) for value in values if value is not None}
    return lambda record: order_key(field_value(record, path)) in wanted


def _like(path: FieldPath, pattern: str) -> Predicate:
    regex = like_regex(pattern)

    def holds(record: Record) -> bool:
        found = field_value(record, path)
        return isinstance(found, str) and regex.fullmatch(found) is not None

    return holds


def like_regex(pattern: str) -> re.Pattern[str]:
    """Return a regular expression whose full match is the `like` pattern's.

    `%` is any run of characters, `_` one; a backslash makes the next character stand for
    itself. Raises FilterSyntaxError for a backslash at the end.
    """
    check_pattern(pattern)
    first, *others = _runs(pattern)
    if not others:
        return re.compile(first, re.DOTALL)
    # The first place where a middle part fits is as good as any other: the atomic groups
    # keep a pattern with many `%` from trying them all.
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)


def _runs(pattern: str) -> list[str]:
    """Return what stands between the `%` of a pattern, as regular expressions."""
    runs = [""]
    for token in re.findall(r"\\.|.", pattern, re.DOTALL):
        if token == "%":
            runs.append("")
        else:
            runs[-1] += "." if token == "_" else re.escape(token[-1])
    return runs


def check_path(path: FieldPath) -> FieldPath:
    """Return the path of a field; raises FilterSyntaxError when it leads deeper than values do."""
    if len(path) > MAX_DEPTH:
        raise FilterSyntaxError(
            f"a path of {len(path)} names is longer than {MAX_DEPTH}", hint="no value is so deep"
        )
    return path


def check_pattern(pattern: str) -> str:
    """Return the `like` pattern; raises FilterSyntaxError when it is too long or ends in a `\\`."""
    if len(pattern) > LONGEST_PATTERN:
        raise FilterSyntaxError(
            f"a pattern of {len(pattern)} characters is longer than {LONGEST_PATTERN}",
            hint="leave out what the others say",
        )
    if re.fullmatch(r"(?:[^\\]|\\.)*+", pattern, re.DOTALL) is None:
        raise FilterSyntaxError(
            f"the pattern {shorten(pattern, 40)!r} ends in a backslash that escapes nothing",
            hint=r"write \\ for a backslash",
            pattern=pattern,
        )
    return pattern


def _time_or_none(time: datetime | None) -> str | None:
    return None if time is None else format_utc(time)


_SPECIAL: dict[str, Callable[[Record], str | None]] = {
    "record_identifier": lambda record: record.key.identifier,
    "status": lambda record: record.status,
    "pipestat_created_time": lambda record: _time_or_none(record.created),
    "pipestat_modified_time": lambda record: _time_or_none(record.modified),
}

# Fields that are no results: the identifier, the status and the times of a record.
SPECIAL_FIELDS = frozenset(_SPECIAL)


def field_value(record: Record, path: FieldPath, missing: JSONValue = None) -> JSONValue:
    """Return the value of a field, `missing` where the record has none (spec/queries.md).

    The first segment names a result, a special field or the verdict of a judged record, the
    others lead through objects; arrays have no fields.
    """
    special = _SPECIAL.get(path[0])
    if special is not None:
        text = special(record) if len(path) == 1 else None
        return missing if text is None else text
    judgement = record.judgement
    if judgement is not None and path[0] == judgement.field:
        return str(judgement.verdict) if len(path) == 1 else missing
    value: JSONValue = record.results
    for segment in path:
        # The results themselves may be any mapping, values in them are plain.
        if value is not record.results and not isinstance(value, dict):
            return missing
        if segment not in value:
            return missing
        value = value[segment]
    return value


def order_key(value: JSONValue) -> OrderKey:
    """Return a hashable key of the total order of values (spec/queries.md).

    null < booleans < numbers by value < strings by code point < arrays < objects, the last
    two by their canonical JSON text. Two values are equal for filters when their keys are:
    1 equals 1.0, true does not equal 1, the order of an object's keys does not count.
    """
    if value is None:
        return (NULL, None)
    if isinstance(value, bool):
        return (BOOLEAN, value)
    if isinstance(value, int | float):
        return (NUMBER, value)
    if isinstance(value, str):
        return (STRING, value)
    text = json.dumps(
        _whole_numbers(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return (OBJECT if isinstance(value, dict) else ARRAY, text)


def _whole_numbers(value: JSONValue) -> JSONValue:
    # So that equal numbers have one text: 1.0 is written as 1 and -0.0 as 0.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_numbers(item) for item in value]
    return value


def leaves(filter: Filter) -> Iterator[Leaf]:
    """Yield the conditions of which a filter is made, in order, repeats included."""
    match filter:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from leaves(operand)
        case Not(operand):
            yield from leaves(operand)
        case _:
            yield filter


def with_leaves(filter: Filter, change: Callable[[Leaf], Filter]) -> Filter:
    """Return the filter with another one in the place of each of its conditions."""
    match filter:
        case And(operands):
            return And(tuple(with_leaves(operand, change) for operand in operands))
        case Or(operands):
            return Or(tuple(with_leaves(operand, change) for operand in operands))
        case Not(operand):
            return Not(with_leaves(operand, change))
    return change(filter)


def fields(filter: Filter) -> Iterator[FieldPath]:
    """Yield the path of every field that the filter speaks of, in order, repeats included."""
    return (leaf.field for leaf in leaves(filter))


def unknown_fields(filter: Filter, known: Collection[str]) -> dict[str, str | None]:
    """Return the fields that are neither in `known` nor special, each with the nearest one.

    A filter on such a field is allowed (spec/queries.md): it is a missing value. Usually it
    is a misspelling.
    """
    names = dict.fromkeys(path[0] for path in fields(filter))
    unknown = [name for name in names if name not in known and name not in SPECIAL_FIELDS]
    everything = sorted({*known, *SPECIAL_FIELDS}) if unknown else ()
    return {name: nearest(name, everything) for name in unknown}
