"""Which records the objects of a template hold (spec/writers.md).

The identifier inside an object counts, as for local files. Of many objects, those are read
whose names do not tell: a name that decodes exactly can hold one record only, and holds it
unless the object belongs to another pipeline, to the project level, or was emptied.
"""

from __future__ import annotations

from typing import Any

from pipestat_spec.backend import StoreSettings
from pipestat_spec.logs import logger
from pipestat_spec.models.layout import Layout
from pipestat_spec.models.record import Level
from pipestat_yaml.records.layout_rules import LayoutRules
from pipestat_yaml.records.records import Records
from pipestat_yaml.remote.object_store import Listed, ObjectStore, StoredObject
from pipestat_yaml.remote.retries import Retries, fetch_many
from pipestat_yaml.text.name_template import NameTemplate
from pipestat_yaml.text.results_text import SectionKey, parse_text
from pipestat_yaml.text.spliced_text import open_text

__all__ = ["ObjectIndex", "emptied_size"]

# So many objects are read rather than trusted by their names.
READ_ANYWAY = 100


def emptied_size(namespace: str) -> int:
    """Return the most bytes of an object that we wrote and whose record was removed."""
    return max(len(_emptied(namespace, layout)) for layout in ("records", "levels"))


def _emptied(namespace: str, layout: Layout) -> bytes:
    place: tuple[SectionKey, str] = ("sample" if layout == "levels" else None, "x")
    data = b""
    records: tuple[dict[str, Any] | None, ...] = ({"n": 1}, None)
    for record in records:
        text = parse_text(data, "")
        data = b"".join(text.edited(namespace, layout, {place: record}) or ())
    return data


class ObjectIndex:
    """The objects of one template, asked anew each time."""

    def __init__(
        self, store: ObjectStore, template: str, settings: StoreSettings, patience: float
    ) -> None:
        self.names = NameTemplate(template)
        self._store = store
        self._settings = settings
        self._patience = patience
        self._warned: set[str] = set()

    def listed(self) -> list[Listed]:
        """Return the objects that the template could name."""
        with Retries(self._store.shown(self.names.prefix), self._patience) as retries:
            found = retries.reading(lambda: self._store.find(self.names.prefix))
        return [item for item in found if self.names.matches(item.key)]

    def names_of(self, level: Level, listed: list[Listed]) -> list[str]:
        """Return the records that may be there, in code-point order; all that are, are in it."""
        return self._identifiers(level, listed, read=())

    def present(self, level: Level, listed: list[Listed]) -> list[str]:
        """Return the records that are there, in code-point order."""
        unsure = [item.key for item in listed]
        if self.names_tell(level, listed):
            smallest = emptied_size(self._settings.namespace)
            unsure = [item.key for item in listed if item.size is None or item.size <= smallest]
        return self._identifiers(level, listed, read=unsure)

    def names_tell(self, level: Level, listed: list[Listed]) -> bool:
        """Tell whether a name that decodes exactly says that its record is there."""
        settings, schema = self._settings, self._settings.schema
        project = schema.levels.get("project") if schema else None
        return (
            len(listed) > READ_ANYWAY
            and level == "sample"
            and not settings.multi_namespaces
            and "levels" not in (settings.layout, settings.new_layout)
            and not (project and project.results)
        )

    def _identifiers(
        self, level: Level, listed: list[Listed], read: tuple[str, ...] | list[str]
    ) -> list[str]:
        to_read = set(read)
        found, keys = [], []
        for item in listed:
            name = None if item.key in to_read else self.names.identifier(item.key)
            if name is None:
                keys.append(item.key)
            else:
                found.append(name)
        for key, stored in fetch_many(self._store, keys, self._patience):
            records = self.held(key, stored)
            if records is not None:
                there = records.identifiers(level)
                own = [name for name in there if self.names.key(name) == key]
                found += own
                self._warn(key, [name for name in there if name not in own])
        return sorted(found)

    def held(self, key: str, stored: StoredObject | None) -> Records | None:
        """Return the records in an object; None when it has none of the namespace."""
        shown = self._store.shown(key)
        if stored is None:
            return None
        text = open_text(stored.data, shown)
        if self._settings.namespace not in text.keys:
            return None
        return Records(text, LayoutRules(self._settings, shown))

    def _warn(self, key: str, strangers: list[str]) -> None:
        if strangers and key not in self._warned:
            self._warned.add(key)
            logger().warning(
                "%s also holds record %r (%d in all), which belongs into another object",
                self._store.shown(key),
                strangers[0],
                len(strangers),
            )
