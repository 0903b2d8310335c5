"""Mutants of spec/core.md: statuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, opening, operation
from pipestat_spec.backend import Outcome
from pipestat_spec.domain.times import utc_now
from pipestat_spec.errors import PipestatError, RecordNotFoundError, UnrecognizedStatusError


@opening("PS-STA-001")
def incomplete_statuses_completed(schema: Any, settings: dict[str, Any]) -> Any:
    """A status without color is black, one without description has an empty one."""

    def completed(entry: Any) -> Any:
        return (
            {"description": "", "color": [0, 0, 0], **entry} if isinstance(entry, dict) else entry
        )

    statuses = settings.get("status_schema")
    if isinstance(statuses, dict):
        settings["status_schema"] = {name: completed(entry) for name, entry in statuses.items()}
    return schema


@operation("PS-STA-002", on="statuses")
def colors_of_another_scale(call: Call) -> Any:
    """Colors are told as numbers from 0 to 1."""
    return {
        name: {**status, "color": [part / 255 for part in status["color"]]}
        for name, status in call.go().items()
    }


@opening("PS-STA-002")
def custom_statuses_added_to_the_default(schema: Any, settings: dict[str, Any]) -> Any:
    """A status schema of one's own adds to the default one."""
    black = {"description": "d", "color": [0, 0, 0]}
    statuses = settings.get("status_schema")
    if isinstance(statuses, dict):
        settings["status_schema"] = {"running": black, "waiting": black, **statuses}
    return schema


@opening("PS-STA-003")
def ambiguous_statuses_accepted(schema: Any, settings: dict[str, Any]) -> Any:
    """A status that cannot be part of a flag's name is dropped from its schema, unsaid."""
    statuses = settings.get("status_schema")
    if isinstance(statuses, dict):
        kept = {
            name: entry
            for name, entry in statuses.items()
            if name[:1].isalnum()
            and not any(name.endswith("_" + other) for other in statuses)
            and len(name) <= 64
        }
        settings["status_schema"] = kept or {"ok": {"description": "d", "color": [0, 0, 0]}}
    return schema


@operation("PS-STA-004", on="report set_status")
def unknown_status_accepted(call: Call) -> Any:
    """A status that the schema does not define is stored."""
    try:
        return call.go()
    except UnrecognizedStatusError:
        status = call.args["status"]
        call.go(status=call.store.settings.statuses.identifiers[0])
        current = call.current
        if current is not None:
            changed = replace(current, status=status)
            call.store.backend.update(call.key, lambda *_: Outcome(changed))
        return None


@operation("PS-STA-005", on="set_status")
def status_makes_no_record(call: Call) -> Any:
    """The status of an unknown record is refused."""
    call.ask("retrieve", record=call.key.identifier, level=call.level)
    return call.go()


@operation("PS-STA-005", on="set_status")
def first_status_stays(call: Call) -> Any:
    """A record that has a status keeps it."""
    if call.current is not None and call.current.status is not None:
        call.store.settings.statuses.check(call.args["status"])
        return None
    return call.go()


@operation("PS-STA-006", on="set_status")
def message_outlives_its_status(call: Call) -> Any:
    """A status message stays when the status changes."""
    if call.current is not None and "message" not in call.args:
        return call.go(message=call.current.status_message)
    return call.go()


@operation("PS-STA-007", on="get_status")
def status_of_an_unknown_record_is_an_error(call: Call) -> Any:
    """Asking for the status of an unknown record is an error."""
    found = call.go()
    if call.current is None:
        raise RecordNotFoundError("there is no such record")
    return found


@operation("PS-STA-008", on="clear_status")
def cleared_whatever_the_names(call: Call) -> Any:
    """A status is cleared, though it is not among the names that are given."""
    call.args.pop("names", None)
    return call.go()


@operation("PS-STA-008", on="clear_status")
def cleared_status_not_told(call: Call) -> Any:
    """Clearing does not tell which status it was."""
    call.go()


@operation("PS-STA-009", on="report")
def status_set_though_results_are_refused(call: Call) -> Any:
    """A status that comes with results is set also when these are refused."""
    try:
        return call.go()
    except PipestatError:
        if call.args.get("status") in call.store.settings.statuses:
            call.ask(
                "set_status",
                record=call.key.identifier,
                status=call.args["status"],
                level=call.level,
            )
        raise


@operation("PS-STA-009", on="report")
def results_stored_though_the_status_is_refused(call: Call) -> Any:
    """Results that come with an unknown status are stored."""
    try:
        return call.go()
    except UnrecognizedStatusError:
        call.args.pop("status")
        call.go()
        raise


@operation("PS-STA-010", on="set_status report")
def status_time_of_the_last_word(call: Call) -> Any:
    """Whatever is said of a record moves its status time."""
    call.go()
    current = call.current
    if current is not None and current.status is not None:
        said = replace(current, status_time=utc_now())
        call.store.backend.update(call.key, lambda *_: Outcome(said))


@operation("PS-STA-010", on="set_status")
def status_time_of_the_first_status(call: Call) -> Any:
    """The status time is that of a record's first status."""
    before = call.current
    call.go()
    current = call.current
    if before is not None and before.status_time is not None and current is not None:
        first = replace(current, status_time=before.status_time)
        call.store.backend.update(call.key, lambda *_: Outcome(first))


@operation("PS-STA-010", on="clear_status")
def status_time_outlives_its_status(call: Call) -> Any:
    """Clearing a status leaves its time."""
    before = call.current
    cleared = call.go()
    current = call.current
    if before is not None and current is not None:
        stood = replace(current, status_time=before.status_time)
        call.store.backend.update(call.key, lambda *_: Outcome(stood))
    return cleared
