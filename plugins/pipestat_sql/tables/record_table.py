"""What is known of a table of records: which column holds which result (spec/sql.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy as sa

from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import DEFAULT_PROJECT_NAME, Level
from pipestat_sql.tables.column_types import known_type
from pipestat_sql.tables.result_columns import ResultColumn

__all__ = ["MOST_ALIKE", "RecordTable", "existing_table"]

# Of how many tables a process keeps what it has made of them, for stores whose tables are alike.
MOST_ALIKE = 64


def existing_table(
    name: str, types: Mapping[str, str], schema: str | None, *, is_postgresql: bool
) -> sa.Table:
    """Return a table that is there; `types` maps its columns to what the database calls them.

    Tables that are alike are the same object.
    """
    return _table(name, tuple(types.items()), schema, is_postgresql)


@lru_cache(maxsize=2 * MOST_ALIKE)
def _table(
    name: str, types: tuple[tuple[str, str], ...], schema: str | None, is_postgresql: bool
) -> sa.Table:
    columns = (
        sa.Column(
            sa.sql.quoted_name(column, quote=True),
            known_type(type_name, is_postgresql=is_postgresql),
        )
        for column, type_name in types
    )
    quoted = sa.sql.quoted_name(name, quote=True)
    return sa.Table(
        quoted, sa.MetaData(), *columns, schema=schema and sa.sql.quoted_name(schema, quote=True)
    )


@dataclass(frozen=True, eq=False)
class RecordTable:
    """One table of a namespace, and the columns of its results by result identifier.

    `project_name` is that of the store, None in the layout `records`; `types` maps columns to
    what the database calls their types; `declared` are the results that the schema names;
    `indexed` are those that an index answers for; `lacking` says that something which ought to be
    there is not; `full_name` is the name that
    the table's may be cut from; `configured_project` is the project's name where one is given.
    Equal are those that are alike in all of this, the order of columns included.
    """

    table: sa.Table
    level: Level
    layout: Layout
    results: Mapping[str, ResultColumn]
    project_name: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    history: str | None = None
    history_types: Mapping[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    indexed: frozenset[str] = frozenset()
    lacking: bool = False
    full_name: str = ""
    configured_project: str | None = None

    @cached_property
    def _all(self) -> tuple[Any, ...]:
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(tuple(v.items()) if isinstance(v, Mapping) else v for v in values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordTable) and self._all == other._all

    def __hash__(self) -> int:
        return hash(self._all)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in their order."""
        return tuple(str(column.name) for column in self.table.c)

    @cached_property
    def encoded_names(self) -> tuple[bytes, ...]:
        """The same as PostgreSQL's library tells them."""
        return tuple(name.encode() for name in self.names)

    @cached_property
    def described_names(self) -> tuple[tuple[str | None, ...], ...]:
        """The same as the driver of SQLite describes the columns of an answer."""
        return tuple((name, *(None,) * 6) for name in self.names)

    @property
    def names_projects(self) -> bool:
        """Whether rows name their project: a table of a very old pipestat lacks the column."""
        return "project_name" in self.table.c

    def own_rows(self) -> sa.ColumnElement[bool] | None:
        """Return which rows belong to the store (PS-SQL-003); None means all of them."""
        if self.project_name is None:
            return None
        if not self.names_projects:
            return None if self.project_name == DEFAULT_PROJECT_NAME else sa.false()
        column = sa.column("project_name", sa.Text)
        if self.project_name == DEFAULT_PROJECT_NAME:
            return sa.or_(column == self.project_name, column.is_(None))
        return column == self.project_name
