"""Pages of matching records, by identifier or by time (PS-QRY-010 to PS-QRY-013, PS-QRY-015)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, NamedTuple, TypeAlias

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
from pipestat_spec.models.query import Filter, Page, Query
from pipestat_spec.models.record import Record
from pipestat_sql.queries.conditions import condition, conditions, is_of_system
from pipestat_sql.queries.dialects import COMPARE, Condition, Expression
from pipestat_sql.queries.fields import TIMES
from pipestat_sql.queries.literals import text_bound
from pipestat_sql.queries.shapes import Leaf, Node, Shape
from pipestat_sql.queries.table_reader import Columns, Make, TableReader
from pipestat_sql.rows.statements import Statement, compiled, placeholder

__all__ = ["recent_page", "select_page"]

# A page without a limit is read at once when it has no more records than this.
_FEW = 500
# Of no more matches than this a page is sorted; among more it is met soon, in the order of all.
_FEW_MATCHES = 2000
_LIMIT = "page_limit"

# Records of a page, the number of all matches, and whether more follow.
_Found: TypeAlias = tuple[list[Record], int, bool]


class _After(NamedTuple):
    """The rows after a place: which they are, the values of that, and the operator in it."""

    following: Condition
    values: Mapping[str, Any]
    operator: str


class _Search(NamedTuple):
    """What a page is of: the store's rows that match, in an order.

    `matching` makes the number of all matches, as `total`, and the rows that match, in the form
    that suits the page; `order` is made of the table's columns, or of those of an answer. `asked`
    tells the search from others of one `shape`, but for the `values` of its parameters.
    """

    matching: Callable[[], tuple[sa.Select[Any], sa.Select[Any]]]
    order: Callable[[Any], Sequence[Expression]]
    asked: object
    values: Mapping[str, Any]
    after: _After | None
    shape: Shape | None = None


def select_page(reader: TableReader, query: Query) -> Page:
    """Return one page of the matches, as `pipestat_spec.domain.query.select` does."""
    limit, cursor, where = check_limit(query.limit), check_cursor(query.cursor), query.where
    if reader.needs_domain(where):
        return select(reader.records(), query)
    columns = reader.columns(query.columns)
    whole = make = reader.make(columns)
    if columns is not None:
        reader.check_columns()

        def make(row: Sequence[Any]) -> Record:
            return keep_columns(whole(row), query.columns)

    found = None
    shape = None if where is None else Shape(where)
    if shape is not None and "id" in reader.table.table.c:
        found = _among_few(reader, query, shape, columns, make)
    if found is None:

        def matching() -> tuple[sa.Select[Any], sa.Select[Any]]:
            plain = _matching(reader, shape)
            if shape is None or limit is None:
                return _number(plain), plain
            many = _matching(reader, shape, of_many=True)
            number = _number(plain if is_of_system(shape.root) else many)
            if _is_in_index(reader, shape):
                number = _number_by_index(reader, shape)
            return number, plain if _is_one_status(shape.root) else many

        def order(columns: Any) -> list[Expression]:
            return [reader.dialect.text(columns.record_identifier)]

        after = None if cursor is None else _after(reader.identifier, cursor)
        search = _Search(matching, order, ("page", query.columns), {}, after, shape)
        found = _read(reader, search, limit, columns, make)
    records, total, more = found
    return Page(tuple(records), total, records[-1].key.identifier if more else None)


def _among_few(
    reader: TableReader, query: Query, shape: Shape, columns: Columns, make: Make
) -> _Found | None:
    """Return what `_read` does, in one look at each row; None for many matches.

    Of few matches, the number and the page come from a list of them, in the making of which the
    condition is asked once, and an index serves it whatever the order of the page is.
    """
    limit = min(query.limit or _FEW, MAX_INTEGER - 1)
    values: dict[str, Any] = {_LIMIT: limit + 1}
    after = None if query.cursor is None else _after(reader.identifier, query.cursor)
    if after is not None:
        values |= after.values
    asked = ("few", query.columns, after and after.operator)
    statement = reader.kept(asked, lambda: _few(reader, shape, columns, after), shape)
    rows = reader.fetch(statement, values, more=1 if columns is None else None)
    if rows[0][-1] > _FEW_MATCHES:
        return None
    found = _records(reader, rows, columns, limit, make)
    return None if found[2] and query.limit is None else found


# The frame of a search among few matches, which is text, since to build and compile it takes as
# long as to run it.
_AMONG_FEW = """\
WITH matches AS ({matching})
SELECT page.*, counted.total FROM (SELECT count(*) AS total FROM matches) AS counted
LEFT JOIN (
  SELECT {columns} FROM (
    SELECT matches.id AS id FROM matches
    WHERE (SELECT count(*) FROM matches) <= {few}{following}
    ORDER BY matches.identifier COLLATE {collation} LIMIT {limit}
  ) AS chosen JOIN {table} AS found ON found.id = chosen.id
) AS page ON 1 = 1
ORDER BY page.record_identifier COLLATE {collation}"""


def _few(reader: TableReader, shape: Shape, columns: Columns, after: _After | None) -> Statement:
    table, dialect = reader.table.table, reader.session.dialect
    preparer, collation = dialect.identifier_preparer, reader.dialect.collation
    matching = _matching(reader, shape).add_columns(
        table.c.id, reader.identifier.label("identifier")
    )
    matches = compiled(matching.limit(_FEW_MATCHES + 1), dialect)
    following = ""
    if after is not None:
        sign = {"gt": ">", "ge": ">="}[after.operator]
        place = placeholder("after", dialect)
        following = f" AND matches.identifier COLLATE {collation} {sign} {place}"
    text = _AMONG_FEW.format(
        matching=matches.text,
        columns="found.*"
        if columns is None
        else ", ".join(f"found.{preparer.quote_identifier(column.name)}" for column in columns),
        few=_FEW_MATCHES,
        following=following,
        collation=collation,
        limit=placeholder(_LIMIT, dialect),
        table=preparer.format_table(table),
    )
    return Statement(text, matches.parameters)


def few_matches(
    reader: TableReader, where: Filter, after: str | None, limit: int | None
) -> list[Record] | None:
    """Return the records that match, those after one, in their order; None for many."""
    query = Query(reader.table.level, None, where, limit or _FEW_MATCHES, after)
    found = None
    if "id" in reader.table.table.c:
        found = _among_few(reader, query, Shape(where), None, reader.make(None))
    return None if found is None else found[0]


def more_matches(reader: TableReader, where: Filter, after: str | None, limit: int) -> list[Record]:
    """Return some of many records that match, those after one, in their order."""
    values: dict[str, Any] = {_LIMIT: limit}
    later = None if after is None else _after(reader.identifier, after)
    if later is not None:
        values |= later.values
    shape = Shape(where)

    def made() -> sa.Select[Any]:
        matching = _matching(reader, shape, of_many=not _is_one_status(shape.root))
        statement = matching.add_columns(sa.literal_column("*"))
        if later is not None:
            statement = statement.where(later.following)
        return statement.order_by(reader.identifier).limit(_limit())

    statement = reader.search(("more", later and later.operator), made, shape)
    rows = reader.fetch(statement, values, more=0)
    return list(map(reader.make(None), rows))


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
        reader.check_columns()
        return Page((), 0, None)
    if reader.has_local_times([name]):
        return recent(reader.records(), limit, start, end, time_column, cursor)
    dialect = reader.dialect
    moment = dialect.moment(reader.table.table.c[name])

    def given(time: datetime, what: str, values: dict[str, Any]) -> Expression:
        literal = dialect.moment_literal(as_utc(time))
        values[what] = literal.value
        return sa.bindparam(what, type_=literal.type)

    values: dict[str, Any] = {}
    within: list[Condition] = [moment.is_not(None)]
    if start is not None:
        within.append(moment >= given(start, "first_time", values))
    if end is not None:
        within.append(moment <= given(end, "last_time", values))

    def matching() -> tuple[sa.Select[Any], sa.Select[Any]]:
        found = _matching(reader, None).where(*within)
        return _number(found), found

    def order(columns: Any) -> list[Expression]:
        return [dialect.moment(columns[name]).desc(), dialect.text(columns.record_identifier)]

    after = None
    if place is not None:
        tied = _after(reader.identifier, place[1])
        more = dict(tied.values)
        time = given(place[0], "page_time", more)
        following = sa.or_(moment < time, sa.and_(moment == time, tied.following))
        after = _After(following, more, tied.operator)
    asked = ("recent", name, start is None, end is None)
    search = _Search(matching, order, asked, values, after)
    found, total, has_more = _read(reader, search, limit, None, reader.make(None))
    return Page(tuple(found), total, _time_cursor(found[-1], time_column) if has_more else None)


def _time_cursor(record: Record, time_column: TimeColumn) -> str:
    moment = record.modified if time_column == "modified" else record.created
    assert moment is not None
    return time_cursor(moment, record.key.identifier)


def _matching(reader: TableReader, shape: Shape | None, *, of_many: bool = False) -> sa.Select[Any]:
    """Return the store's rows that match, as a statement without columns.

    `of_many` tells that these are many, some of which are met soon in any order.
    """
    statement = reader.own_rows(sa.select())
    if shape is None:
        return statement
    found = condition(shape, reader.table, reader.dialect)
    return statement.where(reader.dialect.unindexed(found) if of_many else found)


def _number(matching: sa.Select[Any]) -> sa.Select[Any]:
    return matching.add_columns(sa.func.count().label("total"))


def _is_in_index(reader: TableReader, shape: Shape) -> bool:
    """Tell whether an index of a result has all that a filter asks, of all rows of the table."""
    asked = {path[0] for path in shape.fields}
    return len(asked) == 1 and asked <= reader.table.indexed and reader.table.own_rows() is None


def _number_by_index(reader: TableReader, shape: Shape) -> sa.Select[Any]:
    """Return the number of all matches without a look at most rows.

    It is that of the columns' values, which an index has, corrected for the rows with extended
    data, which another one has.
    """
    table = reader.table.table
    plain, layered, extended = conditions(shape, reader.table, reader.dialect)
    of_columns = _number(sa.select().select_from(table).where(plain))
    number: Expression = of_columns.scalar_subquery()
    if layered is not None:
        more = sa.case((layered, 1), else_=0) - sa.case((plain, 1), else_=0)
        moved = sa.select(sa.func.coalesce(sa.func.sum(more), 0)).select_from(table)
        number = number + moved.where(*extended).scalar_subquery()
    return sa.select(number.label("total"))


def _is_one_status(node: Node) -> bool:
    """Tell whether a filter is for one status, whose records an index has in their order."""
    match node:
        case Leaf(("status",), "in", values):
            return len(values.value) == 1
        case _:
            return False


def _after(column: Expression, identifier: str) -> _After:
    """Return which identifiers come after another in code-point order."""
    operator, bound = text_bound("gt", identifier)
    following = COMPARE[operator](column, sa.bindparam("after", type_=sa.Text))
    return _After(following, {"after": bound}, operator)


def _limit() -> sa.BindParameter[int]:
    """Return how many rows to fetch; the value is given when the statement runs."""
    return sa.bindparam(_LIMIT, type_=sa.BigInteger)


def _answered(reader: TableReader) -> Any:
    """Return the columns of an answer that it may be ordered by."""
    types = reader.table.table.c
    names = (name for name in ("record_identifier", *TIMES) if name in types)
    return sa.table("page", *(sa.column(name, types[name].type) for name in names)).c


def _with_number(counted: sa.Select[Any], page: sa.Select[Any]) -> sa.Select[Any]:
    """Return the number of all matches with each row of a page, alone where it has none."""
    number, paged = counted.subquery("counted"), page.subquery("page")
    joined = number.outerjoin(paged, sa.true())
    return sa.select(sa.literal_column("page.*"), number.c.total).select_from(joined)


def _read(
    reader: TableReader, search: _Search, limit: int | None, columns: Columns, make: Make
) -> _Found:
    """Return the records of a page, the number of all matches, and whether more follow.

    One statement, so that the number and the page are of one moment.
    """
    after = search.after
    values = {**search.values, **(after.values if after else {})}
    more = 1 if columns is None else None

    def read(most: int) -> _Found:
        asked = (search.asked, after and after.operator)
        statement = reader.search(
            asked, lambda: _statement(reader, search, columns, True), search.shape
        )
        rows = reader.fetch(statement, {**values, _LIMIT: most + 1}, more)
        return _records(reader, rows, columns, most, make)

    if limit is not None:
        return read(min(limit, MAX_INTEGER - 1))
    # Most are small, and a server-side cursor takes several round trips.
    found = read(_FEW)
    if not found[2]:
        return found
    named = list(reader.table.table.c) if columns is None else columns
    rows = reader.stream(_statement(reader, search, named, False), values)
    return _records(reader, rows, columns, None, make)


def _statement(
    reader: TableReader, search: _Search, columns: Columns, is_limited: bool
) -> sa.Select[Any]:
    """Return the number of all matches with each row of the page."""
    counted, paged = search.matching()
    every: Sequence[Any] = [sa.literal_column("*")]
    page = paged.add_columns(*(every if columns is None else columns))
    if search.after is not None:
        page = page.where(search.after.following)
    if is_limited:
        page = page.order_by(*search.order(reader.table.table.c)).limit(_limit())
    return _with_number(counted, page).order_by(*search.order(_answered(reader)))


def _records(
    reader: TableReader,
    rows: Iterable[Sequence[Any]],
    columns: Columns,
    limit: int | None,
    make: Make,
) -> _Found:
    names = reader.table.names if columns is None else [column.name for column in columns]
    found = iter(rows)
    first = next(found)
    total = first[-1]
    # The number comes without a record when there is none.
    if first[names.index("record_identifier")] is None:
        return [], total, False
    some = chain((first,), found)
    records = list(map(make, islice(some, limit)))
    return records, total, next(some, None) is not None
