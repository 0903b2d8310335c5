"""Mutants of spec/sql.md: statements, transactions and queries in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from conformance_selfcheck.mutants.moments import another_writes, until
from conformance_selfcheck.mutants.mutation import each_scalar
from conformance_selfcheck.mutants.sql_store import SqliteTables
from conformance_selfcheck.mutants.sql_tables import Row
from conformance_selfcheck.mutants.sql_target import tables
from pipestat_spec.domain.query import select
from pipestat_spec.errors import PipestatDataError
from pipestat_spec.models.query import Page, Query
from pipestat_spec.models.record import Level


class _Told(SqliteTables):
    """What the database refuses is told as an error, so that a program lives on."""

    def run(self, statement: str, values: Any = ()) -> list[Row]:
        try:
            return super().run(statement, values)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise PipestatDataError(f"the database says: {error}") from error


@tables("PS-SQL-011")
class ValuesInTheStatement(_Told):
    """Values are written into the text of the statement."""

    def run(self, statement: str, values: Any = ()) -> list[Row]:
        for value in values if statement.startswith("SELECT") else ():
            text = f"'{value}'" if isinstance(value, str) else str(value)
            statement, values = statement.replace("?", text, 1), ()
        return super().run(statement, values)


@tables("PS-SQL-011")
class QuotesInNamesNotDoubled(_Told):
    """A quotation mark in a name ends it."""

    def run(self, statement: str, values: Any = ()) -> list[Row]:
        return super().run(statement.replace('""', '"'), values)


@tables("PS-SQL-009", trials=("trial.sql.new-database",))
class TablesMadeWithoutALock(_Told):
    """Programs that open a new database at once make its tables twice."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def run(self, statement: str, values: Any = ()) -> list[Row]:
        if statement.startswith("CREATE"):
            until(another_writes(self.path))
        return super().run(statement, values)


class _Queried(SqliteTables):
    """Answers queries itself, on records that are not quite what is stored."""

    def seen(self, value: Any) -> Any:
        return value

    def select(self, query: Query) -> Page:
        found = self.scan(query.level)
        changed = (replace(r, results=each_scalar(dict(r.results), self.seen)) for r in found)
        return select(changed, query)


@tables("PS-SQL-016")
class BooleansQueriedAsNumbers(_Queried):
    """In the database true is 1."""

    def seen(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@tables("PS-SQL-016")
class NumbersQueriedAsDoubles(_Queried):
    """In the database every number is a double."""

    def seen(self, value: Any) -> Any:
        return float(value) if type(value) is int else value


@tables("PS-SQL-016")
class NumbersQueriedAsTexts(_Queried):
    """In the database a number is its text."""

    def seen(self, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value


@tables("PS-SQL-016")
class TextsQueriedWithoutCase(_Queried):
    """In the database texts are the same whatever their case, `like` above all."""

    def seen(self, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


@tables("PS-SQL-016")
class OrderOfACollation(SqliteTables):
    """Records are in the order of the database's collation."""

    def rows(self, level: Level) -> list[Row]:
        return sorted(super().rows(level), key=lambda row: str(row["record_identifier"]).casefold())
