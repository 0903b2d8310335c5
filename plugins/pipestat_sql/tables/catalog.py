"""What a database holds: tables, columns and their types, read in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipestat_sql.database.connections import Session

__all__ = ["Catalog", "read_catalog"]


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


def read_catalog(session: Session, schema: str | None, names: Collection[str]) -> Catalog:
    """Return what there is, with the columns of the tables in `names`."""
    is_postgresql = session.is_postgresql
    if is_postgresql:
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
    return Catalog(tables, frozenset(indexes), bool(rows) or not is_postgresql)
