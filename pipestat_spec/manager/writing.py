"""Reporting, removing, status and ingesting, with the shapes that pipelines know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipestat_spec.domain.results import prepare_results
from pipestat_spec.errors import RecordNotFoundError, ResultConflictError
from pipestat_spec.formatters import ResultFormatter
from pipestat_spec.logs import logger
from pipestat_spec.manager.record_run import RecordRun
from pipestat_spec.manager.settings import ManagerSettings
from pipestat_spec.models.record import Record, RecordKey

if TYPE_CHECKING:
    from pipestat_spec.ingest import IngestReport

__all__ = ["Writing"]


class Writing(ManagerSettings):
    """What changes the store."""

    def report(
        self,
        values: Mapping[str, Any],
        record_identifier: str | None = None,
        force_overwrite: bool | None = None,
        result_formatter: ResultFormatter | None = None,
        strict_type: bool = True,
        history_enabled: bool = True,
        level: str | None = None,
        *,
        source: Mapping[str, Any] | None = None,
    ) -> list[str] | bool:
        """Store results of one record, all or none; return one text for each.

        Returns False, and stores nothing, when a different value is stored already and
        overwriting is off. `strict_type=False` converts values to the declared types and
        stores what came out. `history_enabled=False` forgets replaced values. Raises
        SchemaValidationErrorDuringReport, InvalidValueError and the errors of names.
        """
        key = self._key(record_identifier, level)
        overwrite = self.force_overwrite if force_overwrite is None else force_overwrite
        try:
            record = self._store.report(
                key,
                values,
                overwrite=overwrite,
                history=history_enabled,
                strict=strict_type,
                source=self.source if source is None else source,
            )
        except ResultConflictError as error:
            logger().warning("%s", error)
            return False
        return self._formatted(key, values, record, result_formatter)

    def _report_in_run(
        self, key: RecordKey, values: Mapping[str, Any], source: Mapping[str, Any] | None
    ) -> list[str]:
        """Report as `report` does; but a conflict is raised, so that it ends the run."""
        record = self._store.report(key, values, overwrite=self.force_overwrite, source=source)
        return self._formatted(key, values, record, None)

    def report_many(
        self,
        values: Mapping[str, Mapping[str, Any]],
        force_overwrite: bool | None = None,
        strict_type: bool = True,
        history_enabled: bool = True,
        level: str | None = None,
    ) -> list[str] | bool:
        """Store results of many records, `{record: {result: value}}`, in one write.

        All are checked before any is stored. Returns like `report`.
        """
        overwrite = self.force_overwrite if force_overwrite is None else force_overwrite
        todo = []
        for record_identifier, results in values.items():
            key = self._key(record_identifier, level)
            change = self._store.report_change(
                key,
                results,
                overwrite=overwrite,
                history=history_enabled,
                strict=strict_type,
                source=self.source,
            )
            todo.append((key, change))
        try:
            records = self._store.apply(todo)
        except ResultConflictError as error:
            logger().warning("%s", error)
            return False
        return [
            text
            for (key, _), results, record in zip(todo, values.values(), records, strict=True)
            for text in self._formatted(key, results, record, None)
        ]

    def _formatted(
        self,
        key: RecordKey,
        values: Mapping[str, Any],
        record: Record | None,
        formatter: ResultFormatter | None,
    ) -> list[str]:
        formatter = formatter or self.result_formatter
        stored = record.results if record else {}
        return [
            formatter(self.pipeline_name, key.identifier, name, stored[name])
            for name in values
            if name in stored
        ]

    def remove(
        self,
        record_identifier: str | None = None,
        result_identifier: str | None = None,
        level: str | None = None,
    ) -> bool:
        """Remove one result, or the whole record when none is named.

        Returns False when there is no such record or result.
        """
        key = self._key(record_identifier, level)
        try:
            if result_identifier is None:
                self._store.remove_record(key)
            else:
                self._store.remove_result(key, result_identifier)
        except RecordNotFoundError as error:
            logger().warning("%s", error)
            return False
        return True

    def remove_record(
        self, record_identifier: str | None = None, rm_record: bool | None = False
    ) -> bool | None:
        """Remove a record with its status and history; without `rm_record` nothing happens.

        Returns True, False when there is no such record, or None without `rm_record`.
        """
        if not rm_record:
            logger().warning("nothing was removed: remove_record asks for rm_record=True")
            return None
        return self.remove(record_identifier)

    def set_status(
        self,
        status_identifier: str,
        record_identifier: str | None = None,
        level: str | None = None,
        *,
        message: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        """Set the status of a record; raises UnrecognizedStatusError."""
        self._store.set_status(
            self._key(record_identifier, level),
            status_identifier,
            message,
            self.source if source is None else source,
        )

    def clear_status(
        self,
        record_identifier: str | None = None,
        flag_names: list[str] | None = None,
        level: str | None = None,
    ) -> list[str]:
        """Take the status of a record away; return it in a list, empty when there was none.

        With `flag_names` only a status that is among them is taken away.
        """
        key = self._key(record_identifier, level)
        if flag_names is not None:
            for name in flag_names:
                self._store.settings.statuses.check(name)
            record = self._store.read(key)
            if record is None or record.status not in flag_names:
                return []
        status = self._store.clear_status(key)
        return [] if status is None else [status]

    def record(
        self,
        record_identifier: str | None = None,
        level: str | None = None,
        *,
        running: str = "running",
        completed: str = "completed",
        failed: str = "failed",
        source: Mapping[str, Any] | None = None,
    ) -> RecordRun:
        """Return a context manager, or decorator, that keeps the status of one record's run.

        The status is `running` on entry, `completed` on exit, or `failed` with the text of
        the exception, which passes on.
        """
        key = self._key(record_identifier, level)
        source = self.source if source is None else source
        return RecordRun(self._store, self._report_in_run, key, running, completed, failed, source)

    def check(
        self, values: Mapping[str, Any], strict_type: bool = True, level: str | None = None
    ) -> dict[str, Any]:
        """Return the values as `report` would store them, and store nothing; raises as it does."""
        prepared = prepare_results(
            values,
            self._store.level_schema(self._resolve_level(level)) if self._store.validate else None,
            strict=strict_type,
            additional_properties=self._store.additional_properties,
        )
        return dict(prepared.values)

    def ingest(
        self,
        documents: Iterable[Any],
        *,
        overwrite: bool = True,
        keep_going: bool = False,
        path_prefixes: Sequence[tuple[str, str]] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> IngestReport:
        """Store what report documents say, given as paths, mappings or models.

        All are checked before any is stored. Raises DocumentError, whose `problems` name
        every wrong one, and ResultConflictError with `overwrite` off (SPEC.md section 11).
        """
        from pipestat_spec.ingest import ingest

        return ingest(
            self._store,
            documents,
            overwrite=overwrite,
            keep_going=keep_going,
            path_prefixes=path_prefixes,
            progress=progress,
        )
