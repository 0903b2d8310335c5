"""Filters as text, written for tests."""

from __future__ import annotations

import json
from typing import Any

from pipestat_spec.models.query import And, Comparison, In, Like, Not, Or

SYMBOLS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value)


def written(filter: Any) -> str:
    """Write a filter with every name in quotes and every operand in parentheses."""
    match filter:
        case And(operands) | Or(operands):
            word = " and " if isinstance(filter, And) else " or "
            return word.join(f"({written(operand)})" for operand in operands)
        case Not(operand):
            return f"not ({written(operand)})"
    path = ".".join('"' + name.replace('"', '""') + '"' for name in filter.field)
    match filter:
        case Comparison(_, operator, value):
            return f"{path} {SYMBOLS[operator]} {literal(value)}"
        case In(_, values):
            return f"{path} in ({', '.join(map(literal, values))})"
        case Like(_, pattern):
            return f"{path} like {literal(pattern)}"
    return f"{path} is null"
