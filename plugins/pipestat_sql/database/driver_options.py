"""Options of the driver in the query of a URL: known by name, and of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.text.strings import nearest, shorten

__all__ = ["DEFAULTS", "check_driver_options", "driver_options"]

_PREPARE = "prepare_threshold"
# Those that libpq takes for text and reads as integers.
_INTEGERS = (
    _PREPARE,
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
# Statements that the server keeps prepared belong to a connection, and a pooler such as
# PgBouncer may run the next one on another (PS-SQL-019).
DEFAULTS: Mapping[str, Any] = {
    "application_name": "pipestat-spec",
    "client_encoding": "utf8",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    _PREPARE: None,
}


def check_driver_options(url: sa.URL, where: str) -> None:
    """Raise MissingConfigDataError for an option that the driver does not know, or cannot use."""
    from psycopg import pq

    known = {_PREPARE, *(option.keyword.decode() for option in pq.Conninfo.get_defaults())}
    for name, value in url.query.items():
        if name not in known:
            near = nearest(name, known)
            raise MissingConfigDataError(
                f"{where}: the driver has no option {shorten(name)!r}",
                hint=f"did you mean {near!r}?"
                if near
                else f"its options are those of libpq, and {_PREPARE}",
                key=name,
            )
        # Several hosts have several ports; all else is given once.
        if name not in ("host", "port") and not isinstance(value, str):
            raise MissingConfigDataError(f"{where}: the option {name!r} is given twice", key=name)
        if name in _INTEGERS and not str(value).isdecimal():
            raise MissingConfigDataError(
                f"{where}: the option {name!r} is {shorten(str(value))!r}, which is no number",
                hint="write a whole number, 0 or more",
                key=name,
            )


def driver_options(url: sa.URL) -> dict[str, Any]:
    """Return the options of a URL that was checked, and the defaults of those it does not name."""
    given = {name: int(str(url.query[name])) for name in _INTEGERS if name in url.query}
    return {**{name: value for name, value in DEFAULTS.items() if name not in url.query}, **given}
