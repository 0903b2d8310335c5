"""Mutants of spec/queries.md: filters, order and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pipestat_conformance.targets.memory import SnapshotBackend

from conformance_selfcheck.mutants.mutation import Call, backend, operation
from pipestat_spec.domain.query import select
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.models.query import (
    And,
    Comparison,
    Filter,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Page,
    Query,
)
from pipestat_spec.models.record import Record


def rewritten(filter: Filter, change: Callable[[Filter], Filter]) -> Filter:
    """Return the filter with each of its parts changed, the inner ones first."""
    match filter:
        case And(operands):
            return change(And(tuple(rewritten(o, change) for o in operands)))
        case Or(operands):
            return change(Or(tuple(rewritten(o, change) for o in operands)))
        case Not(operand):
            return change(Not(rewritten(operand, change)))
        case _:
            return change(filter)


class Searching(SnapshotBackend):
    """A backend that answers searches itself, through one hook for each way to be wrong."""

    def select(self, query: Query) -> Page:
        where = None if query.where is None else rewritten(query.where, self.part)
        return select(self.records(query), self.query(replace(query, where=where)))

    def part(self, part: Filter) -> Filter:
        return part

    def query(self, query: Query) -> Query:
        return query

    def records(self, query: Query) -> Iterable[Record]:
        return self.scan(query.level)


def _where(call: Call) -> str:
    where = call.args.get("where")
    return where if isinstance(where, str) else ""


@operation("PS-QRY-001", on="select")
def only_spaces_between_tokens(call: Call) -> Any:
    """Tabs and line feeds between tokens are refused."""
    if re.search(r"[\t\r\n](?=([^']*'[^']*')*[^']*$)", _where(call)):
        raise FilterSyntaxError("unexpected character")
    return call.go()


@backend("PS-QRY-001")
class AndBindsAsOr(Searching):
    """`a or b and c` means `(a or b) and c`."""

    def part(self, part: Filter) -> Filter:
        if isinstance(part, Or) and isinstance(part.operands[-1], And):
            first, *others = part.operands[-1].operands
            return And((Or((*part.operands[:-1], first)), *others))
        return part


@operation("PS-QRY-002", on="select")
def keywords_in_lower_case_only(call: Call) -> Any:
    """Keywords in upper case are refused."""
    outside = re.sub(r"'[^']*'|\"[^\"]*\"", "", _where(call))
    if re.search(r"\b(AND|OR|NOT|IN|LIKE|IS|NULL|TRUE|FALSE)\b", outside, re.IGNORECASE) and (
        re.search(r"\b[A-Z][A-Za-z]*\b", outside)
    ):
        raise FilterSyntaxError("unexpected word")
    return call.go()


@backend("PS-QRY-003", "PS-QRY-005")
class DotsInNamesSplit(Searching):
    """A dot in a quoted name separates segments all the same."""

    def part(self, part: Filter) -> Filter:
        if isinstance(part, And | Or | Not):
            return part
        return replace(part, field=tuple(s for name in part.field for s in name.split(".")))


@operation("PS-QRY-004", on="select")
def double_equals_accepted(call: Call) -> Any:
    """`==` means `=`, and `<>` means `!=`."""
    where = _where(call).replace("==", "=").replace("<>", "!=")
    return call.go(where=where) if where else call.go()


@operation("PS-QRY-004", on="select")
def empty_text_selects_all(call: Call) -> Any:
    """A filter without any text selects everything."""
    if "where" in call.args and not _where(call).strip():
        call.args.pop("where")
    return call.go()


@operation("PS-QRY-005", on="select")
def unknown_operators_skipped(call: Call) -> Any:
    """A condition with an operator that does not exist is skipped."""
    known = ("eq", "ne", "lt", "le", "gt", "ge", "in", "like")
    conditions = call.args.get("conditions")
    if isinstance(conditions, list):
        call.args["conditions"] = [
            c for c in conditions if not (isinstance(c, dict) and c.get("operator") not in known)
        ]
    return call.go()


@operation("PS-QRY-005", on="select")
def conditions_always_joined_by_and(call: Call) -> Any:
    """Conditions are joined by `and`, whatever the caller says."""
    call.args.pop("bool_operator", None)
    return call.go()


@backend("PS-QRY-006")
class StatusIsNoField(Searching):
    """The status of a record cannot be searched for."""

    def records(self, query: Query) -> Iterable[Record]:
        return (replace(record, status=None) for record in self.scan(query.level))


@backend("PS-QRY-006")
class NestedFieldsMissing(Searching):
    """Fields of nested objects are never found."""

    def part(self, part: Filter) -> Filter:
        if not isinstance(part, And | Or | Not) and len(part.field) > 1:
            return replace(part, field=("no such field",))
        return part


@backend("PS-QRY-007")
class NullComparisonIsTrue(Searching):
    """A comparison with a field that is null or missing is true."""

    def part(self, part: Filter) -> Filter:
        return Or((part, IsNull(part.field))) if isinstance(part, Comparison) else part


@backend("PS-QRY-007")
class ThreeValuedLogic(Searching):
    """As in SQL, `x != 1` is not true for a missing `x`."""

    def part(self, part: Filter) -> Filter:
        inner = part.operand if isinstance(part, Not) else None
        if isinstance(inner, Comparison | In | Like):
            return And((part, Not(IsNull(inner.field))))
        return part


@backend("PS-QRY-007")
class NullIsNotMissing(Searching):
    """`is null` is true for a reported null only."""

    def part(self, part: Filter) -> Filter:
        # A missing result is not among the results, whatever a filter finds there.
        return In(part.field, (_NULL,)) if isinstance(part, IsNull) else part

    def records(self, query: Query) -> Iterable[Record]:
        for record in self.scan(query.level):
            results = {k: _NULL if v is None else v for k, v in record.results.items()}
            yield replace(record, results=results)

    def select(self, query: Query) -> Page:
        page = super().select(query)
        stored = {record.key: record for record in self.scan(query.level)}
        return replace(page, records=tuple(stored[record.key] for record in page.records))


_NULL = "\ue000null"


@backend("PS-QRY-008")
class BigIntegersRounded(Searching):
    """Integers are compared as doubles."""

    def part(self, part: Filter) -> Filter:
        if isinstance(part, Comparison) and type(part.value) is int:
            return replace(part, value=int(float(part.value)))
        return part


@backend("PS-QRY-008")
class FilterOffByOne(Searching):
    """`>` means `>=`, and `<` means `<=`."""

    def part(self, part: Filter) -> Filter:
        if isinstance(part, Comparison) and part.operator in ("lt", "gt"):
            return replace(part, operator="le" if part.operator == "lt" else "ge")
        return part


@backend("PS-QRY-009")
class LikeWithoutCase(Searching):
    """`like` makes no difference between upper and lower case."""

    def records(self, query: Query) -> Iterable[Record]:
        return (_lower(record) for record in self.scan(query.level))

    def part(self, part: Filter) -> Filter:
        return replace(part, pattern=part.pattern.lower()) if isinstance(part, Like) else part


def _lower(record: Record) -> Record:
    results = {k: v.lower() if isinstance(v, str) else v for k, v in record.results.items()}
    return replace(record, results=results)


@backend("PS-QRY-009")
class LikeMatchesAnywhere(Searching):
    """`like` looks for its pattern anywhere in a string."""

    def part(self, part: Filter) -> Filter:
        return replace(part, pattern=f"%{part.pattern}%") if isinstance(part, Like) else part
