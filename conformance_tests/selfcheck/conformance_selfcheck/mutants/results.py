"""Mutants of spec/core.md: reports, retrieval and removal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, operation
from conformance_selfcheck.mutants.values import declared, is_declared
from pipestat_spec.backend import Outcome
from pipestat_spec.errors import (
    ColumnNotFoundError,
    InvalidValueError,
    PipestatError,
    RecordNotFoundError,
    ResultConflictError,
)
from pipestat_spec.models.record import HistoryEntry


@operation("PS-RES-001", on="report")
def last_write_dropped(call: Call) -> Any:
    """The last value of a report with several is acknowledged and not stored."""
    values = call.values
    if len(values) > 1:
        values.popitem()
    return call.go(values=values)


@operation("PS-RES-001", "PS-RES-008", on="report")
def new_values_stored_beside_a_conflict(call: Call) -> Any:
    """In a report that is refused, the values that are new are stored all the same."""
    try:
        return call.go()
    except ResultConflictError:
        stored = call.current.results if call.current else {}
        call.go(values={k: v for k, v in call.values.items() if k not in stored})
        raise


@operation("PS-RES-001", "PS-GUA-005", on="report")
def partial_write_when_validation_fails(call: Call) -> Any:
    """The values before the one that is refused are stored."""
    try:
        return call.go()
    except PipestatError:
        for name, value in call.values.items():
            call.go(values={name: value})
        raise


@operation("PS-RES-002", "PS-SCH-006", on="report")
def schema_not_validated(call: Call) -> Any:
    """Values are not compared with the output schema."""
    call.store.rules = replace(call.store.rules, validate=False)
    return call.go()


@operation("PS-RES-002", on="report")
def validated_before_adapted(call: Call) -> Any:
    """A declared number that is reported as an integer does not fit its type."""
    for name, value in call.values.items():
        if is_declared(call, name, "number") and type(value) is int:
            raise InvalidValueError(f"{name}: {value} is no number")
    return call.go()


@operation("PS-RES-003", on="report")
def undeclared_results_refused(call: Call) -> Any:
    """A result that the schema does not declare is refused, though the level is open."""
    for name in call.values:
        if call.session.opening.schema is not None and declared(call, name) is None:
            raise ColumnNotFoundError(f"{name} is not declared")
    return call.go()


@operation("PS-RES-004", on="report")
def undeclared_results_dropped(call: Call) -> Any:
    """Undeclared results are left out of the report, where the level is closed."""
    try:
        return call.go()
    except ColumnNotFoundError:
        return call.go(values={k: v for k, v in call.values.items() if declared(call, k)})


@operation("PS-RES-005", on="report")
def objects_need_a_schema(call: Call) -> Any:
    """Without a schema, only scalars are accepted."""
    without = call.session.opening.schema is None or not call.store.rules.validate
    if without and any(isinstance(value, dict | list) for value in call.values.values()):
        raise InvalidValueError("without a schema, values are scalars")
    return call.go()


@operation("PS-RES-006", "PS-HIS-002", on="report")
def equal_report_adds_history(call: Call) -> Any:
    """A report of what is stored already counts as a change."""
    before = call.current
    call.go()
    if before is not None and before == call.current and call.values:
        now = datetime.now(UTC)
        entries = tuple(
            HistoryEntry(k, v, now) for k, v in before.results.items() if k in call.values
        )
        changed = replace(before, modified=now)
        call.store.backend.update(call.key, lambda *_: Outcome(changed, entries))


@operation("PS-RES-006", on="report")
def equal_report_conflicts(call: Call) -> Any:
    """A value that is stored already is refused, though it is the same."""
    stored = call.current.results if call.current else {}
    if not call.args.get("overwrite") and any(name in stored for name in call.values):
        raise ResultConflictError("there is a value already")
    return call.go()


@operation("PS-RES-007", on="report")
def overwrite_ignored(call: Call) -> Any:
    """With overwriting on, what is stored stays."""
    stored = call.current.results if call.current else {}
    return call.go(values={k: v for k, v in call.values.items() if k not in stored})


@operation("PS-RES-008", on="report")
def overwrite_without_permission(call: Call) -> Any:
    """Stored values are replaced, though overwriting is off."""
    return call.go(overwrite=True)


@operation("PS-RES-009", on="report")
def text_not_converted(call: Call) -> Any:
    """Text is stored as it is, though its conversion was asked for."""
    if call.args.get("convert"):
        call.store.rules = replace(call.store.rules, validate=False)
    return call.go()


@operation("PS-RES-009", on="report")
def integers_in_text_read_generously(call: Call) -> Any:
    """Text such as `0x10` and `1_000` fits a result declared integer."""

    def converted(name: str, value: Any) -> Any:
        try:
            return int(value, 0) if is_declared(call, name, "integer") else value
        except (TypeError, ValueError):
            return value

    if call.args.get("convert"):
        return call.go(values={name: converted(name, v) for name, v in call.values.items()})
    return call.go()


@operation("PS-RES-010", on="report_many")
def batch_one_by_one(call: Call) -> Any:
    """Several records are stored one after the other, until one is refused."""
    for record, values in call.args["records"].items():
        call.go(records={record: values})


@operation("PS-RES-011", on="retrieve")
def record_identifier_among_results(call: Call) -> Any:
    """The identifier of a record is one of its results."""
    return {**call.go(), "record_identifier": call.key.identifier}


@operation("PS-RES-011", on="value")
def value_in_a_mapping(call: Call) -> Any:
    """One result comes back as a mapping from its name."""
    return {call.args["result"]: call.go()}


@operation("PS-RES-012", on="retrieve value remove")
def none_instead_of_an_error(call: Call) -> Any:
    """What does not exist is null, and no error."""
    try:
        return call.go()
    except RecordNotFoundError:
        return None


@operation("PS-RES-012", on="retrieve")
def missing_results_are_null(call: Call) -> Any:
    """Of several results that are asked for, those never reported are null."""
    record = call.current
    if record is None or "results" not in call.args:
        return call.go()
    return {name: record.results.get(name) for name in call.args["results"]}


@operation("PS-RES-013", on="records count")
def records_without_results_unlisted(call: Call) -> Any:
    """Records without results are neither listed nor counted."""
    level: Any = call.level
    found = [record.key.identifier for record in call.store.scan(level) if record.results]
    return found if call.op == "records" else len(found)


@operation("PS-RES-013", on="count")
def count_of_both_levels(call: Call) -> Any:
    """Records are counted on both levels together."""
    return sum(call.ask("count", level=level) for level in ("sample", "project"))


@operation("PS-RES-014", on="remove")
def remove_does_nothing(call: Call) -> Any:
    """Removing a result is acknowledged and not made."""
    if "result" not in call.args or call.current is None:
        return call.go()
    return None


@operation("PS-RES-014", on="remove")
def remove_takes_the_record(call: Call) -> Any:
    """Removing a result removes the whole record."""
    if "result" in call.args:
        call.ask("value", record=call.args["record"], result=call.args["result"], level=call.level)
        return call.ask("remove", record=call.args["record"], level=call.level)
    return call.go()


@operation("PS-RES-014", "PS-RES-015", on="remove")
def write_repeated_after_a_cut_connection(call: Call) -> Any:
    """The answer to a removal is lost, and it is made again: nothing is found (PS-GUA-007)."""
    call.go()
    return call.go()


@operation("PS-RES-015", on="report remove")
def removed_record_leaves_its_history(call: Call) -> Any:
    """A new record of the name of a removed one goes on with its history."""
    left = call.memory.setdefault("left", {})
    if call.op == "remove" and "result" not in call.args:
        left[call.key] = tuple(call.store.backend.history(call.key))
        return call.go()
    call.go()
    entries = left.pop(call.key, ())
    current = call.current
    if entries and current is not None:
        call.store.backend.update(call.key, lambda *_: Outcome(replace(current), entries))
    return None


@operation("PS-RES-015", on="remove")
def removed_record_keeps_its_status(call: Call) -> Any:
    """Removing a record leaves its status."""
    status = call.current.status if call.current else None
    call.go()
    if "result" not in call.args and status is not None:
        call.ask("set_status", record=call.key.identifier, status=status, level=call.level)


@operation("PS-RES-016", on="retrieve select")
def own_columns_show_up(call: Call) -> Any:
    """The time of the last change shows up among the results."""
    found = call.go()
    if call.op == "retrieve":
        return found if "results" in call.args else {**found, "pipestat_modified_time": "now"}
    return {**found, "records": [{**r, "id": i} for i, r in enumerate(found["records"])]}
