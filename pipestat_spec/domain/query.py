"""Evaluating queries over a stream of records (spec/queries.md).

The records come in code-point order of their identifiers, as `Backend.scan` yields them;
no more of them than a page are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from itertools import islice
from typing import Any

from pipestat_spec.domain.filters import (
    SPECIAL_FIELDS,
    compile_filter,
    field_value,
    fields,
    order_key,
)
from pipestat_spec.domain.times import as_utc, format_utc, parse_time
from pipestat_spec.errors import FilterSyntaxError, InvalidTimeFormatError
from pipestat_spec.json_values import MAX_INTEGER, JSONValue
from pipestat_spec.models.query import (
    And,
    Comparison,
    Filter,
    In,
    Or,
    Page,
    Query,
    TimeColumn,
    record_dict,
    reference_page,
)
from pipestat_spec.models.record import Record
from pipestat_spec.text.strings import shorten

__all__ = [
    "TimeColumn",
    "check_cursor",
    "check_limit",
    "check_time_column",
    "distinct",
    "keep_columns",
    "match_listed",
    "named",
    "page_with_fields",
    "recent",
    "recent_listed",
    "select",
    "select_listed",
    "time_cursor",
    "time_place",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING = object()
_NAME = ("record_identifier",)


def select(records: Iterable[Record], query: Query) -> Page:
    """Return one page of the records that match (spec/queries.md).

    Filtering comes first: `total_size` counts all matches, before and after the page. The
    page starts after the cursor, whether or not a record of that name still exists.
    Raises FilterSyntaxError for a limit below 1, a cursor that is no text or a wrong filter.
    """
    limit, cursor = check_limit(query.limit), check_cursor(query.cursor)
    holds = None if query.where is None else compile_filter(query.where)
    page: list[Record] = []
    total, more = 0, False
    for record in records:
        if holds is not None and not holds(record):
            continue
        total += 1
        if cursor is not None and record.key.identifier <= cursor:
            continue
        if limit is None or len(page) < limit:
            page.append(keep_columns(record, query.columns))
        else:
            more = True
    return Page(tuple(page), total, page[-1].key.identifier if more else None)


def select_listed(
    identifiers: Callable[[], Sequence[str]],
    found: Callable[[Iterable[str], bool], Iterable[Record]],
    query: Query,
    *,
    one_moment: bool = False,
) -> Page:
    """Return what `select` does, in a store that finds records by name; reads what is needed only.

    `identifiers` gives the names of all records in code-point order. `found` gives those of the
    records that are there, in the order of their names; they may lack their results unless it is
    asked for them. In a store of `one_moment` it gives the same when it is asked again.
    """
    limit, cursor = check_limit(query.limit), check_cursor(query.cursor)
    where = query.where
    names = named(where)
    if where is not None:
        looked_at = any(path[0] not in SPECIAL_FIELDS for path in fields(where))
        some = identifiers() if names is None else sorted(names)
        if one_moment and not looked_at and query.columns != ():
            return _filled(select(found(some, False), replace(query, columns=())), found, query)
        return select(found(some, looked_at or query.columns != ()), query)
    everything = identifiers()
    start = 0 if cursor is None else bisect_right(everything, cursor)
    end = len(everything) if limit is None else start + limit
    some = everything[start:end]
    records = found(some, query.columns != ())
    page = tuple(keep_columns(record, query.columns) for record in records)
    return Page(page, len(everything), some[-1] if end < len(everything) else None)


def match_listed(
    identifiers: Callable[[], Sequence[str]],
    found: Callable[[Iterable[str], bool], Iterable[Record]],
    where: Filter,
    after: str | None,
    limit: int | None,
) -> Iterator[Record]:
    """Yield the records that match, in a store that finds records by name; see `select_listed`."""
    holds, names = compile_filter(where), named(where)
    some = identifiers() if names is None else sorted(names)
    some = some[0 if after is None else bisect_right(some, after) :]
    return islice(filter(holds, found(some, True)), limit)


def recent_listed(
    identifiers: Callable[[], Sequence[str]],
    found: Callable[[Iterable[str], bool], Iterable[Record]],
    *window: Any,
) -> Page:
    """Return what `recent` does, in a store of one moment that finds records by name.

    Only the records of the page are read with their results; `window` is what `recent` takes.
    """
    return _filled(recent(found(identifiers(), False), *window), found)


def _filled(
    page: Page, found: Callable[[Iterable[str], bool], Iterable[Record]], query: Query | None = None
) -> Page:
    """Return a page of records with their results, of which a query may choose."""
    names = sorted(record.key.identifier for record in page.records)
    records = {record.key: record for record in found(names, True)}
    columns = None if query is None else query.columns
    filled = (keep_columns(records[record.key], columns) for record in page.records)
    return replace(page, records=tuple(filled))


def named(where: Filter | None) -> frozenset[str] | None:
    """Return the only records that can match, None for a filter that does not name them."""
    match where:
        case Comparison(field, "eq", value) if field == _NAME:
            return _names([value])
        case In(field, values) if field == _NAME:
            return _names(values)
        case And(operands):
            known = [names for names in map(named, operands) if names is not None]
            return frozenset.intersection(*known) if known else None
        case Or(operands):
            some = [named(operand) for operand in operands]
            return None if None in some else frozenset().union(*filter(None, some))
    return None


def _names(values: Iterable[JSONValue]) -> frozenset[str]:
    """Return those of the values that a record may be called: lone surrogates are no text."""
    texts = (value for value in values if isinstance(value, str))
    return frozenset(text for text in texts if text.encode(errors="ignore").decode() == text)


def check_limit(limit: object) -> int | None:
    """Return a limit of records, None for no limit; raises FilterSyntaxError."""
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit <= MAX_INTEGER:
        raise FilterSyntaxError(
            f"the limit {shorten(limit, 40)} is not a positive integer of 64 bits",
            hint="leave it out to get all records",
            limit=limit,
        )
    return limit


def check_cursor(cursor: object) -> str | None:
    """Return the cursor of a search, None for the first page; raises FilterSyntaxError."""
    if cursor is None or isinstance(cursor, str):
        return cursor
    raise FilterSyntaxError(
        f"the cursor {shorten(cursor, 40)} is not a record identifier",
        hint="give the next_page_token of the page before",
        cursor=cursor,
    )


def check_time_column(time_column: object) -> TimeColumn:
    """Return the name of a time column; raises FilterSyntaxError."""
    if time_column == "modified" or time_column == "created":
        return time_column
    raise FilterSyntaxError(
        f"{shorten(time_column)!r} is not a time column",
        hint="time columns: modified, created",
        time_column=time_column,
    )


def page_with_fields(
    page: Page, limit: int | None, columns: Collection[str]
) -> Mapping[str, object]:
    """Return a page as `select_records` answers, with those of the columns that are no results.

    They are fields such as `status` (PS-QRY-006) and the verdict; one without a value is None.
    """
    if not columns:
        return reference_page(page, limit)
    fields = [name for name in columns if name in SPECIAL_FIELDS]
    records = []
    for record in page.records:
        known = {name: field_value(record, (name,)) for name in fields}
        judgement = record.judgement
        if judgement is not None and judgement.field in columns:
            known[judgement.field] = str(judgement.verdict)
        records.append({**record_dict(record), **known})
    return {**reference_page(page, limit), "records": records}


def keep_columns(record: Record, columns: Sequence[str] | None) -> Record:
    """Return the record with the results in `columns` only, in that order; None keeps all."""
    if columns is None:
        return record
    results = record.results
    return replace(record, results={name: results[name] for name in columns if name in results})


def distinct(records: Iterable[Record], columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
    """Return the distinct combinations of values in `columns` (spec/queries.md).

    Columns are results or special fields. A record without any of them is left out; where
    one is missing, or null was reported, stands None. Equal numbers are one value (the
    first one met), true and 1 are two. Sorted by `order_key`, column by column.
    """
    found: dict[tuple[tuple[int, JSONValue], ...], tuple[JSONValue, ...]] = {}
    for record in records:
        values = [field_value(record, (name,), _MISSING) for name in columns]
        if all(value is _MISSING for value in values):
            continue
        row = tuple(None if value is _MISSING else value for value in values)
        found.setdefault(tuple(map(order_key, row)), row)
    return [found[key] for key in sorted(found)]


def recent(
    records: Iterable[Record],
    limit: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    time_column: TimeColumn = "modified",
    cursor: str | None = None,
) -> Page:
    """Return one page of records, newest first, equal times by identifier (spec/queries.md).

    `start` and `end` belong to the range; naive times are UTC. Records whose time is not
    known are left out. The cursor is opaque and names a place in the order, so a record
    that is written between two pages moves no other. Raises FilterSyntaxError for a wrong
    limit, column or cursor.
    """
    check_limit(limit)
    check_time_column(time_column)
    after = None if cursor is None else _place(*time_place(cursor))
    total = 0

    def places() -> Iterator[tuple[int, str, Record]]:
        nonlocal total
        for record in records:
            moment = record.modified if time_column == "modified" else record.created
            if moment is None or not _within(as_utc(moment), start, end):
                continue
            total += 1
            place = _place(moment, record.key.identifier)
            if after is None or place > after:
                yield (*place, record)

    found = nsmallest(limit + 1, places(), _order) if limit else sorted(places(), key=_order)
    page = found[:limit]
    more = len(found) > len(page)
    return Page(tuple(place[2] for place in page), total, _cursor(page[-1]) if more else None)


def time_cursor(moment: datetime, identifier: str) -> str:
    """Return the cursor that names a record's place in a listing by time."""
    return f"{format_utc(moment)} {identifier}"


def time_place(cursor: str) -> tuple[datetime, str]:
    """Return time and identifier of the last record before a page; raises FilterSyntaxError."""
    moment, _, identifier = cursor.partition(" ")
    try:
        return parse_time(moment), identifier
    except InvalidTimeFormatError:
        raise FilterSyntaxError(
            f"{shorten(cursor)!r} is not a cursor of a listing by time",
            hint="give the next_page_token of the page before",
            cursor=cursor,
        ) from None


def _order(place: tuple[int, str, Record]) -> tuple[int, str]:
    return place[:2]


def _within(moment: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or as_utc(start) <= moment) and (end is None or moment <= as_utc(end))


def _place(moment: datetime, identifier: str) -> tuple[int, str]:
    return -((as_utc(moment) - _EPOCH) // timedelta(microseconds=1)), identifier


def _cursor(place: tuple[int, str, Record]) -> str:
    return time_cursor(_EPOCH + timedelta(microseconds=-place[0]), place[1])
