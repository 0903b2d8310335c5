"""The section `sql` of a configuration."""

from __future__ import annotations

from pydantic import Field, SecretStr

from pipestat_spec.options import Options

__all__ = ["SqlOptions"]


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
    pool_size: int = Field(8, ge=1, description="how many connections a process has at most")
    pool_recycle: float = Field(
        1800.0, gt=0, description="seconds after which an idle connection is replaced"
    )
    connect_timeout: int = Field(8, ge=1, description="seconds that a first connection may take")
    patience: float = Field(
        30.0,
        ge=0,
        description="seconds to wait for a lock that another holds, or a server that was lost",
    )
