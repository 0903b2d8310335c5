"""A fresh store for every vector."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["StoreError", "StoreFactory", "default_store", "template"]

# Returns the store of one vector, in a folder of its own; the name is unique in a run.
StoreFactory = Callable[[Path, str], Mapping[str, Any]]


class StoreError(Exception):
    """The description of the store cannot be used."""


def default_store(backend: str | None = None, profiles: Iterable[str] = ()) -> dict[str, Any]:
    """Return the store that a target gets when none is given.

    For a backend that is not known by name, the profiles that it claims decide.
    """
    layouts = {"yaml-layout", "sql-layout"} & set(profiles)
    if backend == "sql" or layouts == {"sql-layout"}:
        return {"url": "sqlite:///{tmp}/results.db"}
    return {"path": "{tmp}/results.yaml"}


def template(document: Any) -> StoreFactory:
    """Return a factory that fills in `{tmp}`, a fresh folder, and `{unique}`, a fresh name.

    Raises StoreError when neither occurs: all vectors would share one store.
    """
    if not isinstance(document, dict):
        raise StoreError("a store is a JSON object")
    if not _mentions(document):
        raise StoreError(
            "every vector needs a store of its own: put {tmp}, a fresh folder, "
            "or {unique}, a fresh name, into a value of the store"
        )
    return lambda folder, name: _filled(document, str(folder), _unique(folder, name))


def _mentions(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_mentions, value.values()))
    if isinstance(value, list):
        return any(map(_mentions, value))
    return isinstance(value, str) and ("{tmp}" in value or "{unique}" in value)


def _filled(value: Any, folder: str, unique: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, folder, unique) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, folder, unique) for item in value]
    if isinstance(value, str):
        return value.replace("{tmp}", folder).replace("{unique}", unique)
    return value


def _unique(folder: Path, name: str) -> str:
    # The folder differs from run to run, the name from vector to vector.
    return "c" + hashlib.sha256(f"{folder}\0{name}".encode()).hexdigest()[:15]
