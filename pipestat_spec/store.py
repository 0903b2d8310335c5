"""One opened store: the operations of the specification over a backend.

`Store` joins the domain's rules to a backend and tells observers what happened. It knows
no defaults and no return shapes of older interfaces: those are `PipestatManager`'s.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from pipestat_spec.backend import Backend, StoreSettings
from pipestat_spec.domain import changes
from pipestat_spec.domain.rules import Rules
from pipestat_spec.domain.stored_numbers import StoredNumbers
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.logs import logger
from pipestat_spec.models.capability import Capability
from pipestat_spec.models.change import Change, Transition
from pipestat_spec.models.record import HistoryEntry, HistoryLimit, Level, Record, RecordKey
from pipestat_spec.plugins.hookspecs import RecordEvent
from pipestat_spec.plugins.observers import notify
from pipestat_spec.text.file_names import expand_record_path

if TYPE_CHECKING:
    from pipestat_spec.domain.rules import ReportOptions
    from pipestat_spec.domain.verdicts import Judge
    from pipestat_spec.models.query import FieldPath, Filter, Page, Query, TimeColumn
    from pipestat_spec.models.schema.output_schema import OutputSchema
    from pipestat_spec.models.schema.status_schema import StatusSchema

__all__ = ["Store"]


class Store:
    """The records of one namespace, with every rule of the specification applied.

    `rules` make the changes that `apply` makes.
    """

    def __init__(
        self,
        backend: Backend,
        settings: StoreSettings,
        *,
        validate: bool,
        additional_properties: bool | None = None,
        history_limit: int | None = None,
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.namespace = settings.namespace
        self.rules = Rules(
            settings.schema,
            settings.statuses,
            validate,
            additional_properties,
            backend.capabilities,
            backend.refused_identifiers,
            history_limit,
        )
        # Conditions of filters that were looked at: level, field and the kinds compared with.
        self._doubted: set[tuple[Level, FieldPath, frozenset[int]]] = set()

    @property
    def place(self) -> str | None:
        """Where the results are, for people: a file or an address without its password."""
        return self.backend.file or self.backend.url

    @property
    def schema(self) -> OutputSchema | None:
        return self.settings.schema

    @property
    def statuses(self) -> StatusSchema:
        return self.settings.statuses

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the store offers."""
        return self.rules.levels

    @cached_property
    def _numbers(self) -> StoredNumbers:
        schema = self.rules.schema if self.rules.validate else None
        return StoredNumbers(schema, self.rules.additional_properties)

    @cached_property
    def _judges(self) -> Mapping[Level, Judge]:
        if self.schema is None or not self.schema.has_qc:
            return {}
        from pipestat_spec.domain.verdicts import judges

        return judges(self.schema)

    # Writing

    def report(
        self, key: RecordKey, values: Mapping[str, object], **options: Unpack[ReportOptions]
    ) -> Transition:
        """Store all `values` of a record or none; options and errors are those of `Rules.report`.

        Raises ResultConflictError too.
        """
        return self.apply([(key, self.rules.report(key, values, **options))])[0]

    def set_status(
        self,
        key: RecordKey,
        status: str,
        message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> None:
        """Give a record a status; raises UnrecognizedStatusError."""
        self.apply([(key, self.rules.set_status(key, status, message, source))])

    def clear_status(self, key: RecordKey) -> str | None:
        """Take a record's status away; return what it was, or None."""
        before = self.apply([(key, self.rules.clear_status(key))])[0].before
        return before.status if before else None

    def remove_result(self, key: RecordKey, result: str) -> None:
        """Remove one result; raises RecordNotFoundError when it is not stored."""
        self.rules.check_key(key)
        self.apply([(key, changes.remove_result(key, result))])

    def remove_record(self, key: RecordKey) -> None:
        """Remove a record; raises RecordNotFoundError when it is not stored."""
        self.rules.check_key(key)
        self.apply([(key, changes.remove_record(key))])

    def apply(self, todo: Sequence[tuple[RecordKey, Change]]) -> list[Transition]:
        """Make the changes, in one atomic write where the backend can, and tell observers."""
        adapted = self._adapted(todo)
        if len(adapted) == 1:
            done = [self.backend.update(*adapted[0])]
        else:
            done = self.backend.update_many(adapted)
        transitions = [self._numbers.transition(transition) for transition in done]
        for (key, _), transition in zip(todo, transitions, strict=True):
            if transition.before is not transition.after:
                notify(RecordEvent(self.namespace, key, *transition))
        return transitions

    def rehearse(self, todo: Sequence[tuple[RecordKey, Change]]) -> None:
        """Hand each change the record that it would get, and store nothing.

        What the changes raise passes through.
        """
        self.backend.rehearse(self._adapted(todo))

    def _adapted(self, todo: Sequence[tuple[RecordKey, Change]]) -> list[tuple[RecordKey, Change]]:
        limited = self.rules.limited
        return [(key, self._numbers.change(key.level, limited(change))) for key, change in todo]

    # Reading

    def read(self, key: RecordKey) -> Record | None:
        """Return a record, or None when it is not stored."""
        record = self.backend.read(self.rules.check_key(key))
        return record and self._read(record)

    def judge(self, level: Level) -> Judge | None:
        """Return what judges the records of a level; None where it has no QC rules."""
        return self._judges.get(level)

    def _read(self, record: Record) -> Record:
        """Return a record of the backend as it is read: with the doubles, and judged."""
        judge = self._judges.get(record.key.level)
        record = self._numbers.record(record)
        return judge.judged(record) if judge else record

    def _read_all(self, level: Level, records: Iterator[Record]) -> Iterator[Record]:
        found = self._numbers.records(level, records)
        judge = self._judges.get(level)
        return map(judge.judged, found) if judge else found

    def get(self, key: RecordKey) -> Record:
        """Return a record; raises RecordNotFoundError."""
        record = self.read(key)
        if record is None:
            raise RecordNotFoundError(
                f"record {key.identifier!r} is not stored at {key.level} level "
                f"of {self.namespace!r}",
                record_identifier=key.identifier,
            )
        return record

    def scan(
        self, level: Level, after: str | None = None, limit: int | None = None
    ) -> Iterator[Record]:
        """Yield the records of a level in code-point order of their identifiers."""
        self.rules.check_level(level)
        return self._read_all(level, self.backend.scan(level, after=after, limit=limit))

    def matching(
        self,
        level: Level,
        where: Filter | None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Yield the records of a level that match, as `scan` does."""
        if where is None:
            return self.scan(level, after, limit)
        self.rules.check_level(level)
        plain = self._without_verdicts(level, where)
        found = self.backend.matching(level, plain, after=after, limit=limit)
        self._warn_of_doubts(level, where)
        return self._read_all(level, found)

    def _without_verdicts(self, level: Level, where: Filter) -> Filter:
        """Return a filter that backends understand: they know no verdict, but the results."""
        judge = self._judges.get(level)
        return judge.without_verdicts(where) if judge and judge.asked(where) else where

    def select(self, query: Query) -> Page:
        """Return the records that match, a page at a time.

        They are judged, unless columns are named and the verdict is not among them.
        """
        self.rules.check_level(query.level)
        where = query.where
        if where is not None:
            query = replace(query, where=self._without_verdicts(query.level, where))
        page = self._selected(query)
        if where is not None:
            self._warn_of_doubts(query.level, where, page.records)
        return page

    def _selected(self, query: Query) -> Page:
        level, columns = query.level, query.columns
        judge = self._judges.get(level)
        if judge is None or (columns is not None and judge.field not in columns):
            return self._numbers.page(level, self.backend.select(query))
        needed = None if columns is None else (*dict.fromkeys((*columns, *judge.results)),)
        page = self._numbers.page(level, self.backend.select(replace(query, columns=needed)))
        from pipestat_spec.domain.query import keep_columns

        records = (keep_columns(judge.judged(record), columns) for record in page.records)
        return replace(page, records=tuple(records))

    def _warn_of_doubts(self, level: Level, where: Filter, seen: Iterable[Record] = ()) -> None:
        """Warn, once for each, of conditions that no record can fulfil.

        The records of the store are read only as far as those already seen leave a doubt.
        """
        from pipestat_spec.domain.filter_doubts import conditions, doubts
        from pipestat_spec.domain.filters import unknown_fields

        schema = self.rules.level_schema(level)
        declared = set(schema.results) if schema else set()
        judge = self._judges.get(level)
        if judge is not None:
            declared.add(judge.field)
            for line in judge.doubts(where):
                logger().warning("%s", line)
        told = unknown_fields(where, declared) if declared else {}
        self.rules.warn_undeclared(told)
        new = {
            path: kinds
            for path, kinds in conditions(where).items()
            if (level, path, kinds) not in self._doubted
        }
        if not new:
            return
        self._doubted.update((level, path, kinds) for path, kinds in new.items())

        def records() -> Iterator[Record]:
            yield from seen
            # Only to begin it may be a request.
            yield from self.scan(level)

        for line in doubts(new, records(), (*declared, *told)):
            logger().warning("%s", line)

    def distinct(self, level: Level, columns: Sequence[str]) -> list[tuple[JSONValue, ...]]:
        """Return the different combinations of the columns' values, ordered."""
        self.rules.check_level(level)
        judge = self._judges.get(level)
        if judge is not None and judge.field in columns:
            from pipestat_spec.domain.query import distinct

            return distinct(self.scan(level), columns)
        return self._numbers.rows(level, columns, self.backend.distinct(level, columns))

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
        self.rules.check_level(level)
        self.rules.require(Capability.TIMES, "listing by time")
        page = self.backend.recent(
            level, limit=limit, start=start, end=end, time_column=time_column, cursor=cursor
        )
        return replace(page, records=tuple(map(self._read, page.records)))

    def history(self, key: RecordKey) -> list[HistoryEntry]:
        """Return the history of a record, oldest first; raises RecordNotFoundError."""
        self.rules.require(Capability.HISTORY, "history")
        self.get(key)
        return self._numbers.history(key.level, self.backend.history(key))

    def histories(self, level: Level) -> Iterator[tuple[RecordKey, list[HistoryEntry]]]:
        """Yield the history of each record that has one; nothing where none is kept."""
        self.rules.check_level(level)
        if Capability.HISTORY in self.rules.capabilities:
            for key, entries in self.backend.histories(level):
                yield key, self._numbers.history(level, entries)

    def prune_history(self, limit: HistoryLimit) -> int:
        """Remove entries of the history of all records; return how many.

        Raises UnsupportedOperation where the store keeps all, or none.
        """
        self.rules.require(Capability.HISTORY, "history")
        return sum(self.backend.prune(level, limit) for level in self.levels)

    def count(self, level: Level) -> int:
        """Return how many records a level has."""
        self.rules.check_level(level)
        return self.backend.count(level)

    def projects(self) -> list[str]:
        """Return the projects that the store holds, in code-point order."""
        return self.backend.projects()

    def results_file(self, identifier: str | None) -> str | None:
        """Return the results file, of a record where each has its own (spec/writers.md).

        None for a store that has none.
        """
        file = self.backend.file
        if file is None or identifier is None:
            return file
        return expand_record_path(file, identifier)

    def record_folder(self, identifier: str) -> str:
        """Return the folder where relative paths of a record's files start (PS-REC-005)."""
        file = self.results_file(identifier)
        return self.settings.base_folder if file is None else os.path.dirname(file)

    @property
    def storage_options(self) -> Mapping[str, Any]:
        """What the remote file system of the results is opened with; secrets may be among it."""
        return self.settings.config.get("storage_options") or {}

    def close(self) -> None:
        """Release what the backend holds."""
        self.backend.close()
