"""What conditions need of a database, whatever its SQL looks like."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa

from pipestat_spec.json_values import JSONValue

if TYPE_CHECKING:
    from pipestat_sql.database.connections import Session
    from pipestat_sql.queries.given import Given
    from pipestat_sql.tables.column_types import Kind

__all__ = ["COMPARE", "Condition", "Dialect", "Expression", "Order", "Path"]

Expression: TypeAlias = sa.ColumnElement[Any]
Condition: TypeAlias = sa.ColumnElement[bool]
Path: TypeAlias = Sequence[str]
Order: TypeAlias = Literal["lt", "le", "gt", "ge"]

# The comparison operators of filters as those of SQL.
COMPARE: Mapping[str, Callable[[Any, Any], Condition]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


class Dialect(ABC):
    """Expressions of one database.

    A *document* is an expression of JSON; a path leads through its objects. Conditions on
    documents are never NULL, those on columns are NULL where the column is. What is `Given`
    differs from search to search of one statement.
    """

    # The collation by code point, quoted.
    collation: str

    @abstractmethod
    def text(self, column: Expression) -> Expression:
        """Return a text column, ordered by code point (PS-ID-003)."""

    @abstractmethod
    def member(self, column: Expression, values: Given[Sequence[Any]], kind: Kind) -> Condition:
        """Tell whether a column equals one of many values of its own type."""

    @abstractmethod
    def like(self, text: Expression, pattern: Given[str]) -> Condition:
        """Tell whether text matches a pattern (PS-QRY-009)."""

    @abstractmethod
    def unindexed(self, condition: Condition) -> Condition:
        """Return a condition that most rows fulfil in a form that no index is taken for."""

    @abstractmethod
    def time_text(self, column: Expression) -> Expression:
        """Return a time column, whose times are not odd, in the form of PS-REC-003."""

    @abstractmethod
    def is_odd_time(self, column: Expression) -> Condition:
        """Tell whether a time stands in the column in another form than we write."""

    @abstractmethod
    def moment(self, column: Expression) -> Expression:
        """Return a time column as something that orders by time."""

    @abstractmethod
    def moment_literal(self, moment: datetime) -> Expression:
        """Return a UTC time to compare `moment` with."""

    @abstractmethod
    def document(self, column: Expression) -> Expression:
        """Return a JSON column as a document."""

    @abstractmethod
    def has(self, document: Expression, name: str) -> Condition:
        """Tell whether a document is an object with this key; never NULL."""

    @abstractmethod
    def member_text(self, document: Expression, name: str) -> Expression:
        """Return the JSON text of a member, NULL where there is none."""

    @abstractmethod
    def document_text(self, document: Expression) -> Expression:
        """Return the JSON text of a document."""

    @abstractmethod
    def text_at(self, document: Expression, name: str) -> Expression:
        """Return what a member says as text, NULL where there is none."""

    @abstractmethod
    def is_null(self, document: Expression, path: Path) -> Condition:
        """Tell whether null or nothing stands at the path."""

    @abstractmethod
    def equals(
        self, document: Expression, path: Path, values: Given[Sequence[JSONValue]]
    ) -> Condition | bool:
        """Tell whether what stands at the path equals one of the values."""

    @abstractmethod
    def compares(
        self, document: Expression, path: Path, operator: Order, value: Given[Any]
    ) -> Condition | bool:
        """Compare what stands at the path with a number or a string."""

    @abstractmethod
    def like_at(self, document: Expression, path: Path, pattern: Given[str]) -> Condition:
        """Tell whether a string that matches the pattern stands at the path."""

    @abstractmethod
    def exact_double(self, column: Expression) -> Sequence[Expression]:
        """Return what tells two doubles apart that are equal, -0.0 and 0.0."""

    @abstractmethod
    def read_double(self, parts: Sequence[Any]) -> float | None:
        """Return the double from the values of `exact_double`."""

    @abstractmethod
    def prepare(self, session: Session) -> None:
        """Make the connection ready for the conditions."""
