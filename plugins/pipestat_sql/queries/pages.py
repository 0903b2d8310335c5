"""Pages of matching records, and how many match (PS-QRY-010 to PS-QRY-013)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipestat_spec.domain.filters import compile_filter
from pipestat_spec.domain.query import check_cursor, check_limit, keep_columns, select
from pipestat_spec.models.query import Filter, Page, Query
from pipestat_spec.models.record import Record
from pipestat_sql.queries.bounds import text_bound
from pipestat_sql.queries.comparing import COMPARE
from pipestat_sql.queries.conditions import condition
from pipestat_sql.queries.databases import dialect_of
from pipestat_sql.queries.dialects import Condition, Dialect, Expression
from pipestat_sql.queries.fields import record_identifier
from pipestat_sql.queries.streams import (
    ToRecord,
    columns_of,
    needs_domain,
    own_rows,
    rows_of,
    stream_records,
)
from pipestat_sql.tables.shape import TableShape

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = [
    "Window",
    "after_identifier",
    "count_matches",
    "matching_rows",
    "read_window",
    "select_page",
]


# How many searches are kept for a table.
_MOST_BUILT = 100
# A page without a limit is read at once when it has no more records than this.
_FEW = 500


@dataclass(frozen=True)
class Window:
    """The part of the matches that a page holds: those `following`, in order, up to `limit`.

    `order` is made of a collection of columns, the table's or those of a subquery.
    """

    following: Condition | None
    order: Callable[[Any], Sequence[Expression]]
    limit: int | None


def select_page(
    connection: Connection, shape: TableShape, query: Query, to_record: ToRecord
) -> Page:
    """Return one page of the matches, as `pipestat_spec.domain.query.select` does.

    `to_record` gets the columns of the system and of the results asked for, by name.
    """
    limit, cursor = check_limit(query.limit), check_cursor(query.cursor)
    if needs_domain(connection, shape, query.where):
        return select(stream_records(connection, shape, to_record), query)
    database = dialect_of(connection.dialect.name)
    window = Window(
        None if cursor is None else after_identifier(shape, database, cursor),
        lambda columns: [database.text(columns.record_identifier)],
        limit,
    )
    database.prepare(connection)

    def kept(row: Any) -> Record:
        return keep_columns(to_record(row), query.columns)

    columns = columns_of(shape, query.columns)
    if limit is not None and cursor is None:
        # The same search comes again and again; to build it takes longer than to run it.
        statement = _built(connection, shape, query, columns, window)
        found = _records(connection.execute(statement).all(), columns, limit, kept)
    else:
        matching = matching_rows(connection, shape, query.where)
        found = read_window(connection, matching, columns, window, kept)
    records, total, more = found
    return Page(tuple(records), total, records[-1].key.identifier if more else None)


def _built(
    connection: Connection,
    shape: TableShape,
    query: Query,
    columns: Sequence[sa.Column[Any]],
    window: Window,
) -> sa.Select[Any]:
    # The text of a filter tells 1 from 1.0 and from true, which are equal in Python.
    key = repr(query.where), query.columns, query.limit
    statement = shape.searches.get(key)
    if statement is None:
        matching = matching_rows(connection, shape, query.where)
        if len(shape.searches) >= _MOST_BUILT:
            shape.searches.clear()
        statement = _statement(matching, columns, window)
        shape.searches[key] = statement
    return statement


def count_matches(
    connection: Connection, shape: TableShape, where: Filter | None, to_record: ToRecord
) -> int:
    """Return how many of the store's records fulfil a filter."""
    if where is not None and needs_domain(connection, shape, where):
        return sum(map(compile_filter(where), stream_records(connection, shape, to_record)))
    total: int = connection.execute(_counted(matching_rows(connection, shape, where))).scalar_one()
    return total


def matching_rows(
    connection: Connection, shape: TableShape, where: Filter | None
) -> sa.Select[Any]:
    """Return the store's rows that match, as a statement without columns."""
    dialect_of(connection.dialect.name).prepare(connection)
    statement = own_rows(sa.select().select_from(shape.table), shape)
    if where is not None:
        statement = statement.where(condition(where, shape, connection.dialect.name))
    return statement


def after_identifier(shape: TableShape, database: Dialect, identifier: str) -> Condition:
    """Return the rows whose identifier comes after another in code-point order."""
    operator, bound = text_bound("gt", identifier)
    return COMPARE[operator](record_identifier(shape, database), sa.literal(bound, sa.Text))


def read_window(
    connection: Connection,
    matching: sa.Select[Any],
    columns: Sequence[sa.Column[Any]],
    window: Window,
    to_record: ToRecord,
) -> tuple[list[Record], int, bool]:
    """Return the records of a page, the number of all matches, and whether more follow.

    One statement, so that the number and the page are of one moment.
    """
    if window.limit is None:
        # Most are small, and a server-side cursor takes several round trips.
        part = replace(window, limit=_FEW)
        found = _read(connection, matching, columns, part, to_record)
        if not found[2]:
            return found
    return _read(connection, matching, columns, window, to_record)


def _read(
    connection: Connection,
    matching: sa.Select[Any],
    columns: Sequence[sa.Column[Any]],
    window: Window,
    to_record: ToRecord,
) -> tuple[list[Record], int, bool]:
    rows = rows_of(connection, _statement(matching, columns, window), few=window.limit is not None)
    return _records(rows, columns, window.limit, to_record)


def _statement(
    matching: sa.Select[Any], columns: Sequence[sa.Column[Any]], window: Window
) -> sa.Select[Any]:
    """Return the number of all matches with each row of the page."""
    page = matching.add_columns(*columns)
    if window.following is not None:
        page = page.where(window.following)
    if window.limit is not None:
        page = page.order_by(*window.order(columns[0].table.c)).limit(window.limit + 1)
    counted, paged = _counted(matching).subquery("matches"), page.subquery("page")
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


def _counted(matching: sa.Select[Any]) -> sa.Select[Any]:
    return matching.add_columns(sa.func.count().label("total"))
