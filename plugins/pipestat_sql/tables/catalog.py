"""What a database holds: tables, columns and their types, read in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from pipestat_sql.database.connecting import Database, Session
from pipestat_sql.tables.shape import Kind

__all__ = ["Catalog", "JSONText", "column_type", "kind_of", "read_catalog", "wanted_type"]


@dataclass(frozen=True)
class Catalog:
    """All tables of a schema by name, with columns (name to type) for those asked for."""

    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    indexes: frozenset[str] = frozenset()
    has_schema: bool = True


_POSTGRESQL = """
SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_namespace n LEFT JOIN pg_class c
  ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'i', 'I')
LEFT JOIN pg_attribute a
  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p') AND c.relname = ANY(%s)
WHERE n.nspname = coalesce(%s, current_schema())
ORDER BY c.oid, a.attnum
"""
_SQLITE = """
SELECT m.name, m.type, p.name, p.type
FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) p
  ON m.type = 'table' AND m.name IN ({places})
WHERE m.type IN ('table', 'index')
ORDER BY m.rowid, p.cid
"""


def read_catalog(
    session: Session, database: Database, schema: str | None, names: Collection[str]
) -> Catalog:
    """Return what there is, with the columns of the tables in `names`."""
    if database.is_postgresql:
        rows = session.execute(_POSTGRESQL, (list(names), schema)).fetchall()
    else:
        statement = _SQLITE.format(places=", ".join("?" * len(names)))
        rows = session.execute(statement, tuple(names)).fetchall()
    tables: dict[str, dict[str, str]] = {}
    indexes: set[str] = set()
    for table, kind, column, type_name in rows:
        if table is None:
            continue
        # The kind is a "char" of PostgreSQL's, which some servers give as bytes.
        letter = kind.decode() if isinstance(kind, bytes) else kind
        if letter.lower() in ("i", "index"):
            indexes.add(table)
            continue
        columns = tables.setdefault(table, {})
        if column is not None:
            columns[column] = type_name.lower()
    return Catalog(tables, frozenset(indexes), bool(rows) or not database.is_postgresql)


_KINDS = {
    **dict.fromkeys(("bigint", "integer", "int", "smallint", "int8", "int4"), Kind.INTEGER),
    **dict.fromkeys(("double precision", "double", "float", "real", "float8"), Kind.NUMBER),
    **dict.fromkeys(("text", "varchar", "character varying", "clob"), Kind.STRING),
    **dict.fromkeys(("boolean", "bool"), Kind.BOOLEAN),
    **dict.fromkeys(("json", "jsonb", "json text"), Kind.JSON),
}


def kind_of(type_name: str, *, postgresql: bool) -> Kind | None:
    """Return how a column of this type holds results; None for a type that holds none."""
    if postgresql and type_name == "real":
        return None
    return _KINDS.get(type_name.partition("(")[0].strip())


class JSONText(sa.types.UserDefinedType[str]):
    """JSON in SQLite: a type whose name says so, and which leaves the text as it is.

    A column of type JSON alone has numeric affinity there, and turns the text 1.0 into 1.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON TEXT"


def wanted_type(kind: Kind, *, is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    """Return the type of a new column (PS-SQL-005)."""
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
            return postgresql.JSON() if is_postgresql else JSONText()


def column_type(type_name: str, *, is_postgresql: bool) -> sa.types.TypeEngine[Any]:
    """Return the type of an existing column, as queries have to see it."""
    if is_postgresql and type_name == "jsonb":
        return postgresql.JSONB()
    if type_name.startswith("timestamp") and is_postgresql:
        return sa.TIMESTAMP(timezone="with time zone" in type_name)
    kind = kind_of(type_name, postgresql=is_postgresql)
    if kind is Kind.STRING:
        return sa.Text()
    if kind is Kind.INTEGER and type_name in ("integer", "smallint"):
        return sa.Integer()
    return sa.types.NullType() if kind is None else wanted_type(kind, is_postgresql=is_postgresql)
