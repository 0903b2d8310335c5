"""From settings to a database's URL (spec/configuration.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipestat_spec.backend import StoreSettings
from pipestat_spec.errors import MissingConfigDataError, PipestatDependencyError
from pipestat_spec.installing import install_hint
from pipestat_spec.text.paths import absolute_path, check_path
from pipestat_spec.text.strings import nearest, shorten
from pipestat_sql.database.driver_options import check_driver_options
from pipestat_sql.database.settings import settings_of

__all__ = ["database_url"]

# The names under which configurations ask for psycopg 3; pipestat's default is the older one.
_PSYCOPG = ("psycopg", "psycopg2", "psycopg3")
_POSTGRESQL = ("postgresql", "postgres")
_KEYS = ("dialect", "driver", "name", "user", "password", "host", "port", "sqlite_url")
_PATH_HINT = "sqlite:///relative/path or sqlite:////absolute/path"


def database_url(settings: StoreSettings) -> sa.URL:
    """Return the URL that `sql.url` or the mapping `database` names, checked and complete.

    Raises MissingConfigDataError, PipestatDependencyError; no error holds a password.
    """
    folder = settings.config_folder
    text = settings_of(settings.options).url
    if text is not None:
        is_path = os.path.isabs(text)
        url = _sqlite(text) if is_path else _parsed(text, "sql.url")
        return _checked(url, "sql.url", folder)
    database = settings.config.get("database")
    if not database:
        raise MissingConfigDataError(
            "the sql backend needs a database",
            hint="give 'database' with dialect, name, host, user and password, or sqlite_url",
        )
    for key in database:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            raise MissingConfigDataError(
                f"database: unknown key {shorten(key)!r}",
                hint=f"did you mean {near!r}?" if near else "keys are " + ", ".join(_KEYS),
                key=key,
            )
    if database.get("sqlite_url"):
        return _checked(_sqlite(str(database["sqlite_url"])), "database.sqlite_url", folder)
    return _checked(_from_parts(database), "database", folder)


def _sqlite(text: str) -> sa.URL:
    if "://" in text:
        return _parsed(text, "database.sqlite_url")
    return sa.URL.create("sqlite", database=text)


def _parsed(text: str, where: str) -> sa.URL:
    try:
        url = sa.make_url(text)
        url.get_backend_name()
    # Whatever is wrong with it: the text holds the password, and so may the exception.
    except Exception:  # noqa: BLE001
        url = None
    if url is None:
        raise MissingConfigDataError(
            f"{where} is not a database URL",
            hint="write postgresql://user:password@host:port/name or " + _PATH_HINT,
        )
    if text.count("@") > 1:
        # What follows is a part of the password that would show up in errors about the host.
        raise MissingConfigDataError(
            f"{where}: user or password holds an unescaped '@'", hint="write %40 instead"
        )
    return url


def _from_parts(database: Mapping[str, Any]) -> sa.URL:
    dialect = str(database.get("dialect") or "postgresql")
    driver = database.get("driver")
    if not database.get("name"):
        raise MissingConfigDataError(
            "database: the key 'name' is missing",
            hint="it names the database on the server; for SQLite give sqlite_url",
        )
    port = database.get("port")
    if port is not None and not str(port).isdecimal():
        raise MissingConfigDataError(f"database: port {shorten(port)!r} is not a number")
    password: Any = database.get("password")
    if hasattr(password, "get_secret_value"):
        password = password.get_secret_value()
    if dialect == "sqlite":
        return sa.URL.create("sqlite", database=str(database["name"]))
    user, host = database.get("user"), database.get("host")
    return sa.URL.create(
        f"{dialect}+{driver}" if driver else dialect,
        username=None if user is None else str(user),
        password=None if password is None else str(password),
        host=None if host is None else str(host),
        port=None if port is None else int(port),
        database=str(database["name"]),
    )


def _checked(url: sa.URL, where: str, folder: str) -> sa.URL:
    dialect, _, driver = url.drivername.partition("+")
    if dialect == "sqlite":
        return _sqlite_path(url, where, folder)
    if dialect not in _POSTGRESQL:
        raise MissingConfigDataError(
            f"{where}: databases of dialect {shorten(dialect)!r} are not supported",
            hint="use postgresql or sqlite",
            dialect=dialect,
        )
    if driver and driver not in _PSYCOPG:
        raise MissingConfigDataError(
            f"{where}: the driver {shorten(driver)!r} is not supported",
            hint="leave it out or write driver: psycopg",
            driver=driver,
        )
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise PipestatDependencyError(
            "PostgreSQL needs the package psycopg",
            hint=install_hint("pipestat-spec[sql]"),
            package="psycopg",
        ) from None
    check_driver_options(url, where)
    return url.set(drivername="postgresql+psycopg")


def _sqlite_path(url: sa.URL, where: str, folder: str) -> sa.URL:
    path = url.database
    if not path or path == ":memory:" or url.host:
        raise MissingConfigDataError(
            f"{where}: the path of a SQLite file is missing", hint="write " + _PATH_HINT
        )
    check_path(where, path)
    return sa.URL.create("sqlite", database=absolute_path(path, folder))
