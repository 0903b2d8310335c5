"""What a table looks like: which column holds which result (SPEC.md section 9)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from pipestat_spec.models.record import DEFAULT_PROJECT_NAME, Level

__all__ = ["Kind", "Layout", "ResultColumn", "TableShape"]

Layout: TypeAlias = Literal["records", "levels"]


class Kind(StrEnum):
    """How a column holds its values (PS-SQL-005)."""

    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """The column of one result; `binary_json` where it is a JSONB of another program's."""

    identifier: str
    name: str
    kind: Kind
    binary_json: bool = False


@dataclass(frozen=True)
class TableShape:
    """One table of a namespace, and the columns of its results by result identifier.

    `project_name` is that of the store, None in the layout `records`.
    """

    table: sa.Table
    level: Level
    layout: Layout
    results: Mapping[str, ResultColumn]
    project_name: str | None = None
    # Searches that were built for this table.
    searches: dict[Hashable, sa.Select[Any]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def own_rows(self) -> sa.ColumnElement[bool] | None:
        """Return which rows belong to the store (PS-SQL-003); None means all of them."""
        if self.project_name is None:
            return None
        column = self.table.c.project_name
        if self.project_name == DEFAULT_PROJECT_NAME:
            return sa.or_(column == self.project_name, column.is_(None))
        return column == self.project_name
