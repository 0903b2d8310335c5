"""The text of every statement on a table, made once (PS-SQL-011)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from pipestat_spec.models.record import DEFAULT_PROJECT_NAME
from pipestat_sql.database.connecting import Database
from pipestat_sql.database.transactions import MARK
from pipestat_sql.tables.tables import StoredTable

__all__ = ["Statements"]

_CACHED = 512


class Statements:
    """Statements for one table; values are always bound, names always quoted."""

    def __init__(
        self, database: Database, table: StoredTable, qualified: Callable[[str], str]
    ) -> None:
        self._database = database
        self._quote = database.quote
        self._place = database.placeholder
        self.table = qualified(str(table.shape.table.name))
        project = table.shape.project_name
        # What follows the identifier among the parameters of a row's condition.
        self.own: tuple[str, ...] = () if project is None else (project,)
        own = ""
        if project is not None:
            own = f"project_name = {self._place}"
            if project == DEFAULT_PROJECT_NAME:
                own = f"({own} OR project_name IS NULL)"
        self.own_rows = own
        # Of two rows that mean the same the one with the project's name is ours.
        order = " ORDER BY project_name IS NULL" if own.startswith("(") else ""
        row = f"record_identifier = {self._place}" + (f" AND {own}" if own else "")
        self.row_condition = row
        names = ", ".join(map(self._quote, table.types))
        lock = " FOR UPDATE" if database.is_postgresql else ""
        everything = f"SELECT {names} FROM {self.table}"
        # A star, so that columns of others show up; the names are compared with those known.
        self.read = f"SELECT * FROM {self.table} WHERE {row}{order}"
        self.lock = f"{self.read}{lock}"
        self.identifier = self._code_points("record_identifier")
        where = f"WHERE {own}" if own else ""
        self.count = f"SELECT count(*) FROM {self.table} {where}"
        self._everything = everything.replace(names, "*")
        self._lock = lock
        mark = f" RETURNING {MARK}" if database.is_postgresql else ""
        self.delete = f"DELETE FROM {self.table} WHERE id = {self._place}{mark}"
        self.mark = mark
        self.update = lru_cache(_CACHED)(self._update)
        self.insert = lru_cache(_CACHED)(self._insert)

    def _code_points(self, column: str) -> str:
        # PostgreSQL orders by the rules of a language otherwise, SQLite by bytes.
        return f'{column} COLLATE "C"' if self._database.is_postgresql else column

    def page(self, *, after: bool, limit: bool) -> str:
        """Return the statement of a part of all rows, in the order of their identifiers."""
        conditions = [self.own_rows] if self.own_rows else []
        if after:
            conditions.append(f"{self.identifier} > {self._place}")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        end = f" LIMIT {self._place}" if limit else ""
        return f"{self._everything}{where} ORDER BY {self.identifier}{end}"

    def lock_many(self, count: int) -> str:
        """Return the statement that reads and locks rows by identifier, in one order."""
        if self._database.is_postgresql:
            wanted = "record_identifier = ANY(%s)"
        else:
            wanted = f"record_identifier IN ({', '.join('?' * count)})"
        own = f" AND {self.own_rows}" if self.own_rows else ""
        order = f"ORDER BY {self.identifier}"
        return f"{self._everything} WHERE {wanted}{own} {order}{self._lock}"

    def _update(self, columns: tuple[str, ...], marked: bool = True) -> str:
        sets = ", ".join(f"{self._quote(name)} = {self._place}" for name in columns)
        mark = self.mark if marked else ""
        return f"UPDATE {self.table} SET {sets} WHERE id = {self._place}{mark}"

    def _insert(self, columns: tuple[str, ...], marked: bool = True) -> str:
        text = insert_into(self.table, columns, self._quote, self._place)
        if not self._database.is_postgresql:
            return text
        returning = f" RETURNING id, {MARK}" if marked else ""
        return f"{text} ON CONFLICT DO NOTHING{returning}"


def insert_into(table: str, columns: Sequence[str], quote: Callable[[str], str], place: str) -> str:
    """Return an INSERT of one row."""
    names = ", ".join(map(quote, columns))
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join([place] * len(columns))})"


Parameters = tuple[Any, ...]
