"""Where a field's value stands in a row (spec/sql.md and queries.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa

from pipestat_spec.domain.filters import SPECIAL_FIELDS
from pipestat_spec.models.query import FieldPath
from pipestat_sql.queries.dialects import Condition, Dialect, Expression
from pipestat_sql.queries.literals import is_storable
from pipestat_sql.tables.column_types import Kind
from pipestat_sql.tables.record_table import RecordTable

__all__ = [
    "EXTENDED",
    "TIMES",
    "Document",
    "Field",
    "Fields",
    "Layered",
    "Missing",
    "Moment",
    "Typed",
    "extended_data",
    "record_identifier",
]

EXTENDED = "pipestat_extended_data"
TIMES = ("pipestat_created_time", "pipestat_modified_time")


@dataclass(frozen=True)
class Missing:
    """No row has the field."""


@dataclass(frozen=True)
class Typed:
    """A column of one type; NULL where the field is missing."""

    column: Expression
    kind: Kind


@dataclass(frozen=True)
class Moment:
    """A column of times; NULL where the field is missing."""

    column: Expression


@dataclass(frozen=True)
class Document:
    """A place in a JSON column."""

    document: Expression
    path: FieldPath


@dataclass(frozen=True)
class Layered:
    """What `pipestat_extended_data` holds where it has the result, else the column (PS-SQL-008)."""

    present: Condition
    extended: Document
    column: Field


Field: TypeAlias = Missing | Typed | Moment | Document | Layered


@dataclass(frozen=True)
class Fields:
    """The fields of a table's rows: those with `pipestat_extended_data`, or those without."""

    table: RecordTable
    dialect: Dialect
    extended: bool

    def __call__(self, path: FieldPath) -> Field:
        """Return where the field stands."""
        if not all(map(is_storable, path)):
            return Missing()
        if path[0] in SPECIAL_FIELDS:
            return self._special(path)
        column = self._column(path)
        if not self.extended:
            return column
        extended = Document(extended_data(self.table, self.dialect), path)
        if isinstance(column, Missing) and path[0] not in self.table.results:
            return extended
        return Layered(self.dialect.has(extended.document, path[0]), extended, column)

    def _special(self, path: FieldPath) -> Field:
        column = self.table.table.c.get(path[0])
        if column is None or len(path) > 1:
            return Missing()
        if path[0] in TIMES:
            return Moment(column)
        return Typed(self.dialect.text(column), Kind.STRING)

    def _column(self, path: FieldPath) -> Field:
        result = self.table.results.get(path[0])
        if result is None:
            return Missing()
        column = self.table.table.c[result.name]
        if result.kind is Kind.JSON:
            return Document(self.dialect.document(column), path[1:])
        if len(path) > 1:
            return Missing()
        if result.kind is Kind.STRING:
            return Typed(self.dialect.text(column), Kind.STRING)
        return Typed(column, result.kind)


def extended_data(table: RecordTable, dialect: Dialect) -> Expression:
    """Return the document of the results that have no column."""
    return dialect.document(table.table.c[EXTENDED])


def record_identifier(table: RecordTable, dialect: Dialect) -> sa.ColumnElement[str]:
    """Return the column of the record identifiers, ordered by code point."""
    return dialect.text(table.table.c.record_identifier)
