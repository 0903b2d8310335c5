"""Mutants of spec/sql.md: the columns of results, what stands beside them, and their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from conformance_selfcheck.mutants.sql_names import SYSTEM, TYPES
from conformance_selfcheck.mutants.sql_store import SqliteTables
from conformance_selfcheck.mutants.sql_tables import Row
from conformance_selfcheck.mutants.sql_target import tables
from pipestat_spec.models.record import Level, Record


@tables("PS-SQL-005")
class IntegersStandInTexts(SqliteTables):
    """The column of an integer is TEXT."""

    types: Mapping[str, str] = {**TYPES, "integer": "TEXT"}


@tables("PS-SQL-005")
class JsonColumnsTurnNumbers(SqliteTables):
    """A JSON column has a type in which the database takes JSON text for numbers."""

    types: Mapping[str, str] = {**TYPES, "json": "JSON"}


@tables("PS-SQL-005")
class BooleansReadAsIntegers(SqliteTables):
    """A boolean column is read as the database keeps it: 0 and 1."""

    def results(self, row: Row, table: str, level: Level) -> dict[str, Any]:
        found = super().results(row, table, level)
        return {name: int(value) if value is True else value for name, value in found.items()}


@tables("PS-SQL-006")
class NullStoredAsNull(SqliteTables):
    """A reported null is stored as NULL, like a result that was not reported."""

    def cells(self, record: Record, table: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        cells = super().cells(record, table, meta)
        return {column: None if cell == "null" else cell for column, cell in cells.items()}


@tables("PS-SQL-006")
class EveryColumnIsReported(SqliteTables):
    """A NULL is a reported null."""

    def results(self, row: Row, table: str, level: Level) -> dict[str, Any]:
        return {**dict.fromkeys(self.declared(level)), **super().results(row, table, level)}


@tables("PS-SQL-007")
class UndeclaredResultsGetColumns(SqliteTables):
    """A result that is not declared gets a column of its own."""

    def write(self, record: Record) -> None:
        table = self.table(record.key.level)
        there = self.result_columns(table, record.key.level)
        for name in record.results.keys() - there.keys():
            self.add_column(table, self.named(name, self.columns(table)), TYPES["json"])
        super().write(record)


@tables("PS-SQL-007")
class UnfitValuesStandBeside(SqliteTables):
    """A value that its column cannot hold is stored beside the columns, and not refused."""

    def refuse(self, message: str) -> None:
        """Let it pass."""


@tables("PS-SQL-008")
class OpeningAddsColumns(SqliteTables):
    """Opening a store adds the columns that its tables lack."""

    def opened(self, table: str, level: Level) -> None:
        super().opened(table, level)
        self.complete(table, level)


@tables("PS-SQL-008")
class ValuesBesideAColumnUnseen(SqliteTables):
    """Where a result has a column, what was stored beside the columns is not looked at."""

    def results(self, row: Row, table: str, level: Level) -> dict[str, Any]:
        declared, found = self.declared(level), super().results(row, table, level)
        columns = self.result_columns(table, level)
        declared = {name: kind for name, kind in declared.items() if name in columns}
        return {
            name: value
            for name, value in found.items()
            if name not in declared or row[columns[name][0]] is not None
        }


@tables("PS-SQL-008")
class UnknownColumnsEmptied(SqliteTables):
    """An update empties the columns that the schema does not name."""

    def cells(self, record: Record, table: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        declared = self.declared(record.key.level)
        others = {
            column: None
            for name, (column, _) in self.result_columns(table, record.key.level).items()
            if name not in declared
        }
        return {**super().cells(record, table, meta), **others}


@tables("PS-SQL-008")
class ContradictingTypesAccepted(SqliteTables):
    """A declared type that contradicts the column is no error."""

    def check(self, table: str, level: Level) -> None:
        """Accept them."""


@tables("PS-SQL-021")
class EveryResultHasAColumn(SqliteTables):
    """A declared result has a column, however many there are."""

    def with_room(self, table: str, level: Level) -> set[str]:  # noqa: ARG002
        return set(self.declared(level))


@tables("PS-SQL-021")
class TheLastDeclaredHaveColumns(SqliteTables):
    """What a row has room for is chosen from the end of the schema."""

    def with_room(self, table: str, level: Level) -> set[str]:
        declared = list(self.declared(level))
        return set(declared[-len(super().with_room(table, level)) :])


@tables("PS-SQL-010")
class LongNamesNotCut(SqliteTables):
    """A name is not cut, whatever its length."""

    def named(self, name: str, there: Collection[str]) -> str:
        return name if len(name.encode()) > 63 else super().named(name, there)


@tables("PS-SQL-010")
class LastDeclaredIsPlain(SqliteTables):
    """Of names that collide the last one in code-point order is plain."""

    def declared(self, level: Level) -> dict[str, str]:
        return dict(reversed(super().declared(level).items()))


@tables("PS-SQL-010")
class PlainNameBeforeTheCut(SqliteTables):
    """A column is looked up by its plain name first."""

    def existing(self, name: str, there: Collection[str]) -> str | None:
        return name if name in there and name not in SYSTEM else super().existing(name, there)
