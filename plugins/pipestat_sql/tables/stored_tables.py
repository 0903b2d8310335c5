"""The tables of one store: found, made, and given the columns they lack.

Everything that changes a table happens under a lock of the database (PS-SQL-009): an
advisory lock on PostgreSQL, the write lock of the file on SQLite.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import LEVELS, Level
from pipestat_spec.models.schema.output_schema import LevelSchema
from pipestat_sql.database.connections import Database, Session
from pipestat_sql.database.settings import settings_of
from pipestat_sql.database.transactions import Transactions
from pipestat_sql.tables.catalog import Catalog, read_catalog
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.definitions import (
    EXTENDED,
    Definitions,
    LevelTables,
    completing,
    index_name,
    indexable,
)
from pipestat_sql.tables.namespace_tables import NamespaceTables
from pipestat_sql.tables.naming import LEVEL_COLUMNS, SYSTEM_COLUMNS, new_names
from pipestat_sql.tables.record_table import RecordTable, existing_table
from pipestat_sql.tables.result_columns import ResultColumn, ResultColumns, match_columns

__all__ = ["StoredTables"]


class StoredTables:
    """What is known of the tables of a store: `layout`, and `found` by level."""

    def __init__(self, database: Database, settings: StoreSettings) -> None:
        self._where = database.where
        self._is_postgresql = database.is_postgresql
        schema = settings_of(settings.options).schema
        self._schema: str | None = schema if database.is_postgresql else None
        self._levels: Mapping[Level, LevelSchema] = (
            settings.schema.levels if settings.schema else {}
        )
        self._settings = settings
        self._namespace = NamespaceTables(settings, self._where)
        self._dialect = database.dialect
        self._definitions = Definitions(database.dialect, self._schema)
        self.layout: Layout | None = None
        self.found: Mapping[Level, RecordTable] = {}

    def refresh(self, session: Session) -> None:
        """Look at the database again; raises LayoutError and SchemaError."""
        self._adopt(session, self._read(session))

    def _read(self, session: Session) -> Catalog:
        return read_catalog(session, self._schema, self._namespace.candidates())

    def _adopt(self, session: Session, catalog: Catalog) -> None:
        layout, names = self._namespace.find(catalog.tables)
        found = {
            level: self._table(session, catalog, layout, level, name)
            for level, name in names.items()
            if layout is not None
        }
        self.layout, self.found = layout, found

    def _table(
        self, session: Session, catalog: Catalog, layout: Layout, level: Level, name: str
    ) -> RecordTable:
        types = catalog.tables[name]
        table = self._existing(name, types)
        history = self._namespace.history_of(layout, level, catalog.tables)
        history_types = catalog.tables[history] if history else {}
        results = self._results(session, table, types, level)
        wanted = {*SYSTEM_COLUMNS, *(LEVEL_COLUMNS if layout == "levels" else ())}
        lacks = (
            results.missing
            or history is None
            or wanted - types.keys()
            or (layout == "levels" and "meta" not in history_types)
            or self._lacking_indexes(name, level, results, catalog)
        )
        return RecordTable(
            table,
            level,
            layout,
            results.existing,
            self._settings.project_name if layout == "levels" else None,
            types,
            history,
            history_types,
            frozenset(self._levels[level].results if level in self._levels else ()),
            _indexed(name, results.existing, catalog),
            bool(lacks),
            self._namespace.full_names[layout, level].table,
            self._settings.project_name if self._settings.has_project else None,
        )

    def _existing(self, name: str, types: Mapping[str, str]) -> sa.Table:
        return existing_table(name, types, self._schema, is_postgresql=self._is_postgresql)

    def _results(
        self, session: Session, table: sa.Table, types: Mapping[str, str], level: Level
    ) -> ResultColumns:
        def identifier_of(name: str) -> str:
            return _identifier(session, table, name) if "meta" in types else name

        return match_columns(
            table.name,
            types,
            self._levels.get(level),
            is_postgresql=self._is_postgresql,
            identifier_of=identifier_of,
        )

    def _lacking_indexes(
        self, table: str, level: Level, results: ResultColumns, catalog: Catalog
    ) -> list[ResultColumn]:
        """Return the columns that are to have an index and have none (PS-SCH-012)."""
        declared = self._levels[level].results if level in self._levels else {}
        columns = {**results.existing, **results.missing}
        return [
            columns[identifier]
            for identifier, result in declared.items()
            if result.index
            and identifier in columns
            and columns[identifier].kind is not Kind.JSON
            and index_name(table, columns[identifier].name) not in catalog.indexes
        ]

    # Changing

    def ensure(self, level: Level, transactions: Transactions) -> None:
        """Make what is missing, under the lock, and the level's table if there is none."""

        def work(session: Session) -> None:
            self._adopt(session, self._completed(session, level))

        transactions.define(work)

    def _completed(self, session: Session, level: Level) -> Catalog:
        catalog = self._read(session)
        statements: list[str] = []
        if not catalog.has_schema:
            if self._schema is None:
                raise PipestatDatabaseError(
                    f"{self._where}: no schema of its search path exists",
                    hint="name one: sql: {schema: NAME}",
                )
            statements.append(self._definitions.schema(self._schema))
        layout, names = self._namespace.find(catalog.tables)
        layout = layout or self._layout_of_new(level)
        self._namespace.check_level(layout, level)
        wanted = {level} if names or layout == "records" else set(LEVELS)
        for one in sorted(wanted):
            statements += self._statements(session, catalog, layout, one, names.get(one))
        session.run_all(statements)
        return self._read(session) if statements else catalog

    def _layout_of_new(self, level: Level) -> Layout:
        """Return the layout of a new database; in `records` projects share rows (PS-SQL-018)."""
        settings = self._settings
        if settings.has_project and settings.layout is None:
            return "levels"
        return settings.layout_of_new(level)

    def _statements(
        self, session: Session, catalog: Catalog, layout: Layout, level: Level, name: str | None
    ) -> Iterable[str]:
        """Return the statements that complete a level's tables."""
        full = self._namespace.full_names[layout, level]
        table = name or new_names([full.table], catalog.tables)[full.table]
        types = catalog.tables[name] if name else {}
        results = self._results(session, self._existing(table, types), types, level)
        history = self._namespace.history_of(layout, level, catalog.tables)
        history_types = catalog.tables[history] if history else {}
        if history is None:
            history = new_names([full.history], [*catalog.tables, table])[full.history]
        system = (*SYSTEM_COLUMNS, *(LEVEL_COLUMNS if layout == "levels" else ()))
        wanted = LevelTables(
            layout,
            table,
            tuple(types.items()),
            () if name else system,
            tuple(results.existing.values()),
            tuple(results.missing.values()),
            history,
            tuple(history_types.items()),
            tuple(self._lacking_indexes(table, level, results, catalog)),
        )
        return completing(self._dialect, self._schema, wanted)

    def unindexed(self, session: Session) -> dict[str, list[str]]:
        """Return the columns of the system that lack an index, by table."""
        catalog = self._read(session)
        found = {
            table: [
                name
                for name in indexable(catalog.tables[table])
                if index_name(table, name) not in catalog.indexes
            ]
            for table in self._namespace.find(catalog.tables)[1].values()
        }
        return {table: names for table, names in found.items() if names}

    def make_indexes(self, transactions: Transactions) -> None:
        """Make the indexes that `unindexed` tells of, under the lock."""

        def work(session: Session) -> None:
            types = self._read(session).tables
            for table, names in self.unindexed(session).items():
                for statement in self._definitions.search_indexes(table, names, types[table]):
                    session.execute(statement, ())

        transactions.define(work)

    def widen(self, level: Level, column: str, transactions: Transactions) -> None:
        """Give a column of 32 bits 64, and one of JSONB the type JSON (PS-SQL-008)."""

        def work(session: Session) -> None:
            catalog = self._read(session)
            layout, found = self._namespace.find(catalog.tables)
            if layout is not None and level in found:
                history = self._namespace.history_of(layout, level, catalog.tables)
                for table in filter(None, (found[level], history)):
                    type_name = catalog.tables[table].get(column, "")
                    statement = self._definitions.widening(table, column, type_name)
                    if statement is not None:
                        session.execute(statement, ())
                catalog = self._read(session)
            self._adopt(session, catalog)

        transactions.define(work)


def _indexed(table: str, columns: Mapping[str, ResultColumn], catalog: Catalog) -> frozenset[str]:
    """Return the results that two indexes hold: that of the column, and of extended data."""
    if index_name(table, EXTENDED) not in catalog.indexes:
        return frozenset()
    return frozenset(
        identifier
        for identifier, column in columns.items()
        if index_name(table, column.name) in catalog.indexes
    )


def _identifier(session: Session, table: sa.Table, column: str) -> str:
    """Return the result that a cut column name stands for; a row that uses it tells."""
    meta, used = table.c.meta, table.c[column]
    statement = sa.select(sa.cast(meta, sa.Text)).where(used.is_not(None), meta.is_not(None))
    text = session.sql.execute(statement.limit(1)).scalar()
    found = json.loads(text) if text else {}
    names = found.get("columns") if isinstance(found, dict) else None
    name = names.get(column) if isinstance(names, dict) else None
    return name if isinstance(name, str) else column
