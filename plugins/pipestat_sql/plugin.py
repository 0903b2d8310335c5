"""The plugin's registration; imports its libraries when a store is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipestat_spec.backend import Backend, BackendFactory, StoreSettings
from pipestat_spec.plugins.hookspecs import hookimpl
from pipestat_spec.text.paths import absolute_path

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pipestat_sql.database.settings import SqlSettings

__all__ = ["SqlFactory", "register_backends"]

_ENDINGS = (".db", ".sqlite", ".sqlite3")
# Databases that are not supported are refused by name.
_DIALECTS = ("sqlite", "postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle")


class SqlFactory(BackendFactory):
    """Opens databases: PostgreSQL and SQLite."""

    name = "sql"
    implied_by = ("database",)

    def options_model(self) -> type[BaseModel]:
        from pipestat_sql.database.options import SqlOptions

        return SqlOptions

    def plain_options(self, section: Mapping[str, Any]) -> SqlSettings | None:
        """Take a section that names the database and says nothing else."""
        if section.keys() != {"url"} or not isinstance(section["url"], str):
            return None
        from pipestat_sql.database.settings import SqlSettings

        return SqlSettings(section["url"])

    def address(self, text: str, folder: str) -> Mapping[str, Any] | None:
        """Take `postgresql://...`, `sqlite:///PATH` and the path of a SQLite file."""
        scheme, colon, rest = text.partition(":")
        dialect = scheme.partition("+")[0] if colon else ""
        if dialect in _DIALECTS:
            is_file = dialect == "sqlite" and rest.startswith("///")
            path = rest.removeprefix("///").partition("?")[0] if is_file else ""
        else:
            path = text if "://" not in text and text.lower().endswith(_ENDINGS) else ""
        if path not in ("", ":memory:"):
            return {self.name: {"url": absolute_path(path, folder)}}
        return {self.name: {"url": text}} if dialect in _DIALECTS else None

    def nearest(self, settings: StoreSettings) -> str | None:
        """Return the path of a SQLite file beside one that is not there."""
        _require("sqlalchemy")
        from pipestat_spec.text.paths import nearest_path
        from pipestat_sql.database.addresses import database_url

        url = database_url(settings)
        return nearest_path(str(url.database)) if url.drivername == "sqlite" else None

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
        from pipestat_spec.installing import install_hint

        raise PipestatDependencyError(
            f"databases need the package {package}",
            hint=install_hint("pipestat-spec[sql]"),
            package=package,
        )


@hookimpl
def register_backends(register: Callable[[BackendFactory], None]) -> None:
    register(SqlFactory())
