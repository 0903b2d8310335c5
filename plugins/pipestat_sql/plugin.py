"""The plugin's registration; imports its libraries when a store is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["SqlFactory", "register_backends"]


class SqlFactory(BackendFactory):
    """Opens databases: PostgreSQL and SQLite."""

    name = "sql"
    implied_by = ("database",)

    def options_model(self) -> type[BaseModel]:
        from pipestat_sql.database.options import SqlOptions

        return SqlOptions

    def open(self, settings: StoreSettings) -> Backend:
        """Open the tables of a namespace; they are made when something is first written."""
        _require("sqlalchemy")
        from pipestat_sql.backend import SqlBackend

        return SqlBackend(settings)

    def namespaces(self, settings: StoreSettings) -> list[str]:
        """Return the namespaces that the database holds, in code-point order."""
        _require("sqlalchemy")
        from pipestat_sql.backend import list_namespaces

        return list_namespaces(settings)


def _require(package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        from pipestat_spec.errors import PipestatDependencyError

        raise PipestatDependencyError(
            f"databases need the package {package}",
            hint='pip install "pipestat-spec[sql]"',
            package=package,
        )


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(SqlFactory())
