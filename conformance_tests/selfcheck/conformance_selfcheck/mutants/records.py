"""Mutants of spec/core.md: records, sources, times and paths."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipestat_conformance.targets.memory import SnapshotBackend

from conformance_selfcheck.mutants.mutation import Call, backend, operation
from pipestat_spec.backend import Change, Outcome, Transition
from pipestat_spec.models.record import Record, RecordKey


@operation("PS-REC-001", "PS-RES-014", on="remove")
def record_goes_with_its_last_result(call: Call) -> Any:
    """Removing the last result removes the record."""
    call.go()
    current = call.current
    if current is not None and not current.results:
        call.ask("remove", record=call.key.identifier, level=call.level)


@operation("PS-REC-001", on="report")
def empty_report_makes_a_record(call: Call) -> Any:
    """A report without any value makes a record."""
    call.go()
    if not call.values and call.current is None:
        call.store.backend.update(call.key, lambda *_: Outcome(Record(call.key)))


@operation("PS-REC-002", on="report set_status")
def sources_merged(call: Call) -> Any:
    """A new source is merged with the former one."""
    current, source = call.current, call.args.get("source")
    if current is not None and current.source and isinstance(source, dict):
        return call.go(source={**current.source, **source})
    return call.go()


@operation("PS-REC-003", on="describe history")
def times_in_whole_seconds(call: Call) -> Any:
    """Times come back without fractions."""
    return _each_time(call.go(), lambda text: f"{text[:19]}Z")


def _each_time(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {change(k) if _is_time(k) else k: _each_time(v, change) for k, v in value.items()}
    return change(value) if _is_time(value) else value


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 27 and value[10] == "T" and value[-1] == "Z"


@backend("PS-REC-003", "PS-HIS-003")
class HistoryLostWithinATick(SnapshotBackend):
    """The clock has whole seconds: changes within one second share a time, and one entry."""

    def update(self, key: RecordKey, change: Change) -> Transition:
        def coarse(current: Record | None, *_: object) -> Outcome:
            record, entries, keep = change(current)
            now = datetime.now(UTC).replace(microsecond=0)
            if record is None or record is current:
                return Outcome(record, entries, keep)
            record = replace(record, modified=now, created=record.created or now)
            kept = {entry.result: entry._replace(time=now) for entry in entries}
            known = {(e.result, e.time) for e in self._history.get(key, ())}
            entries = tuple(e for e in kept.values() if (e.result, now) not in known)
            return Outcome(record, entries, keep)

        return super().update(key, coarse)


@operation("PS-REC-004", on="set_status")
def status_touches_modified(call: Call) -> Any:
    """A status change is taken for a change of the results' modified time."""
    before = call.current
    call.go()
    if before is not None:
        now = datetime.now(UTC)
        call.store.backend.update(
            call.key, lambda current, *_: Outcome(current and replace(current, modified=now))
        )


@operation("PS-REC-005", on="report")
def paths_made_absolute(call: Call) -> Any:
    """Relative paths of files and images are made absolute."""

    def absolute(value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            path = value["path"]
            return value if "://" in path else {**value, "path": os.path.abspath(path)}
        return value

    return call.go(values={name: absolute(value) for name, value in call.values.items()})
