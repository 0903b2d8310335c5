"""The stores that are served, by their names in addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from pipestat_spec.errors import StoreNotFoundError
from pipestat_spec.logs import logger
from pipestat_spec.opening import (
    OpenedStore,
    meant_namespaces,
    meant_projects,
    open_store,
)
from pipestat_spec.places import settings_at
from pipestat_spec.store import Store

__all__ = ["Served", "open_stores"]


class Served(NamedTuple):
    """One store: its name in addresses, and how it was opened."""

    name: str
    opened: OpenedStore

    @property
    def store(self) -> Store:
        return self.opened.store

    @property
    def title(self) -> str:
        schema, settings = self.store.schema, self.store.settings
        title = (schema and schema.title) or self.store.namespace
        keeps_apart = settings.has_project and self.store.backend.keeps_projects_apart
        return f"{title} · {settings.project_name}" if keeps_apart else title

    def tag(self, *of: str) -> str | None:
        """Return the ETag of what the store holds now, in the form that `of` tells apart.

        None while the store cannot tell, such as shortly after a change. It has to be asked for
        before the store is read.
        """
        version = self.store.backend.version()
        if version is None:
            return None
        parts = (self.store.place or "", self.store.namespace, repr(version), *of)
        return f'W/"{sha256(chr(0).join(parts).encode(errors="replace")).hexdigest()[:32]}"'


def open_stores(places: Sequence[str], arguments: Mapping[str, Any]) -> list[Served]:
    """Open the stores that arguments of the command line name; without any the configured one.

    Raises StoreNotFoundError, and what opening raises; what was opened is closed then.
    """
    opened: list[OpenedStore] = []
    try:
        for place in places or (None,):
            opened += _open(place, arguments)
    except BaseException:
        for one in opened:
            one.store.close()
        raise
    return list(_named(opened))


def _open(place: str | None, arguments: Mapping[str, Any]) -> Iterator[OpenedStore]:
    config, given = settings_at(place, arguments)
    names = meant_namespaces(config, given)
    for name in names if len(names) > 1 else (None,):
        here = given if name is None else {**given, "pipeline_name": name}
        found = open_store(config, here)
        if projects := meant_projects(found):
            found.store.close()
            for project in projects:
                yield open_store(config, {**here, "project_name": project})
            continue
        try:
            found.check_exists()
        except StoreNotFoundError as missing:
            # The first report of a run makes the store that a configuration names.
            if place is not None and given.get("results_file_path") == place:
                found.store.close()
                raise
            logger().warning("%s: the page waits for them", missing.message)
        yield found


def _named(opened: Sequence[OpenedStore]) -> Iterator[Served]:
    """Give each store the name of its pipeline, and a number where several have it."""
    names = Counter[str]()
    for one in opened:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", one.store.namespace)
        names[name] += 1
        while names[name] > 1 and f"{name}-{names[name]}" in names:
            names[name] += 1
        full = name if names[name] == 1 else f"{name}-{names[name]}"
        names[full] = max(1, names[full])
        yield Served(full, one)
