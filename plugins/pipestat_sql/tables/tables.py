"""The tables of one namespace: found, made, and given the columns they lack.

Everything that changes a table happens under a lock of the database (PS-SQL-009): an
advisory lock on PostgreSQL, the write lock of the file on SQLite.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import PipestatDatabaseError
from pipestat_spec.models.record import LEVELS, Level
from pipestat_sql.database.connecting import Database, Session
from pipestat_sql.database.transactions import Transactions
from pipestat_sql.tables.catalog import Catalog, column_type, read_catalog
from pipestat_sql.tables.columns import ResultColumns, match_columns
from pipestat_sql.tables.definitions import (
    Definitions,
    index_name,
    system_columns,
)
from pipestat_sql.tables.placement import Placement
from pipestat_sql.tables.shape import Kind, Layout, ResultColumn, TableShape

__all__ = ["StoredTable", "Tables"]


@dataclass(frozen=True)
class StoredTable:
    """One existing table with its history table.

    `types` and `history_types` map columns to what the database calls their types;
    `declared` are the results that the schema names; `lacking` says that something which
    ought to be there is not.
    """

    shape: TableShape
    history: str | None
    types: Mapping[str, str]
    history_types: Mapping[str, str]
    declared: frozenset[str]
    lacking: bool
    full_name: str


class Tables:
    """What is known of the tables of a store; `refresh` looks again."""

    def __init__(self, database: Database, settings: StoreSettings) -> None:
        self._database = database
        self._settings = settings
        self._schema = settings.options.schema_ if settings.options else None
        if not database.is_postgresql:
            self._schema = None
        project = settings.schema.levels.get("project") if settings.schema else None
        wanted: Layout | None = settings.layout
        wanted_if_new: Layout | None = settings.new_layout
        has_project = bool(project and project.results)
        self.placement = Placement(
            settings.namespace, wanted, has_project, database.where, wanted_if_new
        )
        self.definitions = Definitions(database, self._schema)
        self.layout: Layout | None = None
        self._found: Mapping[Level, StoredTable] = {}

    def get(self, level: Level) -> StoredTable | None:
        """Return a level's table as last seen."""
        return self._found.get(level)

    @property
    def lacking(self) -> bool:
        """Whether an existing table lacks something."""
        return any(table.lacking for table in self._found.values())

    def refresh(self, session: Session) -> None:
        """Look at the database again; raises LayoutError and SchemaError."""
        self._adopt(session, self._read(session))

    def _read(self, session: Session) -> Catalog:
        return read_catalog(session, self._database, self._schema, self.placement.candidates())

    def _adopt(self, session: Session, catalog: Catalog) -> None:
        layout, names = self.placement.find(catalog.tables)
        found = {
            level: self._table(session, catalog, layout, level, name)
            for level, name in names.items()
            if layout is not None
        }
        self.layout, self._found = layout, found

    def _table(
        self, session: Session, catalog: Catalog, layout: Layout, level: Level, name: str
    ) -> StoredTable:
        types = catalog.tables[name]
        history = self.placement.history_of(layout, level, catalog.tables)
        history_types = catalog.tables[history] if history else {}
        results = self._results(session, name, types, level)
        project = self._settings.project_name if layout == "levels" else None
        shape = TableShape(self._sa_table(name, types), level, layout, results.existing, project)
        system = {column.name for column in system_columns(layout, self._database.is_postgresql)}
        lacks = bool(
            results.missing
            or history is None
            or system - types.keys()
            or (layout == "levels" and "meta" not in history_types)
            or self._indexes(name, level, results, catalog)
        )
        return StoredTable(
            shape,
            history,
            types,
            history_types,
            frozenset(self._declared(level)),
            lacks,
            self.placement.full_names[layout, level].table,
        )

    def _declared(self, level: Level) -> Mapping[str, object]:
        return self._settings.schema.levels[level].results if self._settings.schema else {}

    def _results(
        self, session: Session, table: str, types: Mapping[str, str], level: Level
    ) -> ResultColumns:
        def identifier_of(name: str) -> str:
            return self._identifier(session, table, name) if "meta" in types else name

        return match_columns(
            table,
            types,
            self._settings.schema.levels[level] if self._settings.schema else None,
            is_postgresql=self._database.is_postgresql,
            identifier_of=identifier_of,
        )

    def _identifier(self, session: Session, table: str, column: str) -> str:
        """Return the result that a cut column name stands for; a row that uses it tells."""
        quote = self._database.quote
        statement = (
            f"SELECT meta FROM {self.definitions.qualified(table)} "
            f"WHERE {quote(column)} IS NOT NULL AND meta IS NOT NULL LIMIT 1"
        )
        row = session.execute(statement).fetchone()
        meta = json.loads(row[0]) if row else {}
        names = meta.get("columns") if isinstance(meta, dict) else None
        name = names.get(column) if isinstance(names, dict) else None
        return name if isinstance(name, str) else column

    def _sa_table(self, name: str, types: Mapping[str, str]) -> sa.Table:
        is_postgresql = self._database.is_postgresql
        return sa.Table(
            sa.sql.quoted_name(name, quote=True),
            sa.MetaData(),
            *(
                sa.Column(
                    sa.sql.quoted_name(column, quote=True),
                    column_type(type_name, is_postgresql=is_postgresql),
                )
                for column, type_name in types.items()
            ),
            schema=self._schema and sa.sql.quoted_name(self._schema, quote=True),
        )

    def _indexes(
        self, table: str, level: Level, results: ResultColumns, catalog: Catalog
    ) -> list[ResultColumn]:
        """Return the columns that are to have an index and have none (PS-SCH-012)."""
        declared = self._settings.schema.levels[level].results if self._settings.schema else {}
        columns = {**results.existing, **results.missing}
        return [
            columns[identifier]
            for identifier, result in declared.items()
            if result.index
            and columns[identifier].kind is not Kind.JSON
            and index_name(table, columns[identifier].name) not in catalog.indexes
        ]

    # Changing

    def ensure(self, transactions: Transactions, level: Level | None = None) -> None:
        """Make what is missing, under the lock; with `level` its table too if there is none."""

        def work(session: Session) -> None:
            self._adopt(session, self._completed(session, level))

        transactions.define(work)

    def _completed(self, session: Session, level: Level | None) -> Catalog:
        catalog = self._read(session)
        if not catalog.has_schema and self._schema is not None and level is not None:
            session.execute(f"CREATE SCHEMA {self._database.quote(self._schema)}", ())
        elif not catalog.has_schema and level is not None:
            raise PipestatDatabaseError(
                f"{self._database.where}: no schema of its search path exists",
                hint="name one: sql: {schema: NAME}",
            )
        layout, names = self.placement.find(catalog.tables)
        wanted: set[Level] = set(names)
        if level is not None:
            layout = layout or self.placement.new_layout(level)
            self.placement.check_level(layout, level)
            wanted |= {level} if names or layout == "records" else set(LEVELS)
        statements: list[str] = []
        for one in sorted(wanted):
            assert layout is not None
            statements += self._statements(session, catalog, layout, one, names.get(one))
        for statement in statements:
            session.execute(statement, ())
        return self._read(session) if statements else catalog

    def _statements(
        self, session: Session, catalog: Catalog, layout: Layout, level: Level, name: str | None
    ) -> Iterable[str]:
        """Return the statements that complete a level's tables."""
        names = self.placement.full_names[layout, level]
        table = name or self.definitions.new_name(names.table, catalog.tables)
        types = catalog.tables[name] if name else {}
        results = self._results(session, table, types, level)
        history = self.placement.history_of(layout, level, catalog.tables)
        history_types = catalog.tables[history] if history else {}
        history = history or self.definitions.new_name(names.history, [*catalog.tables, table])
        columns = [*results.existing.values(), *results.missing.values()]
        yield from self.definitions.records(table, types, layout, results, new=name is None)
        yield from self.definitions.histories(history, history_types, layout, table, columns)
        indexed = self._indexes(table, level, results, catalog)
        for column in indexed:
            yield self.definitions.index(table, column)
        if indexed:
            yield self.definitions.extended_index(table)

    def widen(self, transactions: Transactions, level: Level, names: Iterable[str]) -> None:
        """Give 32-bit columns 64 bits, and JSONB columns the type JSON (PS-SQL-008)."""
        columns = set(names)

        def work(session: Session) -> None:
            catalog = self._read(session)
            layout, found = self.placement.find(catalog.tables)
            if layout is not None and level in found:
                history = self.placement.history_of(layout, level, catalog.tables)
                for table in (found[level], history):
                    types = catalog.tables[table] if table else {}
                    for name in sorted(columns & types.keys()):
                        for statement in self.definitions.widening(table or "", name, types[name]):
                            session.execute(statement, ())
                catalog = self._read(session)
            self._adopt(session, catalog)

        transactions.define(work)
