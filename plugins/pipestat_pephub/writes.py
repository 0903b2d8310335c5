"""The one request that turns a sample into another, and how to see that it was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipestat_pephub.client import Client, Written
from pipestat_pephub.samples import RESULTS, Attributes, Found, Sample, difference
from pipestat_spec.json_values import same_value
from pipestat_spec.models.record import Record

__all__ = ["Add", "Nothing", "Patch", "Remove", "Write", "plan"]


@dataclass(frozen=True)
class Nothing:
    """The sample is already what it has to be."""

    sample: Sample

    def make(self, client: Client) -> Written:  # noqa: ARG002
        return Written.DONE

    @property
    def changes_results(self) -> bool:
        return False

    def is_stored_in(self, found: Sample | None) -> bool:
        return found is not None


@dataclass(frozen=True)
class Add:
    """A whole sample: a new one, or with `overwrite` in place of one."""

    name: str
    sample: Sample
    overwrite: bool = False

    def make(self, client: Client) -> Written:
        return client.add(self.name, self.sample, overwrite=self.overwrite)

    @property
    def changes_results(self) -> bool:
        return self.overwrite

    def is_stored_in(self, found: Sample | None) -> bool:
        if found is None or (self.overwrite and found.keys() != self.sample.keys()):
            return False
        return _holds(found, self.sample)


@dataclass(frozen=True)
class Patch:
    """Some attributes; `sample` is what they make of it."""

    name: str
    sample: Sample
    attributes: Mapping[str, Any]

    def make(self, client: Client) -> Written:
        return client.patch(self.name, self.attributes)

    @property
    def changes_results(self) -> bool:
        return RESULTS in self.attributes

    def is_stored_in(self, found: Sample | None) -> bool:
        return found is not None and _holds(found, self.attributes)


@dataclass(frozen=True)
class Remove:
    """No sample."""

    name: str
    sample: None = None

    def make(self, client: Client) -> Written:
        return client.delete(self.name)

    @property
    def changes_results(self) -> bool:
        return False

    def is_stored_in(self, found: Sample | None) -> bool:
        return found is None


def _holds(found: Sample, attributes: Mapping[str, Any]) -> bool:
    return all(
        name in found and same_value(found[name], value) for name, value in attributes.items()
    )


Write: TypeAlias = Nothing | Add | Patch | Remove


def plan(attributes: Attributes, found: Found, name: str, record: Record | None) -> Write:
    """Return the smallest request that stores `record`; the server can remove no attribute.

    Raises InvalidIdentifierError and ResultConflictError.
    """
    sample = attributes.changed(found, record)
    if sample is None:
        return Remove(name)
    if found.sample is None:
        return Add(name, sample)
    changed, some_gone = difference(found.sample, sample)
    if some_gone:
        return Add(name, sample, overwrite=True)
    return Patch(name, sample, changed) if changed else Nothing(sample)
