"""What columns hold, and what databases call their types (PS-SQL-005)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import sqlalchemy as sa

__all__ = ["Kind", "kind_of", "known_type", "new_type"]


class Kind(StrEnum):
    """How a column holds its values (PS-SQL-005)."""

    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    JSON = "json"


_KINDS = {
    **dict.fromkeys(("bigint", "integer", "int", "smallint", "int8", "int4"), Kind.INTEGER),
    **dict.fromkeys(("double precision", "double", "float", "real", "float8"), Kind.NUMBER),
    **dict.fromkeys(("text", "varchar", "character varying", "clob"), Kind.STRING),
    **dict.fromkeys(("boolean", "bool"), Kind.BOOLEAN),
    **dict.fromkeys(("json", "jsonb", "json text"), Kind.JSON),
}


def kind_of(type_name: str, *, is_postgresql: bool) -> Kind | None:
    """Return how a column of this type holds results; None for a type that holds none."""
    if is_postgresql and type_name == "real":
        return None
    return _KINDS.get(type_name.partition("(")[0].strip())


class _JSONText(sa.types.UserDefinedType[str]):
    """JSON in SQLite: a type whose name says so, and which leaves the text as it is.

    A column of type JSON alone has numeric affinity there, and turns the text 1.0 into 1.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON TEXT"


def new_type(kind: Kind, *, is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    """Return the type of a new column."""
    match kind:
        case Kind.INTEGER:
            return sa.BigInteger()
        case Kind.NUMBER:
            return sa.DOUBLE_PRECISION()
        case Kind.BOOLEAN:
            return sa.Boolean()
        case Kind.STRING:
            # By code point, whatever the database's language is.
            return sa.Text(collation="C") if is_postgresql else sa.Text()
        case Kind.JSON:
            if not is_postgresql:
                return _JSONText()
            # Starts slowly, and no other database needs it.
            from sqlalchemy.dialects.postgresql import JSON

            return JSON()


def known_type(type_name: str, *, is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    """Return the type of an existing column, as statements have to see it."""
    if is_postgresql and type_name == "jsonb":
        from sqlalchemy.dialects.postgresql import JSONB

        return JSONB()
    if type_name.startswith("timestamp") and is_postgresql:
        return sa.TIMESTAMP(timezone="with time zone" in type_name)
    kind = kind_of(type_name, is_postgresql=is_postgresql)
    if kind is Kind.STRING:
        return sa.Text()
    if kind is Kind.INTEGER and type_name in ("integer", "smallint"):
        return sa.Integer()
    return sa.types.NullType() if kind is None else new_type(kind, is_postgresql=is_postgresql)
