"""What the plugin's options say, without the library that checks them: it takes long to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["SqlSettings", "settings_of"]


@dataclass(frozen=True, slots=True)
class SqlSettings:
    """Where the database is, and how connections to it are kept; see `SqlOptions`."""

    url: str | None = field(default=None, repr=False)
    schema: str | None = None
    pool_size: int = 8
    pool_recycle: float = 1800.0
    connect_timeout: int = 8
    patience: float = 30.0


def settings_of(options: Any) -> SqlSettings:
    """Return what the options of a store say, `SqlOptions` or settings; None says nothing."""
    if options is None:
        return SqlSettings()
    found: SqlSettings = options if isinstance(options, SqlSettings) else options.settings()
    return found
