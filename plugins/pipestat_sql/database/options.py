"""The section `sql` of a configuration."""

from __future__ import annotations

from pydantic import Field, SecretStr

from pipestat_spec.options import Options
from pipestat_sql.database.settings import SqlSettings

__all__ = ["SqlOptions"]

_DEFAULT = SqlSettings()


class SqlOptions(Options):
    """Where the database is, and how connections to it are kept."""

    url: SecretStr | None = Field(
        None,
        description="postgresql://user:password@host:port/name, sqlite:///path, or the absolute "
        "path of a SQLite file",
    )
    schema_: str | None = Field(
        None, alias="schema", min_length=1, max_length=63,
        description="PostgreSQL schema that holds the tables; made when it is missing",
    )  # fmt: skip
    pool_size: int = Field(
        _DEFAULT.pool_size, ge=1, description="how many connections a process has at most"
    )
    pool_recycle: float = Field(
        _DEFAULT.pool_recycle,
        gt=0,
        description="seconds after which an idle connection is replaced",
    )
    connect_timeout: int = Field(
        _DEFAULT.connect_timeout, ge=1, description="seconds that a first connection may take"
    )
    patience: float = Field(
        _DEFAULT.patience,
        ge=0,
        description="seconds to wait for a lock that another holds, or a server that was lost",
    )

    def settings(self) -> SqlSettings:
        """Return the same without pydantic."""
        return SqlSettings(
            None if self.url is None else self.url.get_secret_value(),
            self.schema_,
            self.pool_size,
            self.pool_recycle,
            self.connect_timeout,
            self.patience,
        )
