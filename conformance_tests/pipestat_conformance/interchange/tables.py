"""The tables of a store, before and after: made and read here, and not by what is under test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from pipestat_conformance.drivers import HarnessError, VectorFailed
from pipestat_conformance.interchange.databases import Database, Table, dialect_of, open_database
from pipestat_conformance.matchers import Comparison
from pipestat_conformance.vectors import Step, Vector

__all__ = ["NO_DATABASE", "Tables", "unfit_for_tables"]

NO_DATABASE = "it is about tables, and the store has no 'url' of SQLite or PostgreSQL"

_COLUMN_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6})")


def unfit_for_tables(vector: Vector, store: Mapping[str, Any]) -> str | None:
    """Return why a vector about tables cannot be run on such a store, or None."""
    dialect = dialect_of(store)
    if dialect is None:
        return NO_DATABASE
    if vector.dialects and dialect not in vector.dialects:
        return f"it is about {' and '.join(vector.dialects)}, and the store is {dialect}"
    return None


class Tables:
    """The database of one interchange vector's store."""

    def __init__(self, vector: Vector) -> None:
        self._vector = vector
        self._store: Mapping[str, Any] = {}

    def prepare(self, store: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make the tables; return the store as it is."""
        self._store = store
        with self._connected(HarnessError) as database:
            for name, table in (self._vector.tables or {}).items():
                _make(database, name, table)
        return store

    def change(self, step: Step) -> None:
        """Make a step of another program: a table, rows, other cells, or a column."""
        args = step.args
        with self._connected(HarnessError) as database:
            if step.op == "make_table":
                _make(database, args["table"], args)
            elif step.op == "insert_rows":
                database.insert(args["table"], args["rows"])
            elif step.op == "update_rows":
                database.update(args["table"], args["where"], args["set"])
            else:
                database.add_column(args["table"], args["column"], args["type"])

    def check(self, saved: Mapping[str, Any]) -> None:
        """Compare the tables with what they have to be; raises VectorFailed."""
        after = self._vector.after or {}
        if not after:
            return
        with self._connected(VectorFailed) as database:
            there = database.tables()
            for name, expected in after.get("tables", {}).items():
                if expected.get("$absent"):
                    if name in there:
                        raise VectorFailed(f"the table {name!r} was to be absent, and is there")
                elif name not in there:
                    raise VectorFailed(f"the table {name!r} is missing; there are {there}")
                else:
                    _check_table(name, expected, database.read(name), saved)
            for name in there:
                patterns = after.get("only_tables", ["*"])
                if not any(fnmatchcase(name, pattern) for pattern in patterns):
                    raise VectorFailed(f"the table {name!r} was left in the database")

    @contextmanager
    def _connected(self, kind: type[HarnessError | VectorFailed]) -> Iterator[Database]:
        database = open_database(self._store)
        try:
            yield database
        except (database.errors, ValueError) as error:
            raise kind(f"raw SQL on the store's database failed: {error}") from error
        finally:
            database.close()


def _make(database: Database, name: str, table: Mapping[str, Any]) -> None:
    database.make(name, table["columns"], table.get("unique", []))
    database.insert(name, table.get("rows", []))


def _check_table(
    name: str, expected: Mapping[str, Any], table: Table, saved: Mapping[str, Any]
) -> None:
    for column, type in expected.get("columns", {}).items():
        found = table.types.get(column)
        if type is None and found is not None:
            raise VectorFailed(f"{name}: the column {column!r} was to be absent, and is there")
        if type is not None and found is None:
            raise VectorFailed(f"{name}: there is no column {column!r}, but {list(table.types)}")
        if type is not None and found is not None and type not in found:
            kinds = " or ".join(sorted(found))
            raise VectorFailed(f"{name}: the column {column!r} is {kinds}, not {type}")
    for group in expected.get("unique", []):
        if frozenset(group) not in table.unique:
            raise VectorFailed(f"{name}: {group} is not unique")
    for column in expected.get("not_null", []):
        if column not in table.required:
            raise VectorFailed(f"{name}: the column {column!r} may be null")
    if "rows" in expected:
        _check_rows(name, expected["rows"], table.rows, Comparison(True, saved))


def _check_rows(
    name: str, expected: Sequence[Any], rows: Sequence[Mapping[str, Any]], comparison: Comparison
) -> None:
    """Find a row of its own for each that is expected, in any order."""
    if len(rows) != len(expected):
        raise VectorFailed(f"{name} has {len(rows)} rows, not {len(expected)}: {rows!r}"[:2000])
    left = list(rows)
    for number, wanted in enumerate(expected):
        problems = [_row_difference(wanted, row, comparison) for row in left]
        if None not in problems:
            # The row that fits in most is the one that was meant.
            nearest = max((p for p in problems if p is not None), key=lambda p: p[0])
            raise VectorFailed(f"{name}, expected row {number + 1}: {nearest[1]}")
        del left[problems.index(None)]


def _row_difference(
    wanted: Mapping[str, Any], row: Mapping[str, Any], comparison: Comparison
) -> tuple[int, str] | None:
    for fitting, (column, expected) in enumerate(wanted.items()):
        if column not in row:
            return fitting, f"there is no column {column!r}"
        problem = _cell_difference(expected, row[column], comparison, column)
        if problem is not None:
            return fitting, problem
    return None


def _cell_difference(expected: Any, cell: Any, comparison: Comparison, where: str) -> str | None:
    if isinstance(expected, Mapping) and "$json" in expected:
        if not (isinstance(cell, Mapping) and "$json" in cell):
            return f"{where}: expected JSON text, got {cell!r}"
        return comparison.difference(expected["$json"], cell["$json"], where)
    if isinstance(expected, Mapping) and "$utc" in expected:
        time = _COLUMN_TIME.fullmatch(cell) if isinstance(cell, str) else None
        if time is None:
            return f"{where}: expected a time as YYYY-MM-DD HH:MM:SS.ffffff, got {cell!r}"
        return comparison.difference(expected["$utc"], f"{time[1]}T{time[2]}Z", where)
    return comparison.difference(expected, cell, where)
