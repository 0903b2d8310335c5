"""Which database it is: its dialect by SQLAlchemy's name."""

from __future__ import annotations

from pipestat_sql.queries.dialects import Dialect

__all__ = ["dialect_of"]


def dialect_of(name: str) -> Dialect:
    """Return the database of that name in SQLAlchemy."""
    if name == "sqlite":
        from pipestat_sql.queries.sqlite import SQLite

        return SQLite()
    from pipestat_sql.queries.postgresql import PostgreSQL

    return PostgreSQL()
