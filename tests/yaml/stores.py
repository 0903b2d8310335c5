"""Short forms for what a test does to a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pipestat_yaml.plugin import YamlFactory

from pipestat_spec.backend import Backend, StoreSettings, UpdatesMany
from pipestat_spec.domain.changes import (
    clear_status,
    remove_record,
    remove_result,
    report_results,
    set_status,
)
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey
from pipestat_spec.models.status_schema import DEFAULT_STATUS_SCHEMA


@dataclass
class Stored:
    """A backend and the path of its file."""

    path: Path
    backend: Backend

    def report(self, record: str, values: Mapping[str, Any], level: Level = "sample") -> Record:
        key = RecordKey(level, record)
        done = self.backend.update(key, report_results(key, values, overwrite=True))
        assert done is not None
        return done

    def report_many(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        assert isinstance(self.backend, UpdatesMany)
        self.backend.update_many(
            [
                (key, report_results(key, values, overwrite=True))
                for key, values in (
                    (RecordKey("sample", name), values) for name, values in records.items()
                )
            ]
        )

    def set_status(self, record: str, status: str, level: Level = "sample", **more: Any) -> None:
        key = RecordKey(level, record)
        self.backend.update(key, set_status(key, status, **more))

    def clear_status(self, record: str) -> None:
        self.backend.update(RecordKey("sample", record), clear_status())

    def remove(self, record: str, result: str | None = None, level: Level = "sample") -> None:
        key = RecordKey(level, record)
        change = remove_record(key) if result is None else remove_result(key, result)
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

    def raw(self) -> Any:
        """Return the file as PyYAML reads it."""
        return yaml.safe_load(self.path.read_bytes())

    def vouched(self) -> bool:
        """Tell whether the file ends in our trailer."""
        return self.path.read_bytes().rstrip().rpartition(b"\n")[2].startswith(b"# pipestat-spec: ")

    def beside(self) -> set[str]:
        """Return the names of everything in the file's folder."""
        return {path.name for path in self.path.parent.iterdir()}


def settings_for(path: Path, **changes: Any) -> StoreSettings:
    config = {"results_file_path": str(path), **changes.pop("config", {})}
    return StoreSettings(
        namespace=changes.pop("namespace", "demo"),
        statuses=changes.pop("statuses", DEFAULT_STATUS_SCHEMA),
        config=config,
        **changes,
    )


def open_stored(path: Path, **changes: Any) -> Stored:
    return Stored(path, YamlFactory().open(settings_for(path, **changes)))
