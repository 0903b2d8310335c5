"""Connections to a PostgreSQL server, and whether a pooler gives them (PS-SQL-019, PS-SQL-020)."""

from __future__ import annotations

from typing import Any

__all__ = ["Server", "milliseconds"]

_KEPT = "SELECT (extract(epoch FROM current_setting('lock_timeout')::interval) * 1000)::int"


def milliseconds(seconds: float) -> int:
    """Return a time as PostgreSQL's settings have it, where 0 means for ever."""
    return max(1, min(int(seconds * 1000), 2**31 - 1))


class Server:
    """What is known of a server; `patience` bounds the wait of a statement for each lock.

    `is_pooled` says that connections do not keep that, so that it has to be said in each
    transaction: poolers refuse such a setting, or pass over it.
    """

    def __init__(self, patience: float) -> None:
        self._bound = milliseconds(patience)
        self.is_pooled = False

    def connect(
        self, _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> Any:
        """Return a connection, for SQLAlchemy's event `do_connect`."""
        import psycopg

        if not self.is_pooled:
            bound = f"{options.get('options', '')} -c lock_timeout={self._bound}".strip()
            try:
                connection = psycopg.connect(*arguments, **{**options, "options": bound})
            except psycopg.OperationalError as error:
                if "startup parameter" not in str(error):
                    raise
            else:
                connection.autocommit = True
                [(kept,)] = connection.execute(_KEPT).fetchall()
                self.is_pooled = kept != self._bound
                return connection
        self.is_pooled = True
        return psycopg.connect(*arguments, **options)
