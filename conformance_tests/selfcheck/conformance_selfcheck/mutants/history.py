"""Mutants of spec/core.md: history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipestat_conformance.targets.memory import SnapshotBackend

from conformance_selfcheck.mutants.mutation import (
    Call,
    backend,
    each_scalar,
    opening,
    operation,
)
from pipestat_spec.backend import Change, Outcome, Transition
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.models.record import HistoryEntry, Record, RecordKey


@operation("PS-HIS-001", on="history")
def removed_values_not_kept(call: Call) -> Any:
    """A removed value leaves no entry."""
    found = call.go()
    results = call.current.results if call.current else {}
    return {name: entries for name, entries in found.items() if name in results}


@operation("PS-HIS-001", on="history")
def new_value_in_the_history(call: Call) -> Any:
    """The history holds the value that came, and not the one that went."""
    results = call.current.results if call.current else {}
    found = call.go()
    for name, entries in found.items():
        values = [*entries.values(), results.get(name)][1:]
        found[name] = dict(zip(entries, values, strict=True))
    return found


@operation("PS-HIS-002", on="report")
def first_report_leaves_an_entry(call: Call) -> Any:
    """The first report of a result leaves an entry, of null."""
    stored = call.current.results if call.current else {}
    for name in call.values:
        if call.values[name] is not None and name not in stored:
            call.go(values={name: None})
            call.go(values={name: call.values[name]}, overwrite=True)
    return call.go()


@operation("PS-HIS-002", on="report")
def history_cannot_be_switched_off(call: Call) -> Any:
    """A replacement leaves an entry, though history is switched off for the report."""
    return call.go(history=True)


@backend("PS-HIS-003")
class OnlyTheLastEntryKept(SnapshotBackend):
    """Of each result only the last former value is kept."""

    def history(self, key: RecordKey) -> Iterator[HistoryEntry]:
        last = {entry.result: entry for entry in super().history(key)}
        return iter(last.values())


@operation("PS-HIS-003", on="history")
def old_values_as_text(call: Call) -> Any:
    """Old values come back as text."""
    found = {}
    for name, entries in call.go().items():
        found[name] = {
            time: each_scalar(value, lambda v: v if isinstance(v, str) else str(v))
            for time, value in entries.items()
        }
    return found


@opening("PS-HIS-005")
def limit_of_history_ignored(schema: Any, settings: dict[str, Any]) -> Any:
    """A limit of the history has no effect."""
    settings.pop("history_limit", None)
    return schema


@opening("PS-HIS-005")
def wrong_limit_taken_for_none(schema: Any, settings: dict[str, Any]) -> Any:
    """A limit that is no integer from 0 on is taken for none."""
    limit = settings.get("history_limit")
    if type(limit) is not int or limit < 0:
        settings.pop("history_limit", None)
    return schema


@backend("PS-HIS-005")
class FullHistoryTakesNothing(SnapshotBackend):
    """Once a history has as many entries as the limit says, no other comes."""

    def update(self, key: RecordKey, change: Change) -> Transition:
        def until_full(current: Record | None, *_: object) -> Outcome:
            outcome = change(current)
            if outcome.keep is None:
                return outcome
            room = max(0, outcome.keep - len(self._history.get(key, ())))
            return outcome._replace(history=outcome.history[:room], keep=None)

        return super().update(key, until_full)


@operation("PS-HIS-004", on="history")
def history_of_unknown_records_is_empty(call: Call) -> Any:
    """The history of an unknown record is empty."""
    try:
        return call.go()
    except RecordNotFoundError:
        return {}


@operation("PS-HIS-004", on="history")
def history_of_one_result_is_that_of_all(call: Call) -> Any:
    """The history of one result is that of the whole record."""
    call.args.pop("result", None)
    return call.go()
