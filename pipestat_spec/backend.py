"""The contract between the domain and a store.

A backend stores the records of one namespace. It decides nothing: it hands the current
record to a pure function and stores what comes back. The rules of reporting, overwriting,
validating, history and status live in `pipestat_spec.domain`, once.

Five methods make a backend. The others have a default that is right and slow, made of the
five; a backend overrides those that it can do better, and answers exactly as the default.

Guarantees that an implementation signs by claiming the capability (spec/core.md):

- **atomicity** (always): `update` stores all of an outcome or nothing. A refused change
  (the function raises) leaves the store as it was.
- **isolation** (`concurrent-writers`): between the moment when the current record is read
  and the moment when the outcome is stored, no other writer changes that record; nobody
  fails because another one writes.
- **durability** (`durable`): when `update` has returned, the outcome survives the death of
  the process.
- **batches** (`atomic-batch`): `update_many` stores all of its outcomes or none.
- **readers** never see half of an outcome and take no lock.
- **ordering**: `scan` goes by Unicode code point of the identifier.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from time import time_ns
from typing import TYPE_CHECKING, Any

from pipestat_spec.errors import MissingConfigDataError, UnsupportedOperation
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.capability import Capability
from pipestat_spec.models.change import Change, Outcome, Transition
from pipestat_spec.models.layout import LAYOUTS, Layout
from pipestat_spec.models.record import (
    DEFAULT_PROJECT_NAME,
    LEVELS,
    HistoryEntry,
    HistoryLimit,
    Level,
    Record,
    RecordKey,
)
from pipestat_spec.text.paths import working_folder

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel

    from pipestat_spec.models.query import Filter, Page, Query, TimeColumn
    from pipestat_spec.models.schema.output_schema import OutputSchema
    from pipestat_spec.models.schema.status_schema import StatusSchema

# Nanoseconds: network file systems may have whole seconds.
_SETTLED = 2_000_000_000
# From so many changes on, one look at all records in between costs less than one at each.
_MANY = 100

__all__ = [
    "Backend",
    "BackendFactory",
    "Capability",
    "Change",
    "Outcome",
    "StoreSettings",
    "Transition",
    "settled",
]


def settled(*times: int) -> bool:
    """Tell whether files that were changed at these times (ns) can be told from what they become.

    Within one tick of the system's clock a second change leaves no trace. For `Backend.version`.
    """
    return max(times, default=0) < time_ns() - _SETTLED


class Backend(ABC):
    """A store for the records of one namespace; see the module for its promises.

    Its attributes are set before it is used and stay as they are.
    """

    capabilities: frozenset[Capability]
    """What the store promises."""
    refused_identifiers: str | None = None
    """A regular expression, searched for in record identifiers: those that the store cannot hold
    and that are refused for it (spec/core.md). None: it holds all."""
    keeps_projects_apart: bool = False
    """Whether records of one name that two projects have are two records."""
    file: str | None = None
    """Where the results are, for people and for the paths of files; None for none."""

    @property
    def url(self) -> str | None:
        """The address of a database, without its password; None for other stores."""
        return None

    @property
    def layout(self) -> str | None:
        """The layout that the namespace has; None while it has none, or where there are none."""
        return None

    @abstractmethod
    def read(self, key: RecordKey) -> Record | None:
        """Return the record as last acknowledged, or None."""

    @abstractmethod
    def update(self, key: RecordKey, change: Change) -> Transition:
        """Replace the record by what `change` makes of it, atomically.

        `change` may be called more than once, each time with a fresh current record; what it
        raises passes through and nothing is stored. Return the record that the last call got
        and the one that is stored now: the same object when nothing was stored.
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

    # Optional: what a backend can do better than this

    def exists(self) -> bool:
        """Tell whether the namespace was ever written: reading what is not there is a mistake.

        By default it was when it holds a record; a store that can tell one that holds none any
        more from one that is not there says so.
        """
        return any(True for level in LEVELS for _ in self.scan(level, limit=1))

    def update_many(self, changes: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Make several changes, those of one record in their order.

        With the capability `atomic-batch` all are stored or none. By default, and without it,
        each is an `update` of its own: what was stored before one is refused stays.
        """
        return [self.update(key, change) for key, change in changes]

    def rehearse(self, changes: Sequence[tuple[RecordKey, Change]]) -> None:
        """Hand each change the record that it would get, and store nothing.

        What the changes raise passes through, and so does what the store would refuse. By
        default one `read` for each, or one `scan` for many.
        """
        if len(changes) < _MANY:
            for key, change in changes:
                change(self.read(key))
            return
        records: dict[RecordKey, Record] = {}
        for level in {key.level for key, _ in changes}:
            names = {key.identifier for key, _ in changes if key.level == level}
            first, last = RecordKey(level, min(names)), max(names)
            found = takewhile(
                lambda record: record.key.identifier <= last,  # noqa: B023 (used at once)
                self.scan(level, after=first.identifier),
            )
            records |= {record.key: record for record in found if record.key.identifier in names}
            if (record := self.read(first)) is not None:
                records[first] = record
        for key, change in changes:
            change(records.get(key))

    def count(self, level: Level) -> int:
        """Return how many records a level has. By default all are read."""
        return sum(1 for _ in self.scan(level))

    def select(self, query: Query) -> Page:
        """Return a page of the records that match (spec/queries.md). By default all are read.

        Raises FilterSyntaxError.
        """
        from pipestat_spec.domain.query import select

        return select(self.scan(query.level), query)

    def matching(
        self, level: Level, where: Filter, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records that match as `scan` yields all. By default all are read.

        Raises FilterSyntaxError.
        """
        from pipestat_spec.domain.filters import compile_filter

        found = filter(compile_filter(where), self.scan(level, after=after))
        return islice(found, limit)

    def distinct(self, level: Level, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered.

        By default all records are read.
        """
        from pipestat_spec.domain.query import distinct

        return distinct(self.scan(level), columns)

    def recent(
        self,
        level: Level,
        *,
        limit: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        time_column: TimeColumn = "modified",
        cursor: str | None = None,
    ) -> Page:
        """Return a page of records by time, newest first, within `start` and `end` inclusive.

        By default all records are read. Raises FilterSyntaxError.
        """
        from pipestat_spec.domain.query import recent

        return recent(self.scan(level), limit, start, end, time_column, cursor)

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one, in the order of `scan`.

        By default one `history` for each record.
        """
        for record in self.scan(level):
            if entries := list(self.history(record.key)):
                yield record.key, entries

    def prune(self, level: Level, limit: HistoryLimit) -> int:  # noqa: ARG002
        """Remove the entries of all histories that `domain.history.expired` tells; return how many.

        A record changes in no other way. By default it is refused (UnsupportedOperation).
        """
        raise UnsupportedOperation(
            "this kind of store keeps all of its history",
            hint="'pipestat-spec convert --no-history' copies the store without it",
        )

    def version(self) -> object | None:
        """Return what tells that nothing has changed: as long as it is equal, reads answer alike.

        It costs little, and is another one when there is doubt. None, the default: the store
        cannot tell.
        """
        return None

    def lacking_indexes(self) -> list[str]:
        """Return the indexes that would make searches faster, for people; by default none."""
        return []

    def make_indexes(self) -> list[str]:
        """Make the indexes that the store lacks, and return them; by default nothing."""
        return []

    def projects(self) -> list[str]:
        """Return the projects that the store holds, in code-point order.

        By default they are the records of the project level.
        """
        if Capability.PROJECT_LEVEL not in self.capabilities:
            return []
        return [record.key.identifier for record in self.scan("project")]


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
    layout: Layout | None = None
    new_layout: Layout | None = None
    multi_namespaces: bool = False
    unsafe_writes: bool = False
    base_folder: str = field(default_factory=working_folder)
    config_folder: str = field(default_factory=working_folder)
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    options: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.layout not in (None, *LAYOUTS):
            raise MissingConfigDataError(
                f"layout {self.layout!r} is not known", hint="use 'records' or 'levels'"
            )

    @property
    def has_project(self) -> bool:
        """Whether a project's name is configured."""
        return self.project_name != DEFAULT_PROJECT_NAME or "project_name" in self.config

    def layout_of_new(self, level: Level = "sample") -> Layout:
        """Return the layout of a namespace that gets its first record, at `level` (PS-YAML-004)."""
        if self.layout is not None:
            return self.layout
        if self.new_layout is not None:
            return self.new_layout
        project = self.schema.levels.get("project") if self.schema else None
        return "levels" if level == "project" or (project and project.results) else "records"


class BackendFactory(ABC):
    """What a plugin registers: a name, the configuration keys that imply it, and `open`."""

    name: str
    """What `backend:` in a configuration calls it."""
    implied_by: tuple[str, ...] = ()
    """The configuration keys that mean this backend where none is named."""

    def options_model(self) -> type[BaseModel] | None:
        """Return the pydantic model of the `NAME:` section; imported here, not before."""
        return None

    def plain_options(self, section: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Return the options of a section that needs no check, None for any other.

        A model takes long to import, and the section of an address says one thing. By default None.
        """
        return None

    def address(self, text: str, folder: str) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return the settings that an address of such a store stands for, None for other texts.

        Their keys are those of the configuration, and the factory's name with what its section
        is to say. Relative paths refer to `folder`. It is asked with every path too, and looks
        at nothing but the text. By default it takes none: what no factory takes is the path or
        the URL of a results file.
        """
        return None

    def nearest(self, settings: StoreSettings) -> str | None:  # noqa: ARG002
        """Return the address of a store that is there and that one that is not may mean, or None.

        For a hint; by default None.
        """
        return None

    def namespaces(self, settings: StoreSettings) -> list[str]:  # noqa: ARG002
        """Return the namespaces that a store holds, in code-point order; none where none can tell.

        The namespace of the settings does not count.
        """
        return []

    @abstractmethod
    def open(self, settings: StoreSettings) -> Backend:
        """Open the store; raises PipestatStartupError when it cannot be used."""
