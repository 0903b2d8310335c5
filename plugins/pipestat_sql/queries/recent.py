"""Records by time, newest first (PS-QRY-015)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.query import (
    TimeColumn,
    check_limit,
    check_time_column,
    recent,
    time_cursor,
    time_place,
)
from pipestat_spec.domain.times import as_utc
from pipestat_spec.models.query import Page
from pipestat_spec.models.record import Record
from pipestat_sql.queries.databases import dialect_of
from pipestat_sql.queries.dialects import Condition, Dialect, Expression
from pipestat_sql.queries.pages import Window, after_identifier, matching_rows, read_window
from pipestat_sql.queries.streams import ToRecord, columns_of, has_local_times, stream_records
from pipestat_sql.tables.shape import TableShape

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["recent_page"]


def recent_page(
    connection: Connection,
    shape: TableShape,
    to_record: ToRecord,
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
    if name not in shape.table.c:
        return Page((), 0, None)
    if has_local_times(connection, shape, [name]):
        records = stream_records(connection, shape, to_record)
        return recent(records, limit, start, end, time_column, cursor)
    database = dialect_of(connection.dialect.name)
    moment = database.moment(shape.table.c[name])
    matching = matching_rows(connection, shape, None).where(moment.is_not(None))
    if start is not None:
        matching = matching.where(moment >= database.moment_literal(as_utc(start)))
    if end is not None:
        matching = matching.where(moment <= database.moment_literal(as_utc(end)))

    def order(columns: Any) -> list[Expression]:
        time = database.moment(columns[name])
        return [time.desc(), database.text(columns.record_identifier)]

    following = None if place is None else _after(shape, database, moment, *place)
    found, total, more = read_window(
        connection, matching, columns_of(shape, None), Window(following, order, limit), to_record
    )
    return Page(tuple(found), total, _cursor(found[-1], time_column) if more else None)


def _after(
    shape: TableShape, database: Dialect, moment: Expression, time: datetime, identifier: str
) -> Condition:
    literal = database.moment_literal(time)
    tied = sa.and_(moment == literal, after_identifier(shape, database, identifier))
    return sa.or_(moment < literal, tied)


def _cursor(record: Record, time_column: TimeColumn) -> str:
    moment = record.modified if time_column == "modified" else record.created
    assert moment is not None
    return time_cursor(moment, record.key.identifier)
