"""Mutants of spec/core.md: values that are changed, refused or mixed up."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, each_scalar, operation
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import InvalidTypeError, InvalidValueError
from pipestat_spec.json_values import same_value
from pipestat_spec.models.schema.output_schema import ResultSchema

_READING = "retrieve value"


def declared(call: Call, name: str) -> ResultSchema | None:
    """Return what the output schema says of a result of the call's level."""
    schema = call.store.settings.schema
    return schema.levels[call.level].results.get(name) if schema else None  # type: ignore[index]


def is_declared(call: Call, name: str, kind: str) -> bool:
    """Tell whether a result is declared, as this type and no other."""
    result = declared(call, name)
    return result is not None and result.types == frozenset((kind,))


@operation("PS-VAL-001", on="report")
def null_refused(call: Call) -> Any:
    """A reported null is refused: it is taken for a mistake of the caller."""
    if None in call.values.values():
        raise InvalidValueError("null is no value")
    return call.go()


@operation("PS-VAL-002", on="report")
def wide_integers_rounded(call: Call) -> Any:
    """An integer beyond 64 bits is stored as the nearest double."""

    def narrow(value: Any) -> Any:
        wide = type(value) is int and not -(2**63) <= value < 2**63
        return float(value) if wide else value

    return call.go(values=each_scalar(call.values, narrow))


@operation("PS-VAL-002", "PS-VAL-013", on="report")
def integers_as_floats(call: Call) -> Any:
    """Every integer is stored as a double."""
    return call.go(values=each_scalar(call.values, lambda v: float(v) if type(v) is int else v))


@operation("PS-VAL-003", on="report")
def nan_becomes_null(call: Call) -> Any:
    """NaN and the infinities are stored as null."""

    def finite(value: Any) -> Any:
        return None if type(value) is float and not math.isfinite(value) else value

    return call.go(values=each_scalar(call.values, finite))


@operation("PS-VAL-003", on="report")
def negative_zero_lost(call: Call) -> Any:
    """Negative zero loses its sign."""
    return call.go(
        values=each_scalar(
            call.values, lambda v: 0.0 if v == 0.0 == v * 1.0 and type(v) is float else v
        )
    )


@operation("PS-VAL-004", on="report")
def strings_trimmed(call: Call) -> Any:
    """White space around a string is taken off."""
    return call.go(values=each_scalar(call.values, lambda v: v.strip() if type(v) is str else v))


@operation("PS-VAL-004", on=_READING)
def unicode_truncated(call: Call) -> Any:
    """Characters beyond the basic plane come back as their low 16 bits."""

    def truncated(value: Any) -> Any:
        if type(value) is not str:
            return value
        return "".join(chr(ord(c) & 0xFFFF) if ord(c) > 0xFFFF else c for c in value)

    return each_scalar(call.go(), truncated)


@operation("PS-VAL-004", on="report")
def nul_ends_a_string(call: Call) -> Any:
    """A string ends before its first U+0000, as in C, and is not refused."""

    def cut(value: Any) -> Any:
        return value.split("\0")[0] if type(value) is str else value

    return call.go(values=each_scalar(call.values, cut))


@operation("PS-VAL-005", on="report")
def depth_limited_to_64(call: Call) -> Any:
    """Values of a depth of more than 64 are refused."""
    if _depth(call.values) > 65:
        raise InvalidValueError("the depth is more than 64")
    return call.go()


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@operation("PS-VAL-006", on="report")
def last_of_equal_keys_wins(call: Call) -> Any:
    """An object with a key twice, in text that is converted, keeps the last of the two."""

    def parsed(value: Any) -> Any:
        if type(value) is str and value.startswith("{"):
            try:
                return json.dumps(json.loads(value))
            except ValueError:
                pass
        return value

    values = call.values
    if call.args.get("convert"):
        values = {name: parsed(value) for name, value in values.items()}
    return call.go(values=values)


@operation("PS-VAL-007", on="report")
def integers_in_single_precision(call: Call) -> Any:
    """Integers are kept in single precision, exact up to 2^24."""

    def rounded(value: Any) -> Any:
        small = type(value) is int and -(2**63) <= value < 2**63
        return int(struct.unpack("f", struct.pack("f", value))[0]) if small else value

    return call.go(values=each_scalar(call.values, rounded))


def _without_equals(call: Call, equal: Any) -> Any:
    """Make a report without the values that equal the stored ones, in some sense."""
    current = call.current
    stored = current.results if current else {}
    values = {
        name: value
        for name, value in call.values.items()
        if not (name in stored and equal(stored[name], value))
    }
    return call.go(values=values)


@operation("PS-VAL-008", on="report")
def inexact_number_accepted(call: Call) -> Any:
    """An integer that no double equals is rounded for a result declared number."""

    def rounded(name: str, value: Any) -> Any:
        exact = not is_declared(call, name, "number") or type(value) is not int
        return value if exact else float(value)

    return call.go(values={name: rounded(name, value) for name, value in call.values.items()})


@operation("PS-VAL-009", on="report")
def whole_number_refused(call: Call) -> Any:
    """1.0 is refused for a result declared integer."""
    for name, value in call.values.items():
        if is_declared(call, name, "integer") and type(value) is float:
            raise InvalidTypeError(f"{name}: {value} is no integer")
    return call.go()


@operation("PS-VAL-010", on="report")
def numbers_of_several_types_adapted(call: Call) -> Any:
    """An integer becomes a double also where the declared type is a number or null."""

    def adapted(name: str, value: Any) -> Any:
        result = declared(call, name)
        number = result is not None and "number" in (result.types or ())
        return float(value) if number and type(value) is int else value

    return call.go(values={name: adapted(name, value) for name, value in call.values.items()})


@operation("PS-VAL-011", on="report")
def true_equals_one(call: Call) -> Any:
    """A reported true is no change where 1 is stored, and the other way round."""
    return _without_equals(
        call, lambda old, new: {type(old), type(new)} == {bool, int} and old == new
    )


@operation("PS-VAL-011", on="report")
def key_order_counts(call: Call) -> Any:
    """An object with its keys in another order is a different value."""
    current = call.current
    stored = current.results if current else {}
    for name, value in call.values.items():
        old = stored.get(name)
        differs = isinstance(old, dict) and json.dumps(old) != json.dumps(value)
        if differs and not call.args.get("overwrite") and same_value(old, canonical(value)):
            return call.go(values={name: {**value, " ": 0}})
    return call.go()


@operation("PS-VAL-012", "PS-RES-001", on="report")
def partial_write_before_a_refusal(call: Call) -> Any:
    """Values are checked and stored one by one, until one is refused."""
    for name, value in call.values.items():
        call.go(values={name: value})
    return call.go()


@operation("PS-VAL-013", on="report")
def null_as_missing(call: Call) -> Any:
    """A reported null is left out."""
    return call.go(values={k: v for k, v in call.values.items() if v is not None})


@operation("PS-VAL-013", on=_READING)
def integers_as_strings(call: Call) -> Any:
    """Integers come back as strings."""
    return each_scalar(call.go(), lambda v: str(v) if type(v) is int else v)


@operation("PS-VAL-013", on="report")
def bool_to_int(call: Call) -> Any:
    """true and false are stored as 1 and 0."""
    return call.go(values=each_scalar(call.values, lambda v: int(v) if type(v) is bool else v))


@operation("PS-VAL-013", on=_READING)
def empty_containers_are_null(call: Call) -> Any:
    """Empty text, arrays and objects come back as null."""

    def emptied(value: Any) -> Any:
        return None if value in ("", [], {}) else value

    found = call.go()
    return {k: emptied(v) for k, v in found.items()} if call.op == "retrieve" else emptied(found)
