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


# A schema of many, or of a server with many tables: pg_class has no index of schemas, and what a
# schema holds depends on it.
_POSTGRESQL = """
WITH schema AS (
  SELECT oid FROM pg_namespace WHERE nspname = coalesce(%s, current_schema())
), found AS (
  SELECT c.oid, c.relname, c.relkind
  FROM schema s JOIN pg_depend d
    ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = s.oid
    AND d.classid = 'pg_class'::regclass
  JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
), columns AS (
  SELECT f.oid, f.relname, f.relkind, a.attnum, a.attname,
    format_type(a.atttypid, a.atttypmod) AS type
  FROM found f LEFT JOIN pg_attribute a
    ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped AND f.relname = ANY(%s)
  UNION ALL
  SELECT i.oid, i.relname, i.relkind, NULL, NULL, NULL
  FROM found f JOIN pg_index x ON x.indrelid = f.oid JOIN pg_class i ON i.oid = x.indexrelid
)
SELECT c.relname, c.relkind, c.attname, c.type
FROM schema LEFT JOIN columns c ON true
ORDER BY c.oid, c.attnum
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
        rows = session.execute(_POSTGRESQL, (schema, list(names))).fetchall()
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
