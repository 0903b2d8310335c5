"""The contract between the domain and a store.

A backend stores the records of one namespace. It decides nothing: it hands the current
record to a pure function and stores what comes back. The rules of reporting, overwriting,
validating, history and status live in `pipestat_spec.domain`, once.

Guarantees that an implementation signs by claiming the capability (SPEC.md section 14):

- **atomicity** (always): `update` stores all of an outcome or nothing. A refused change
  (the function raises) leaves the store as it was.
- **isolation** (`concurrent-writers`): between the moment when the current record is read
  and the moment when the outcome is stored, no other writer changes that record; nobody
  fails because another one writes.
- **durability** (`durable`): when `update` has returned, the outcome survives the death of
  the process.
- **readers** never see half of an outcome and take no lock.
- **ordering**: `scan` goes by Unicode code point of the identifier.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from pipestat_spec.models.record import (
    DEFAULT_PROJECT_NAME,
    HistoryEntry,
    JSONValue,
    Level,
    Record,
    RecordKey,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel

    from pipestat_spec.models.query import Page, Query, TimeColumn
    from pipestat_spec.models.schema.output_schema import OutputSchema
    from pipestat_spec.models.schema.status_schema import StatusSchema

__all__ = [
    "Backend",
    "BackendFactory",
    "Capability",
    "Change",
    "CountsRecords",
    "FindsDistinct",
    "ListsNamespaces",
    "ListsProjects",
    "ListsRecent",
    "Outcome",
    "ReadsHistories",
    "SelectsRecords",
    "StoreSettings",
    "UpdatesInTurn",
    "UpdatesMany",
]


class Capability(StrEnum):
    """The closed list of SPEC.md section 15."""

    CONCURRENT_WRITERS = "concurrent-writers"
    DURABLE = "durable"
    HISTORY = "history"
    STATUS = "status"
    TIMES = "times"
    SOURCE = "source"
    NATIVE_QUERY = "native-query"
    ATOMIC_BATCH = "atomic-batch"
    PROJECT_LEVEL = "project-level"
    MULTI_NAMESPACE = "multi-namespace"
    EXACT_INTEGERS = "exact-integers"


class Outcome(NamedTuple):
    """What a change decided: the record to store (None deletes it) and history to append.

    An outcome whose record *is* the current record (the same object) stores nothing.
    """

    record: Record | None
    history: tuple[HistoryEntry, ...] = ()


Change: TypeAlias = Callable[[Record | None], Outcome]


class Backend(ABC):
    """A store for the records of one namespace; see the module for its promises."""

    capabilities: frozenset[Capability]
    # A regular expression, searched for in record identifiers: those that the store cannot
    # hold and that are refused for it (SPEC.md section 3.2). None: it holds all.
    refused_identifiers: str | None = None

    @abstractmethod
    def read(self, key: RecordKey) -> Record | None:
        """Return the record as last acknowledged, or None."""

    @abstractmethod
    def update(self, key: RecordKey, change: Change) -> Record | None:
        """Replace the record by what `change` makes of it, atomically; return the new record.

        `change` may be called more than once, each time with a fresh current record. What
        it raises passes through and nothing is stored.
        """

    @abstractmethod
    def scan(
        self, level: Level, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield records in code-point order of their identifiers, those after `after` only."""

    @abstractmethod
    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        """Yield the record's history, oldest first; nothing for an unknown record."""

    @abstractmethod
    def close(self) -> None:
        """Release what the backend holds; a second call does nothing."""


@runtime_checkable
class SelectsRecords(Protocol):
    """A backend that answers queries itself, with exactly the in-memory answers."""

    def select(self, query: Query) -> Page: ...


@runtime_checkable
class UpdatesMany(Protocol):
    """A backend that applies several changes in one atomic write."""

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Record | None]: ...


@runtime_checkable
class UpdatesInTurn(Protocol):
    """A backend that makes many changes, one after the other, with less effort than one by one.

    `rehearse` hands each change the record that it would get, and stores nothing.
    """

    def update_in_turn(
        self, changes: Sequence[tuple[RecordKey, Change]]
    ) -> list[Record | None]: ...

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None: ...


@runtime_checkable
class ReadsHistories(Protocol):
    """A backend that reads the history of all records at once.

    Records without history are left out; the order is that of `scan`.
    """

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]: ...


@runtime_checkable
class CountsRecords(Protocol):
    """A backend that counts without reading the records."""

    def count(self, level: Level) -> int: ...


@runtime_checkable
class FindsDistinct(Protocol):
    """A backend that finds distinct values itself, ordered as the domain orders them."""

    def distinct(self, level: Level, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]: ...


@runtime_checkable
class ListsRecent(Protocol):
    """A backend that lists records by time itself, with exactly the in-memory answers."""

    def recent(
        self,
        level: Level,
        *,
        limit: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        time_column: TimeColumn = "modified",
        cursor: str | None = None,
    ) -> Page: ...


@runtime_checkable
class ListsProjects(Protocol):
    """A backend that holds several projects and can name them, in code-point order."""

    def projects(self) -> list[str]: ...


@runtime_checkable
class ListsNamespaces(Protocol):
    """A backend factory that can tell which namespaces a store already holds."""

    def namespaces(self, settings: StoreSettings) -> list[str]: ...


@dataclass(frozen=True)
class StoreSettings:
    """What a factory gets to open a store.

    `config` holds the core's configuration keys with paths made absolute; `options` is
    the validated `NAME:` section (None when the plugin has no options model);
    `base_folder` is what relative paths of files refer to when the store has no folder,
    `config_folder` what relative paths inside `options` and mappings of `config` refer to.
    `layout` is what the configuration says; without it a new namespace gets `new_layout`, and
    without both what the output schema asks for.
    """

    namespace: str
    statuses: StatusSchema
    project_name: str = DEFAULT_PROJECT_NAME
    schema: OutputSchema | None = None
    layout: str | None = None
    new_layout: str | None = None
    multi_namespaces: bool = False
    unsafe_writes: bool = False
    base_folder: str = field(default_factory=os.getcwd)
    config_folder: str = field(default_factory=os.getcwd)
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    options: Any = field(default=None, repr=False)


class BackendFactory(ABC):
    """What a plugin registers: a name, the configuration keys that imply it, and `open`."""

    name: str
    implied_by: tuple[str, ...] = ()

    def options_model(self) -> type[BaseModel] | None:
        """Return the pydantic model of the `NAME:` section; imported here, not before."""
        return None

    @abstractmethod
    def open(self, settings: StoreSettings) -> Backend:
        """Open the store; raises PipestatStartupError when it cannot be used."""
