"""Filters, queries and pages (spec/queries.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import Level, Record

__all__ = [
    "And",
    "Comparison",
    "Filter",
    "In",
    "IsNull",
    "Leaf",
    "Like",
    "Not",
    "Operator",
    "Or",
    "Page",
    "Query",
    "TimeColumn",
]

Operator: TypeAlias = Literal["eq", "lt", "le", "gt", "ge"]
TimeColumn: TypeAlias = Literal["modified", "created"]
# A result identifier, or the segments that lead into an object.
FieldPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; false when the types differ or the value is missing or null.

    `field` is a path: the result, and the keys that lead into an object.
    """

    field: FieldPath
    operator: Operator
    value: JSONValue


@dataclass(frozen=True, slots=True)
class In:
    """True when the field equals one of the values."""

    field: FieldPath
    values: tuple[JSONValue, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """Case-sensitive pattern: `%` any characters, `_` one, backslash escapes."""

    field: FieldPath
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """True for a reported null and for a result never reported."""

    field: FieldPath


@dataclass(frozen=True, slots=True)
class Not:
    """True when the operand is false."""

    operand: Filter


@dataclass(frozen=True, slots=True)
class And:
    """True when all operands are; without operands true."""

    operands: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when one operand is; without operands false."""

    operands: tuple[Filter, ...]


Leaf: TypeAlias = Comparison | In | Like | IsNull
Filter: TypeAlias = Leaf | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """Which records of a level, in which order, and how many.

    `columns` names the results to return (None: all); `cursor` is the record identifier
    that the page starts after; `limit` None means all.
    """

    level: Level = "sample"
    columns: tuple[str, ...] | None = None
    where: Filter | None = None
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one page; `total_size` counts all matches; `next_cursor` None at the end."""

    records: tuple[Record, ...]
    total_size: int
    next_cursor: str | None = None


def reference_page(page: Page, limit: int | None) -> Mapping[str, object]:
    """Return the page in the shape that the manager's `select_records` answers with."""
    return {
        "total_size": page.total_size,
        "page_size": page.total_size if limit is None else limit,
        "next_page_token": page.next_cursor,
        "records": [record_dict(record) for record in page.records],
    }


def record_dict(record: Record) -> dict[str, JSONValue]:
    """Return the results of a record with its identifier, as `retrieve_one` answers."""
    return {**record.results, "record_identifier": record.key.identifier}
