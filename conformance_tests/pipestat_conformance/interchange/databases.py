"""Databases of vectors: made, changed and read by raw SQL, never by an implementation.

A table is described with logical types of columns, so that one description serves SQLite and
PostgreSQL. Values stand as they do in the database, but for `{"$json": X}`, JSON text that
says X, and booleans, which SQLite keeps as 0 and 1.
"""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipestat_conformance.drivers import HarnessError
from pipestat_conformance.special_values import decode, parse_json

__all__ = ["TYPES", "Cells", "Database", "Table", "dialect_of", "open_database"]

# Logical type -> what it is called in DDL.
TYPES: Mapping[str, Mapping[str, str]] = {
    "key": {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "SERIAL PRIMARY KEY"},
    "text": {"sqlite": "TEXT", "postgresql": "TEXT"},
    "varchar": {"sqlite": "VARCHAR", "postgresql": "VARCHAR"},
    "integer32": {"sqlite": "INTEGER", "postgresql": "INTEGER"},
    "bigint": {"sqlite": "BIGINT", "postgresql": "BIGINT"},
    "double": {"sqlite": "DOUBLE PRECISION", "postgresql": "DOUBLE PRECISION"},
    "boolean": {"sqlite": "BOOLEAN", "postgresql": "BOOLEAN"},
    "timestamp": {"sqlite": "TEXT", "postgresql": "TIMESTAMP"},
    # A column that is only called JSON would turn the text 1.0 into a number in SQLite.
    "json": {"sqlite": "JSON TEXT", "postgresql": "JSON"},
    "jsonb": {"sqlite": "JSON TEXT", "postgresql": "JSONB"},
}
_TIME = "YYYY-MM-DD HH24:MI:SS.US"
Cells = Mapping[str, Any]


def dialect_of(store: Mapping[str, Any]) -> str | None:
    """Return the dialect of a store's database, or None when it has none that is known here."""
    url = store.get("url")
    if not isinstance(url, str):
        return None
    scheme = url.partition(":")[0].partition("+")[0]
    dialects = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
    return dialects.get(scheme)


def open_database(store: Mapping[str, Any]) -> Database:
    """Connect to a store's database; raises HarnessError when that cannot be done here."""
    if dialect_of(store) == "sqlite":
        return Sqlite(sqlite3.connect(store["url"].partition("///")[2], isolation_level=None))
    from importlib import import_module

    try:
        psycopg: Any = import_module("psycopg")
    except ImportError as error:
        raise HarnessError(f"reading a PostgreSQL database needs psycopg: {error}") from None
    address = "postgresql:" + store["url"].partition(":")[2]
    try:
        connection = psycopg.connect(address, autocommit=True)
    except psycopg.Error as error:
        raise HarnessError(f"the database of the store cannot be opened: {error}") from None
    return Postgresql(connection, psycopg.Error, store.get("schema"))


@dataclass
class Table:
    """A table as it is: logical types by column, what is unique, and the rows."""

    types: dict[str, frozenset[str]]
    required: set[str] = field(default_factory=set)
    unique: set[frozenset[str]] = field(default_factory=set)
    rows: list[dict[str, Any]] = field(default_factory=list)


class Database(ABC):
    """One connection; `errors` is what its driver raises."""

    dialect: str
    errors: type[Exception]
    _mark: str

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor()
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []

    def _name(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def make(self, name: str, columns: Mapping[str, str], unique: Sequence[Sequence[str]]) -> None:
        """Make a table out of logical types."""
        parts = [f"{self._name(c)} {TYPES[type][self.dialect]}" for c, type in columns.items()]
        parts += [f"UNIQUE ({', '.join(map(self._name, group))})" for group in unique]
        self._run(f"CREATE TABLE {self._name(name)} ({', '.join(parts)})")

    def add_column(self, table: str, column: str, type: str) -> None:
        """Add a column of a logical type."""
        ddl = f"{self._name(column)} {TYPES[type][self.dialect]}"
        self._run(f"ALTER TABLE {self._name(table)} ADD COLUMN {ddl}")

    def insert(self, table: str, rows: Sequence[Cells]) -> None:
        """Add rows."""
        types = self.types(table)
        for row in rows:
            names = ", ".join(map(self._name, row))
            marks = ", ".join(self._typed(types[column]) for column in row)
            values = [_written(cell) for cell in row.values()]
            self._run(f"INSERT INTO {self._name(table)} ({names}) VALUES ({marks})", values)

    def update(self, table: str, where: Cells, change: Cells) -> None:
        """Set cells of the rows that hold the values of `where`."""
        types = self.types(table)
        sets = ", ".join(f"{self._name(c)} = {self._typed(types[c])}" for c in change)
        test = " AND ".join(f"{self._name(c)} = {self._typed(types[c])}" for c in where)
        values = [_written(cell) for cell in (*change.values(), *where.values())]
        self._run(f"UPDATE {self._name(table)} SET {sets} WHERE {test}", values)

    def read(self, name: str) -> Table:
        """Return a table as it is now."""
        types = self.types(name)
        columns = ", ".join(self._shown(column, types[column]) for column in types)
        table = Table(types, self._required(name), self._unique(name))
        for row in self._run(f"SELECT {columns} FROM {self._name(name)}"):
            pairs = zip(types.items(), row, strict=True)
            table.rows.append({column: _read(cell, type) for (column, type), cell in pairs})
        return table

    def _typed(self, types: frozenset[str]) -> str:  # noqa: ARG002
        return self._mark

    def _shown(self, column: str, types: frozenset[str]) -> str:  # noqa: ARG002
        return self._name(column)

    @abstractmethod
    def tables(self) -> list[str]:
        """Return the names of all tables."""

    @abstractmethod
    def types(self, table: str) -> dict[str, frozenset[str]]:
        """Return, per column, the logical types that it may be taken for."""

    @abstractmethod
    def _required(self, table: str) -> set[str]: ...

    @abstractmethod
    def _unique(self, table: str) -> set[frozenset[str]]: ...


def _written(cell: Any) -> Any:
    if isinstance(cell, Mapping) and "$json" in cell:
        return json.dumps(decode(cell["$json"]), ensure_ascii=False)
    return decode(cell)


def _read(cell: Any, types: frozenset[str]) -> Any:
    if cell is None:
        return None
    if "json" in types or "jsonb" in types:
        # What is not text is shown as it is, and fits nothing that is expected.
        return {"$json": parse_json(cell)} if isinstance(cell, str) else cell
    if "boolean" in types and cell in (0, 1):
        return bool(cell)
    return cell


class Sqlite(Database):
    """SQLite, where a type is what the column was declared with."""

    dialect = "sqlite"
    errors = sqlite3.Error
    _mark = "?"

    def tables(self) -> list[str]:
        found = self._run("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in found if not name.startswith("sqlite_")]

    def _columns(self, table: str) -> list[tuple[Any, ...]]:
        return self._run(f"PRAGMA table_info({self._name(table)})")

    def types(self, table: str) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(["key", *_declared(type)] if primary else _declared(type))
            for _, name, type, _, _, primary in self._columns(table)
        }

    def _required(self, table: str) -> set[str]:
        return {name for _, name, _, required, _, _ in self._columns(table) if required}

    def _unique(self, table: str) -> set[frozenset[str]]:
        return {
            frozenset(c for _, _, c in self._run(f"PRAGMA index_info({self._name(index)})"))
            for _, index, unique, *_ in self._run(f"PRAGMA index_list({self._name(table)})")
            if unique
        }


def _declared(type: str) -> tuple[str, ...]:
    declared = type.upper()
    if "JSON" in declared:
        return ("json", "jsonb")
    known = {"TEXT": ("text", "timestamp"), "INT": ("integer32",), "INTEGER": ("integer32",)}
    known |= {"BIGINT": ("bigint",), "BOOLEAN": ("boolean",), "VARCHAR": ("varchar",)}
    known |= dict.fromkeys(("DOUBLE PRECISION", "DOUBLE", "FLOAT", "REAL"), ("double",))
    return known.get(declared, (declared.lower(),))


class Postgresql(Database):
    """PostgreSQL; `schema` is where the tables stand, when it is not where they do anyway."""

    dialect = "postgresql"
    _mark = "%s"

    def __init__(self, connection: Any, errors: type[Exception], schema: Any) -> None:
        super().__init__(connection)
        self.errors = errors
        if isinstance(schema, str):
            self._run(f"CREATE SCHEMA IF NOT EXISTS {self._name(schema)}")
            self._run(f"SET search_path = {self._name(schema)}")

    def _run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        # Without values a percent sign is itself.
        return super()._run(statement, values) if values else self._plain(statement)

    def _plain(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.replace("%%", "%"))
        return list(cursor.fetchall()) if cursor.description else []

    def _name(self, name: str) -> str:
        return super()._name(name).replace("%", "%%")

    def _typed(self, types: frozenset[str]) -> str:
        (type,) = types - {"key"}
        return f"CAST(%s AS {TYPES[type]['postgresql']})" if type in TYPES else self._mark

    def _shown(self, column: str, types: frozenset[str]) -> str:
        name = self._name(column)
        if types & {"json", "jsonb"}:
            return f"{name}::text"
        return f"to_char({name}, '{_TIME}')" if "timestamp" in types else name

    def insert(self, table: str, rows: Sequence[Cells]) -> None:
        super().insert(table, rows)
        if any("id" in row for row in rows):
            name = self._name(table)
            highest = f"(SELECT MAX(id) FROM {name})"
            sequence = "pg_get_serial_sequence(%s, 'id')"
            self._run(f"SELECT setval({sequence}, {highest})", [name.replace("%%", "%")])

    def tables(self) -> list[str]:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        return sorted(name for (name,) in self._run(query))

    def _columns(self, table: str) -> list[tuple[Any, ...]]:
        query = """SELECT column_name, data_type, is_nullable FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position"""
        return self._run(query, [table])

    def types(self, table: str) -> dict[str, frozenset[str]]:
        logical = {"double precision": "double", "character varying": "varchar"}
        logical |= {"integer": "integer32", "timestamp without time zone": "timestamp"}
        keys = self._indexes(table, "indisprimary")
        return {
            name: frozenset({logical.get(type, type)} | ({"key"} if {name} in keys else set()))
            for name, type, _ in self._columns(table)
        }

    def _required(self, table: str) -> set[str]:
        return {name for name, _, nullable in self._columns(table) if nullable == "NO"}

    def _unique(self, table: str) -> set[frozenset[str]]:
        return set(self._indexes(table, "indisunique"))

    def _indexes(self, table: str, kind: str) -> list[frozenset[str]]:
        query = f"""SELECT array_agg(a.attname::text) FROM pg_index i
            JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE i.{kind} AND a.attnum = ANY(i.indkey) AND c.relname = %s
            AND c.relnamespace = current_schema()::regnamespace GROUP BY i.indexrelid"""
        return [frozenset(names) for (names,) in self._run(query, [table])]
