"""Pages of matching records, by identifier or by time (PS-QRY-010 to PS-QRY-013, PS-QRY-015)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipestat_spec.domain.query import (
    TimeColumn,
    check_cursor,
    check_limit,
    check_time_column,
    keep_columns,
    recent,
    select,
    time_cursor,
    time_place,
)
from pipestat_spec.domain.times import as_utc
from pipestat_spec.json_values import MAX_INTEGER
from pipestat_spec.models.query import Comparison, Filter, In, Page, Query
from pipestat_spec.models.record import Record
from pipestat_sql.queries.conditions import condition, is_of_system
from pipestat_sql.queries.dialects import COMPARE, Condition, Expression
from pipestat_sql.queries.literals import text_bound
from pipestat_sql.queries.table_reader import TableReader, ToRecord

__all__ = ["recent_page", "select_page"]

# How many searches are kept for a table.
_MOST_BUILT = 100
# A page without a limit is read at once when it has no more records than this.
_FEW = 500
# Of no more matches than this a page is sorted; among more it is met soon, in the order of all.
_FEW_MATCHES = 2000


@dataclass(frozen=True)
class _Window:
    """The part of the matches that a page holds: those `following`, in order, up to `limit`.

    `order` is made of a collection of columns, the table's or those of a subquery.
    """

    following: Condition | None
    order: Callable[[Any], Sequence[Expression]]
    limit: int | None


def select_page(reader: TableReader, query: Query) -> Page:
    """Return one page of the matches, as `pipestat_spec.domain.query.select` does."""
    limit, cursor = check_limit(query.limit), check_cursor(query.cursor)
    if reader.needs_domain(query.where):
        return select(reader.records(), query)
    columns = reader.columns(query.columns)

    def kept(row: Any) -> Record:
        return keep_columns(reader.to_record(row), query.columns)

    found = None
    if query.where is not None and "id" in reader.table.table.c:
        found = _among_few(reader, query, columns, kept)
    if found is None:
        matching = _matching(reader, query.where)
        of_many = None
        if query.where is not None and limit is not None:
            many = _matching(reader, query.where, of_many=True)
            of_many = matching if _is_one_status(query.where) else many
            matching = matching if is_of_system(query.where) else many
        following = None if cursor is None else _after(reader.identifier, cursor)
        window = _Window(following, lambda c: [reader.dialect.text(c.record_identifier)], limit)
        found = _read_window(reader, matching, columns, window, kept, of_many)
    records, total, more = found
    return Page(tuple(records), total, records[-1].key.identifier if more else None)


def _among_few(
    reader: TableReader, query: Query, columns: Sequence[sa.Column[Any]], to_record: ToRecord
) -> tuple[list[Record], int, bool] | None:
    """Return what `_read_window` does, in one look at each row; None for many matches.

    Of few matches, the number and the page come from a list of them, in the making of which the
    condition is asked once, and an index serves it whatever the order of the page is.
    """
    limit = min(query.limit or _FEW, MAX_INTEGER - 1)
    statement = _few(reader, query, columns, limit)
    rows = list(reader.rows(statement, few=True))
    if rows[0][0] > _FEW_MATCHES:
        return None
    found = _records(rows, columns, limit, to_record)
    return None if found[2] and query.limit is None else found


def _few(
    reader: TableReader, query: Query, columns: Sequence[sa.Column[Any]], limit: int
) -> sa.Select[Any]:
    table, dialect = reader.table.table, reader.dialect
    identifier = reader.identifier.label("identifier")
    matching = _matching(reader, query.where).add_columns(table.c.id, identifier)
    matches = matching.limit(_FEW_MATCHES + 1).cte("matches")
    name = dialect.text(matches.c.identifier)
    count = sa.select(sa.func.count()).select_from(matches)
    are_few = count.scalar_subquery() <= _FEW_MATCHES
    chosen = sa.select(matches.c.id).where(are_few).order_by(name).limit(limit + 1)
    if query.cursor is not None:
        chosen = chosen.where(_after(name, query.cursor))
    wanted = chosen.subquery("chosen")
    page = sa.select(*columns).select_from(wanted.join(table, table.c.id == wanted.c.id))
    paged = page.subquery("page")
    counted = sa.select(sa.func.count().label("total")).select_from(matches).subquery("counted")
    joined = counted.outerjoin(paged, sa.true())
    statement = sa.select(counted.c.total, paged).select_from(joined)
    return statement.order_by(dialect.text(paged.c.record_identifier))


def few_matches(
    reader: TableReader, where: Filter, after: str | None, limit: int | None
) -> list[Record] | None:
    """Return the records that match, those after one, in their order; None for many."""
    query = Query(reader.table.level, None, where, limit or _FEW_MATCHES, after)
    found = None
    if "id" in reader.table.table.c:
        found = _among_few(reader, query, reader.columns(None), reader.to_record)
    return None if found is None else found[0]


def more_matches(reader: TableReader, where: Filter, after: str | None, limit: int) -> list[Record]:
    """Return some of many records that match, those after one, in their order."""
    columns = reader.columns(None)
    matching = _matching(reader, where, of_many=not _is_one_status(where))
    statement = matching.add_columns(sa.null(), *columns)
    if after is not None:
        statement = statement.where(_after(reader.identifier, after))
    rows = reader.rows(statement.order_by(reader.identifier).limit(limit), few=True)
    return _records(rows, columns, None, reader.to_record)[0]


def recent_page(
    reader: TableReader,
    limit: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    time_column: TimeColumn = "modified",
    cursor: str | None = None,
) -> Page:
    """Return one page of records by time, as `pipestat_spec.domain.query.recent` does."""
    check_limit(limit)
    name = f"pipestat_{check_time_column(time_column)}_time"
    place = None if cursor is None else time_place(cursor)
    if name not in reader.table.table.c:
        return Page((), 0, None)
    if reader.has_local_times([name]):
        return recent(reader.records(), limit, start, end, time_column, cursor)
    dialect = reader.dialect
    moment = dialect.moment(reader.table.table.c[name])
    matching = _matching(reader, None).where(moment.is_not(None))
    if start is not None:
        matching = matching.where(moment >= dialect.moment_literal(as_utc(start)))
    if end is not None:
        matching = matching.where(moment <= dialect.moment_literal(as_utc(end)))

    def order(columns: Any) -> list[Expression]:
        return [dialect.moment(columns[name]).desc(), dialect.text(columns.record_identifier)]

    following = None
    if place is not None:
        time, identifier = dialect.moment_literal(place[0]), place[1]
        tied = sa.and_(moment == time, _after(reader.identifier, identifier))
        following = sa.or_(moment < time, tied)
    window = _Window(following, order, limit)
    columns = reader.columns(None)
    found, total, more = _read_window(reader, matching, columns, window, reader.to_record)
    return Page(tuple(found), total, _time_cursor(found[-1], time_column) if more else None)


def _time_cursor(record: Record, time_column: TimeColumn) -> str:
    moment = record.modified if time_column == "modified" else record.created
    assert moment is not None
    return time_cursor(moment, record.key.identifier)


def _matching(
    reader: TableReader, where: Filter | None, *, of_many: bool = False
) -> sa.Select[Any]:
    """Return the store's rows that match, as a statement without columns.

    `of_many` tells that these are many, some of which are met soon in any order.
    """
    statement = reader.own_rows(sa.select())
    if where is None:
        return statement
    found = condition(where, reader.table, reader.dialect)
    return statement.where(reader.dialect.unindexed(found) if of_many else found)


def _is_one_status(where: Filter) -> bool:
    """Tell whether a filter is for one status, whose records an index has in their order."""
    match where:
        case Comparison(("status",), "eq", _):
            return True
        case In(("status",), values):
            return len(values) == 1
        case _:
            return False


def _after(column: Expression, identifier: str) -> Condition:
    """Return which identifiers come after another in code-point order."""
    operator, bound = text_bound("gt", identifier)
    return COMPARE[operator](column, sa.literal(bound, sa.Text))


def _read_window(
    reader: TableReader,
    matching: sa.Select[Any],
    columns: Sequence[sa.Column[Any]],
    window: _Window,
    to_record: ToRecord,
    of_many: sa.Select[Any] | None = None,
) -> tuple[list[Record], int, bool]:
    """Return the records of a page, the number of all matches, and whether more follow.

    One statement, so that the number and the page are of one moment. `of_many` is what matches
    in the form that suits the page, where that is another one than suits the number.
    """

    def read(part: _Window) -> tuple[list[Record], int, bool]:
        statement = _statement(matching, columns, part, of_many)
        rows = reader.rows(statement, few=part.limit is not None)
        return _records(rows, columns, part.limit, to_record)

    if window.limit is None:
        # Most are small, and a server-side cursor takes several round trips.
        found = read(replace(window, limit=_FEW))
        if not found[2]:
            return found
    return read(window)


def _statement(
    matching: sa.Select[Any],
    columns: Sequence[sa.Column[Any]],
    window: _Window,
    of_many: sa.Select[Any] | None = None,
) -> sa.Select[Any]:
    """Return the number of all matches with each row of the page."""
    page = (matching if of_many is None else of_many).add_columns(*columns)
    if window.following is not None:
        page = page.where(window.following)
    if window.limit is not None:
        page = page.order_by(*window.order(columns[0].table.c)).limit(
            min(window.limit, MAX_INTEGER - 1) + 1
        )
    counted = matching.add_columns(sa.func.count().label("total")).subquery("matches")
    paged = page.subquery("page")
    joined = counted.outerjoin(paged, sa.true())
    statement = sa.select(counted.c.total, paged).select_from(joined)
    return statement.order_by(*window.order(paged.c))


def _records(
    rows: Iterable[Sequence[Any]],
    columns: Sequence[sa.Column[Any]],
    limit: int | None,
    to_record: ToRecord,
) -> tuple[list[Record], int, bool]:
    names = [column.name for column in columns]
    key = 1 + names.index("record_identifier")
    records: list[Record] = []
    total, more = 0, False
    for row in rows:
        total = row[0]
        # The number comes without a record when there is none.
        if row[key] is None:
            break
        if len(records) == limit:
            more = True
            break
        records.append(to_record(dict(zip(names, row[1:], strict=True))))
    return records, total, more
