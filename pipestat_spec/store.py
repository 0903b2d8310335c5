"""One opened store: the operations of the specification over a backend.

`Store` joins the domain's rules to a backend and tells observers what happened. It knows
no defaults and no return shapes of older interfaces: those are `PipestatManager`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pipestat_spec.backend import (
    Capability,
    Change,
    CountsRecords,
    FindsDistinct,
    ListsProjects,
    ListsRecent,
    Outcome,
    SelectsRecords,
    UpdatesInTurn,
    UpdatesMany,
)
from pipestat_spec.checked_changes import CheckedChanges
from pipestat_spec.domain import changes
from pipestat_spec.domain.stored_numbers import StoredNumbers
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.hookspecs import RecordEvent
from pipestat_spec.models.record import HistoryEntry, JSONValue, Level, Record, RecordKey
from pipestat_spec.observers import notify

if TYPE_CHECKING:
    from pipestat_spec.domain.query import TimeColumn
    from pipestat_spec.models.query import Page, Query

__all__ = ["Store"]


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
