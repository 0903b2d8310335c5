"""One opened store: the operations of the specification over a backend.

`Store` joins the domain's rules to a backend and tells observers what happened. It knows
no defaults and no return shapes of older interfaces: those are `PipestatManager`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pipestat_spec.backend import (
    Backend,
    Capability,
    Change,
    CountsRecords,
    FindsDistinct,
    ListsProjects,
    ListsRecent,
    Outcome,
    SelectsRecords,
    StoreSettings,
    UpdatesInTurn,
    UpdatesMany,
)
from pipestat_spec.domain import changes
from pipestat_spec.domain.results import prepare_results
from pipestat_spec.domain.stored_numbers import StoredNumbers
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import (
    InvalidIdentifierError,
    InvalidValueError,
    RecordNotFoundError,
    UnsupportedOperation,
)
from pipestat_spec.logs import logger
from pipestat_spec.models.identifiers import check_record_identifier
from pipestat_spec.models.record import LEVELS, HistoryEntry, JSONValue, Level, Record, RecordKey
from pipestat_spec.plugins.hookspecs import RecordEvent
from pipestat_spec.plugins.observers import notify
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from pipestat_spec.domain.query import TimeColumn
    from pipestat_spec.models.query import Page, Query
    from pipestat_spec.models.schema.output_schema import LevelSchema

__all__ = ["CheckedChanges", "Store"]


class CheckedChanges:
    """Makes the changes of one namespace, every one checked before a record is read.

    `validate` tells whether values are checked against the output schema;
    `additional_properties` takes the place of the schema's own when it is not None.
    """

    def __init__(
        self,
        backend: Backend,
        settings: StoreSettings,
        *,
        validate: bool,
        additional_properties: bool | None = None,
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.validate = validate
        self.additional_properties = additional_properties
        self._warned: set[str] = set()

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    def level_schema(self, level: Level) -> LevelSchema | None:
        """Return what the output schema says of a level, or None without a schema."""
        return self.settings.schema.levels[level] if self.settings.schema else None

    def require(self, capability: Capability, operation: str) -> None:
        """Raise UnsupportedOperation unless the backend claims `capability`."""
        if capability not in self.backend.capabilities:
            raise UnsupportedOperation(
                f"{operation} needs the capability '{capability}', "
                f"which this backend does not offer",
                hint="choose another backend ('pipestat-spec plugins' lists them)",
                capability=str(capability),
            )

    def report_change(
        self,
        key: RecordKey,
        values: Mapping[str, object],
        *,
        overwrite: bool,
        history: bool = True,
        strict: bool = True,
        status: str | None = None,
        status_message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> Change:
        """Return the checked change that `report` makes, to be applied with others."""
        self._check_key(key)
        plain_source = self._canonical_source(source)
        if status_message is not None and status is None:
            raise InvalidValueError(
                "a status message is given without a status", hint="give the status as well"
            )
        prepared = prepare_results(
            values,
            self.level_schema(key.level) if self.validate else None,
            strict=strict,
            additional_properties=self.additional_properties,
        )
        self._warn_undeclared(prepared.undeclared)
        steps: list[Change] = []
        if prepared.values:
            keep_history = history and Capability.HISTORY in self.backend.capabilities
            steps.append(
                changes.report_results(
                    key,
                    prepared.values,
                    overwrite=overwrite,
                    history=keep_history,
                    source=plain_source,
                )
            )
        if status is not None:
            steps.append(self.status_change(key, status, status_message, plain_source))
        return changes.in_turn(*steps)

    def status_change(
        self,
        key: RecordKey,
        status: str,
        message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> Change:
        """Return the checked change that `set_status` makes, to be applied with others."""
        self._check_key(key)
        self.settings.statuses.check(status)
        plain_source = self._canonical_source(source)
        plain_message = None if message is None else str(canonical(message, "status message"))
        self.require(Capability.STATUS, "setting a status")
        if plain_message is not None:
            self.require(Capability.SOURCE, "keeping a status message")
        return changes.set_status(key, status, message=plain_message, source=plain_source)

    def _canonical_source(self, source: Mapping[str, object] | None) -> dict[str, JSONValue] | None:
        """Return a source to store; raises InvalidValueError unless it is an object."""
        if source is None:
            return None
        self.require(Capability.SOURCE, "keeping a source")
        plain = canonical(source, "source")
        if isinstance(plain, dict):
            return plain
        raise InvalidValueError(
            f"source: {shorten(repr(source))} is not an object",
            hint="map names such as engine, run, rule and task to their values",
        )

    def _check_key(self, key: RecordKey) -> RecordKey:
        self._check_level(key.level)
        identifier = check_record_identifier(key.identifier)
        refused = self.backend.refused_identifiers
        if refused is not None and re.search(refused, identifier):
            raise InvalidIdentifierError(
                f"this store cannot hold a record called {shorten(identifier)!r}",
                hint="choose another identifier, or another store",
                identifier=identifier,
            )
        return key

    def _check_level(self, level: Level) -> None:
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is not one of {', '.join(LEVELS)}")
        if level == "project":
            self.require(Capability.PROJECT_LEVEL, "the project level")

    def _warn_undeclared(self, undeclared: Mapping[str, str | None]) -> None:
        for name, near in undeclared.items():
            if name not in self._warned:
                self._warned.add(name)
                hint = f"; did you mean {near!r}?" if near else ""
                logger().warning("result %r is not in the output schema%s", name, hint)


class Store(CheckedChanges):
    """The records of one namespace, with every rule of the specification applied."""

    @cached_property
    def _numbers(self) -> StoredNumbers:
        schema = self.settings.schema if self.validate else None
        return StoredNumbers(schema, self.additional_properties)

    # Writing

    def report(
        self,
        key: RecordKey,
        values: Mapping[str, object],
        *,
        overwrite: bool,
        history: bool = True,
        strict: bool = True,
        status: str | None = None,
        status_message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> Record | None:
        """Store all `values` of a record or none, and its status when one is given.

        Raises ResultConflictError, and what `prepare_results` raises.
        """
        change = self.report_change(
            key,
            values,
            overwrite=overwrite,
            history=history,
            strict=strict,
            status=status,
            status_message=status_message,
            source=source,
        )
        return self.apply([(key, change)])[0]

    def set_status(
        self,
        key: RecordKey,
        status: str,
        message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> None:
        """Give a record a status; raises UnrecognizedStatusError."""
        self.apply([(key, self.status_change(key, status, message, source))])

    def clear_status(self, key: RecordKey) -> str | None:
        """Take a record's status away; return what it was, or None."""
        self._check_key(key)
        self.require(Capability.STATUS, "clearing a status")
        before: list[Record | None] = []
        change = changes.clear_status()

        def remember(current: Record | None) -> Outcome:
            before[:] = [current]
            return change(current)

        self.apply([(key, remember)])
        return before[0].status if before[0] else None

    def remove_result(self, key: RecordKey, result: str) -> None:
        """Remove one result; raises RecordNotFoundError when it is not stored."""
        self._check_key(key)
        self.apply([(key, changes.remove_result(key, result))])

    def remove_record(self, key: RecordKey) -> None:
        """Remove a record; raises RecordNotFoundError when it is not stored."""
        self._check_key(key)
        self.apply([(key, changes.remove_record(key))])

    def apply(self, todo: Sequence[tuple[RecordKey, Change]]) -> list[Record | None]:
        """Make the changes, in one atomic write where the backend can, and tell observers."""
        before: dict[int, Record | None] = {}

        def watched(number: int, key: RecordKey, change: Change) -> Change:
            adapted = self._numbers.change(key.level, change)

            def watch(current: Record | None) -> Outcome:
                before[number] = current
                return adapted(current)

            return watch

        observed = [(key, watched(i, key, change)) for i, (key, change) in enumerate(todo)]
        if len(observed) > 1 and isinstance(self.backend, UpdatesMany):
            after = self.backend.update_many(observed)
        elif len(observed) > 1 and isinstance(self.backend, UpdatesInTurn):
            after = self.backend.update_in_turn(observed)
        else:
            after = [self.backend.update(key, change) for key, change in observed]
        for i, ((key, _), record) in enumerate(zip(todo, after, strict=True)):
            if before.get(i) is not record:
                event = RecordEvent(
                    self.namespace, key, self._adapted(before.get(i)), self._adapted(record)
                )
                notify(event)
        return [self._adapted(record) for record in after]

    def rehearse(self, todo: Sequence[tuple[RecordKey, Change]]) -> None:
        """Hand each change the record that it would get, and store nothing.

        What the changes raise passes through.
        """
        adapted = [(key, self._numbers.change(key.level, change)) for key, change in todo]
        if isinstance(self.backend, UpdatesInTurn):
            self.backend.rehearse(adapted)
        else:
            for key, change in adapted:
                change(self.backend.read(key))

    def _adapted(self, record: Record | None) -> Record | None:
        return record and self._numbers.record(record)

    # Reading

    def read(self, key: RecordKey) -> Record | None:
        """Return a record, or None when it is not stored."""
        return self._adapted(self.backend.read(self._check_key(key)))

    def get(self, key: RecordKey) -> Record:
        """Return a record; raises RecordNotFoundError that names the nearest one."""
        record = self.read(key)
        if record is None:
            raise RecordNotFoundError(
                f"record {key.identifier!r} is not stored at {key.level} level "
                f"of {self.namespace!r}",
                record_identifier=key.identifier,
            )
        return record

    def scan(self, level: Level, after: str | None = None) -> Iterator[Record]:
        """Yield the records of a level in code-point order of their identifiers."""
        self._check_level(level)
        return self._numbers.records(level, self.backend.scan(level, after=after))

    def select(self, query: Query) -> Page:
        """Return the records that match, a page at a time."""
        self._check_level(query.level)
        schema = self.level_schema(query.level)
        if query.where is not None and schema is not None and schema.results:
            from pipestat_spec.domain.filters import unknown_fields

            self._warn_undeclared(unknown_fields(query.where, schema.results))
        if isinstance(self.backend, SelectsRecords):
            return self._numbers.page(query.level, self.backend.select(query))
        from pipestat_spec.domain.query import select

        return select(self.scan(query.level), query)

    def distinct(self, level: Level, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered."""
        self._check_level(level)
        if isinstance(self.backend, FindsDistinct):
            return self._numbers.rows(level, columns, self.backend.distinct(level, columns))
        from pipestat_spec.domain.query import distinct

        return distinct(self.scan(level), columns)

    def recent(
        self,
        level: Level,
        *,
        limit: int | None,
        start: datetime | None,
        end: datetime | None,
        time_column: TimeColumn,
        cursor: str | None = None,
    ) -> Page:
        """Return the records by time, newest first, within `start` and `end` inclusive."""
        self._check_level(level)
        self.require(Capability.TIMES, "listing by time")
        if isinstance(self.backend, ListsRecent):
            page = self.backend.recent(
                level,
                limit=limit,
                start=start,
                end=end,
                time_column=time_column,
                cursor=cursor,
            )
            return self._numbers.page(level, page)
        from pipestat_spec.domain.query import recent

        return recent(self.scan(level), limit, start, end, time_column, cursor)

    def history(self, key: RecordKey) -> list[HistoryEntry]:
        """Return the history of a record, oldest first; raises RecordNotFoundError."""
        self.require(Capability.HISTORY, "history")
        self.get(key)
        return self._numbers.history(key.level, self.backend.history(key))

    def count(self, level: Level) -> int:
        """Return how many records a level has."""
        self._check_level(level)
        if isinstance(self.backend, CountsRecords):
            return self.backend.count(level)
        return sum(1 for _ in self.backend.scan(level))

    def projects(self) -> list[str]:
        """Return the projects that the store holds, in code-point order."""
        if isinstance(self.backend, ListsProjects):
            return self.backend.projects()
        if Capability.PROJECT_LEVEL not in self.backend.capabilities:
            return []
        return [record.key.identifier for record in self.backend.scan("project")]

    def close(self) -> None:
        """Release what the backend holds."""
        self.backend.close()
