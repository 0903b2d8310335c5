"""Statements that make tables, columns and indexes (PS-SQL-002, PS-SQL-005, PS-SQL-012)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from pipestat_spec.models.layout import Layout
from pipestat_sql.tables import time_marks
from pipestat_sql.tables.column_types import Kind, new_type
from pipestat_sql.tables.naming import cut_name
from pipestat_sql.tables.record_table import MOST_ALIKE
from pipestat_sql.tables.result_columns import ResultColumn

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

__all__ = [
    *("EXTENDED", "Definitions", "LevelTables", "completing", "index_name", "indexable"),
]

EXTENDED = "pipestat_extended_data"
# The columns of the system that are searched by, and what their indexes hold besides, where the
# table has it: the records of one status stand in their order.
SEARCHED: Mapping[str, tuple[str, ...]] = {
    "status": ("record_identifier", "project_name"),
    "pipestat_created_time": ("project_name",),
    "pipestat_modified_time": ("project_name",),
}
# The index of the rows whose times may not be those of their columns is named for this one.
_MARKED = "meta"
_WIDER = {"integer": "BIGINT", "smallint": "BIGINT", "jsonb": "JSON"}


def index_name(table: str, column: str) -> str:
    """Return the name of the index of a column; always with a checksum, so none meet."""
    return cut_name(f"{table}.{column}")


def indexable(columns: Collection[str]) -> list[str]:
    """Return what a table with these columns of the system has indexes for, by column."""
    marked = [_MARKED] if all(name in columns for name in time_marks.NEEDED) else []
    return [*(name for name in SEARCHED if name in columns), *marked]


def _quoted(name: str) -> sa.sql.quoted_name:
    return sa.sql.quoted_name(name, quote=True)


class Definitions:
    """Statements that define the tables of one database and schema; all names are quoted."""

    def __init__(self, dialect: Dialect, schema: str | None) -> None:
        self._dialect = dialect
        self._is_postgresql = dialect.name == "postgresql"
        self._schema = schema and _quoted(schema)

    def _table(self, name: str, *parts: Any) -> sa.Table:
        return sa.Table(_quoted(name), sa.MetaData(), *parts, schema=self._schema)

    def _column(self, name: str, kind: Kind, *, nullable: bool = True) -> sa.Column[Any]:
        type_ = new_type(kind, is_postgresql=self._is_postgresql)
        return sa.Column(_quoted(name), type_, nullable=nullable)

    def _time(self, name: str, *, nullable: bool = True) -> sa.Column[Any]:
        type_ = sa.TIMESTAMP() if self._is_postgresql else sa.Text()
        return sa.Column(_quoted(name), type_, nullable=nullable)

    def _key(self) -> sa.Column[Any]:
        # SQLite numbers rows by itself only under this very type.
        number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        return sa.Column(_quoted("id"), number, primary_key=True, autoincrement=True)

    def _system(self, layout: Layout) -> list[sa.Column[Any]]:
        """Return the columns that every table of records has, its key aside (PS-SQL-002)."""
        levels = ("project_name", "pipeline_name") if layout == "levels" else ()
        return [
            self._column("record_identifier", Kind.STRING, nullable=False),
            *(self._column(name, Kind.STRING) for name in levels),
            self._column("status", Kind.STRING),
            self._time("pipestat_created_time"),
            self._time("pipestat_modified_time"),
            self._column(EXTENDED, Kind.JSON),
            self._column("meta", Kind.JSON),
        ]

    def _results(self, columns: Iterable[ResultColumn]) -> list[sa.Column[Any]]:
        return [self._column(column.name, column.kind) for column in columns]

    # Statements

    def _text(self, element: sa.sql.ClauseElement) -> str:
        return str(element.compile(dialect=self._dialect))

    def _alter(self, table: sa.Table, change: str) -> str:
        return f"ALTER TABLE {self._dialect.identifier_preparer.format_table(table)} {change}"

    def _added(self, name: str, columns: Iterable[sa.Column[Any]]) -> Iterator[str]:
        for column in columns:
            column.nullable = True
            table = self._table(name, column)
            yield self._alter(table, f"ADD COLUMN {self._text(sa.schema.CreateColumn(column))}")

    def _created(self, name: str, *parts: Any) -> str:
        return self._text(sa.schema.CreateTable(self._table(name, *parts)))

    def schema(self, name: str) -> str:
        """Return what makes a schema."""
        return self._text(sa.schema.CreateSchema(_quoted(name)))

    def records(
        self,
        table: str,
        types: Mapping[str, str],
        layout: Layout,
        missing: Iterable[ResultColumn],
        *,
        new: bool,
    ) -> Iterator[str]:
        """Yield what makes or completes a table of records."""
        columns = self._results(missing)
        if new:
            key = ["record_identifier", "project_name"][: 2 if layout == "levels" else 1]
            parts = [self._key(), *self._system(layout), *columns]
            yield self._created(table, *parts, sa.UniqueConstraint(*key))
            return
        system = [self._key(), *self._system(layout)]
        yield from self._added(table, [c for c in system if c.name not in types] + columns)

    def histories(
        self,
        history: str,
        types: Mapping[str, str],
        layout: Layout,
        table: str,
        columns: Sequence[ResultColumn],
    ) -> Iterator[str]:
        """Yield what makes or completes a history table (PS-SQL-012)."""
        if layout == "records":
            if not types:
                yield from self._record_history(history)
            return
        taken = {name.casefold() for name in (*types, "id", "source_record_id")}
        own = self._results(c for c in columns if c.name.casefold() not in taken)
        system = self._system("levels")
        for column in system:
            column.nullable = True
        if types:
            # The rest of a foreign table stays as it is; ours to add is what we write.
            meta = [c for c in system if c.name == "meta" and c.name not in types]
            yield from self._added(history, meta + own)
        else:
            records = self._table(table, self._key())
            source = sa.Column(_quoted("source_record_id"), sa.BigInteger(), nullable=False)
            reference = sa.ForeignKeyConstraint([source.name], [records.c.id])
            yield self._created(history, self._key(), source, *system, *own, reference)
        if "meta" not in types:
            yield self._index(history, "source_record_id")

    def _record_history(self, history: str) -> Iterator[str]:
        yield self._created(
            history,
            self._key(),
            self._column("record_identifier", Kind.STRING, nullable=False),
            self._column("result", Kind.STRING, nullable=False),
            self._column("value", Kind.JSON),
            self._time("time", nullable=False),
        )
        yield self._index(history, "record_identifier")

    def index(self, table: str, column: ResultColumn) -> str:
        """Return what makes the index of a result's column."""
        # Any other index of PostgreSQL's refuses texts of more than 2,700 bytes.
        more = {"postgresql_using": "hash"} if column.kind is Kind.STRING else {}
        return self._index(table, column.name, **more)

    def search_indexes(
        self, table: str, names: Iterable[str], types: Mapping[str, str]
    ) -> Iterator[str]:
        """Yield what makes the indexes of these of `indexable`, for a table with these columns."""
        for name in names:
            if name == _MARKED:
                unmarked = time_marks.unmarked(types, is_postgresql=self._is_postgresql)
                yield self._partial_index(table, name, sa.literal_column(str(unmarked)))
            else:
                yield self._index(table, name, *(more for more in SEARCHED[name] if more in types))

    def extended_index(self, table: str) -> str:
        """Return what makes the index of rows with extended data.

        Without it a search that has to look into these would pass by the results' indexes.
        """
        return self._partial_index(table, EXTENDED, sa.column(EXTENDED).is_not(sa.null()))

    def _partial_index(self, table: str, column: str, rows: sa.ColumnElement[Any]) -> str:
        name = index_name(table, column)
        # A word of another dialect's would import all of it.
        where = {f"{self._dialect.name}_where": rows}
        return self._index(table, "record_identifier", name=name, **where)

    def _index(self, table: str, *columns: str, name: str = "", **more: Any) -> str:
        indexed = self._table(table, *(sa.Column(_quoted(column)) for column in columns)).c
        name = name or index_name(table, columns[0])
        index = sa.Index(_quoted(name), *indexed, **more)
        return self._text(sa.schema.CreateIndex(index, if_not_exists=True))

    def widening(self, table: str, column: str, type_name: str) -> str | None:
        """Return what widens a column, None when it is wide already."""
        wide = _WIDER.get(type_name) if self._is_postgresql else None
        if wide is None:
            return None
        name = self._dialect.identifier_preparer.quote_identifier(column)
        change = f"ALTER COLUMN {name} TYPE {wide} USING {name}::{wide.lower()}"
        return self._alter(self._table(table), change)


class LevelTables(NamedTuple):
    """The tables of a level: as they are, and what they lack.

    `types` and `history_types` are the columns that are there, with their types; `new_columns`
    are those of the system that a new table gets; `indexed` are the results that lack an index.
    """

    layout: Layout
    table: str
    types: tuple[tuple[str, str], ...]
    new_columns: tuple[str, ...]
    existing: tuple[ResultColumn, ...]
    missing: tuple[ResultColumn, ...]
    history: str
    history_types: tuple[tuple[str, str], ...]
    indexed: tuple[ResultColumn, ...]


# Stands for a schema while statements are made. Quotes within a name are doubled, so nothing else
# is written as it is, and the name of no table or column is followed by a dot.
_ANY_SCHEMA = "any schema"
_WRITTEN = f'"{_ANY_SCHEMA}".'


def completing(dialect: Dialect, schema: str | None, level: LevelTables) -> tuple[str, ...]:
    """Return what makes or completes the tables of a level; made once for all that are alike."""
    made = _completing(dialect, None if schema is None else _ANY_SCHEMA, level)
    if schema is None:
        return made
    written = f"{dialect.identifier_preparer.quote_identifier(schema)}."
    return tuple(statement.replace(_WRITTEN, written) for statement in made)


@lru_cache(maxsize=MOST_ALIKE)
def _completing(dialect: Dialect, schema: str | None, level: LevelTables) -> tuple[str, ...]:
    made, table, layout = Definitions(dialect, schema), level.table, level.layout
    types, new = dict(level.types), dict.fromkeys(level.new_columns, "")
    columns = (*level.existing, *level.missing)
    history_types = dict(level.history_types)
    return (
        *made.records(table, types, layout, level.missing, new=bool(new)),
        *made.histories(level.history, history_types, layout, table, columns),
        *made.search_indexes(table, indexable(new), new),
        *(made.index(table, column) for column in level.indexed),
        *([made.extended_index(table)] if level.indexed else []),
    )
