"""Mutants of spec/queries.md: pages, columns, distinct values and recent records."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, backend, operation
from conformance_selfcheck.mutants.query import Searching
from pipestat_spec.domain.times import format_utc, parse_time
from pipestat_spec.models.query import Query
from pipestat_spec.models.record import Record


@operation("PS-QRY-010", on="select")
def total_size_is_that_of_the_page(call: Call) -> Any:
    """`total_size` counts the records of the page."""
    page = call.go()
    return {**page, "total_size": len(page["records"])}


@operation("PS-QRY-010", on="select")
def records_without_identifier(call: Call) -> Any:
    """The records of a page do not tell their identifier."""
    page = call.go()
    return {**page, "records": [_without(r, "record_identifier") for r in page["records"]]}


def _without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != name}


@backend("PS-QRY-011")
class LimitBeforeFilter(Searching):
    """The limit is taken before the filter."""

    def records(self, query: Query) -> Iterable[Record]:
        limit = query.limit if isinstance(query.limit, int) and query.limit > 0 else None
        return self.scan(query.level, after=query.cursor, limit=limit)


@operation("PS-QRY-011", on="select")
def limit_of_nothing_is_all(call: Call) -> Any:
    """The limit 0 means all records."""
    if call.args.get("limit") == 0:
        call.args.pop("limit")
    return call.go()


@operation("PS-QRY-012", on="select")
def stale_cursor(call: Call) -> Any:
    """A cursor whose record was removed begins anew."""
    cursor = call.args.get("cursor")
    if cursor is not None and cursor not in call.ask("records", level=call.level):
        call.args.pop("cursor")
    return call.go()


@operation("PS-QRY-012", on="select")
def cursor_after_the_last_page(call: Call) -> Any:
    """The last page has a token, too."""
    page = call.go()
    if page["records"] and page["next_page_token"] is None:
        return {**page, "next_page_token": page["records"][-1]["record_identifier"]}
    return page


@backend("PS-QRY-013")
class ColumnsBeforeFilter(Searching):
    """A result that is not among the columns cannot be searched for."""

    def records(self, query: Query) -> Iterable[Record]:
        for record in self.scan(query.level):
            kept = record.results if query.columns is None else query.columns
            yield replace(record, results={k: v for k, v in record.results.items() if k in kept})


@operation("PS-QRY-013", on="select")
def columns_ignored(call: Call) -> Any:
    """Records hold all results, whatever the columns."""
    call.args.pop("columns", None)
    return call.go()


@operation("PS-QRY-014", on="distinct")
def distinct_values_as_text(call: Call) -> Any:
    """Distinct values are ordered by their text."""
    return sorted(call.go(), key=lambda row: [json.dumps(value) for value in row])


@operation("PS-QRY-014", on="distinct")
def missing_values_left_out(call: Call) -> Any:
    """Combinations in which a value is missing are left out."""
    return [row for row in call.go() if None not in row]


@operation("PS-QRY-015", on="recent")
def oldest_first(call: Call) -> Any:
    """Recent records are listed oldest first."""
    page = call.go()
    return {**page, "records": page["records"][::-1]}


@operation("PS-QRY-015", on="recent")
def end_is_exclusive(call: Call) -> Any:
    """A record of the very time that ends the range does not belong to it."""
    if isinstance(call.args.get("end"), str):
        end = parse_time(call.args["end"], end=True) - timedelta(microseconds=1)
        call.args["end"] = format_utc(end)
    return call.go()


@operation("PS-QRY-015", on="recent", backend="yaml")
def last_day_ends_at_midnight(call: Call) -> Any:
    """A date that ends the range means its first moment."""
    end = call.args.get("end")
    if isinstance(end, str) and len(end) == 10:
        call.args["end"] = f"{end}T00:00:00Z"
    return call.go()
