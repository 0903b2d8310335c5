"""Short forms for what a test does to a backend, past the rules of a `Store`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipestat_spec.backend import Backend
from pipestat_spec.domain import changes
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey


@dataclass
class OpenBackend:
    """A backend that is open; records are named by their identifiers."""

    backend: Backend

    def report(
        self, record: str, values: Mapping[str, Any], level: Level = "sample", **more: Any
    ) -> Record:
        key = RecordKey(level, record)
        arguments = {"overwrite": True, **more}
        done = self.backend.update(key, changes.report_results(key, values, **arguments)).after
        assert done is not None
        return done

    def report_many(
        self, records: Mapping[str, Mapping[str, Any]], level: Level = "sample"
    ) -> list[Record | None]:
        keys = {RecordKey(level, name): values for name, values in records.items()}
        done = self.backend.update_many(
            [(key, changes.report_results(key, keys[key], overwrite=True)) for key in keys]
        )
        return [one.after for one in done]

    def set_status(self, record: str, status: str, level: Level = "sample", **more: Any) -> None:
        key = RecordKey(level, record)
        self.backend.update(key, changes.set_status(key, status, **more))

    def clear_status(self, record: str) -> None:
        self.backend.update(RecordKey("sample", record), changes.clear_status())

    def remove(self, record: str, result: str | None = None, level: Level = "sample") -> None:
        key = RecordKey(level, record)
        change = (
            changes.remove_record(key) if result is None else changes.remove_result(key, result)
        )
        self.backend.update(key, change)

    def read(self, record: str, level: Level = "sample") -> Record | None:
        return self.backend.read(RecordKey(level, record))

    def results(self, record: str, level: Level = "sample") -> dict[str, Any]:
        found = self.read(record, level)
        assert found is not None, record
        return dict(found.results)

    def status(self, record: str, level: Level = "sample") -> str | None:
        found = self.read(record, level)
        return found.status if found else None

    def history(self, record: str, level: Level = "sample") -> list[HistoryEntry]:
        return list(self.backend.history(RecordKey(level, record)))

    def names(self, level: Level = "sample", **window: Any) -> list[str]:
        return [record.key.identifier for record in self.backend.scan(level, **window)]
