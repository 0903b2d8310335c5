"""How stores are served."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """What the command line says: see `pipestat-spec serve --help`.

    `folders` are real paths: files outside them are never served. `hosts` are the names of this
    server beside those of the machine itself, in lower case.
    """

    host: str = "127.0.0.1"
    port: int = 8001
    folders: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    root_path: str = ""
