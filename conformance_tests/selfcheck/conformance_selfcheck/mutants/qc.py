"""Mutants of spec/qc.md: checks that are misread, and records that are misjudged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance_selfcheck.mutants.mutation import Call, opening, operation
from conformance_selfcheck.mutants.schema import everywhere
from pipestat_spec.domain.filters import matches
from pipestat_spec.errors import FilterSyntaxError, RecordNotFoundError, SchemaError
from pipestat_spec.models.record import Record
from pipestat_spec.models.verdict import Verdict

_Settings = dict[str, Any]
_NOT_JUDGED: dict[str, Any] = {"verdict": "not judged", "reasons": []}


def checks(schema: Any, change: Callable[[Any], Any]) -> Any:
    """Return the schema with each check changed; None takes it away."""

    def changed(part: dict[str, Any]) -> dict[str, Any]:
        declared = part.get("qc")
        if not isinstance(declared, list | dict) or "type" in declared:
            return part
        found = [change(one) for one in (declared if isinstance(declared, list) else [declared])]
        return {**part, "qc": [one for one in found if one is not None]}

    return everywhere(schema, changed)


@opening("PS-QC-001")
def unknown_keys_of_checks_skipped(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A misspelt key of a check is skipped."""

    def kept(one: Any) -> Any:
        known = ("fail", "warn", "reason")
        return {k: v for k, v in one.items() if k in known} if isinstance(one, dict) else one

    return checks(schema, kept)


@opening("PS-QC-001")
def checks_that_are_none_skipped(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """What is no check, or has neither fail nor warn, is skipped."""

    def kept(one: Any) -> Any:
        return one if isinstance(one, dict) and one.keys() & {"fail", "warn"} else None

    return checks(schema, kept)


@opening("PS-QC-001")
def only_the_first_check(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Of an array of checks the first one is read."""

    def changed(part: dict[str, Any]) -> dict[str, Any]:
        declared = part.get("qc")
        return {**part, "qc": declared[:1]} if isinstance(declared, list) else part

    return everywhere(schema, changed)


@opening("PS-QC-002")
def checks_beside_sections_ignored(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Checks beside the sections are nobody's, and get lost."""
    for place in (schema, schema.get("properties") if isinstance(schema, dict) else None):
        if isinstance(place, dict) and isinstance(place.get("samples"), dict):
            place.pop("qc", None)
    return schema


@opening("PS-QC-002")
def checks_of_sections_ignored(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Checks beside the properties of a section get lost."""

    def changed(part: dict[str, Any]) -> dict[str, Any]:
        if "properties" in part and isinstance(part.get("qc"), list | dict):
            return {key: value for key, value in part.items() if key != "qc"}
        return part

    return everywhere(schema, changed)


@opening("PS-QC-002")
def checks_of_definitions_ignored(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """Checks in `$defs` get lost."""
    for definition in (schema or {}).get("$defs", {}).values():
        definition.pop("qc", None)
    return schema


@opening("PS-QC-003")
def value_is_no_name(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """In the checks of a result `value` is a name like any other, which is not declared."""

    def known(one: Any) -> Any:
        texts = one.values() if isinstance(one, dict) else ()
        if any(isinstance(text, str) and text.startswith("value") for text in texts):
            raise SchemaError("there is no result 'value'")
        return one

    return checks(schema, known)


@opening("PS-QC-003")
def checks_of_unknown_results_skipped(schema: Any, settings: _Settings) -> Any:  # noqa: ARG001
    """A check with a name that no result of its level has is skipped."""
    samples = schema.get("samples") if isinstance(schema, dict) else None
    if isinstance(samples, dict) and isinstance(samples.get("qc"), dict):
        names = {name for name in samples if name != "qc"}
        words = re.findall(r"(\w+) (?:[<>=]|is)", str(samples["qc"].get("fail", "")))
        if not names.issuperset(words):
            del samples["qc"]
    return schema


def _answer(verdict: str, reasons: list[dict[str, Any]]) -> dict[str, Any]:
    return {"verdict": verdict, "reasons": reasons}


def _judged(call: Call, record: Record | None) -> dict[str, Any]:
    """Judge another record in the place of the one that is stored."""
    judge = call.store.judge(call.key.level)
    if record is None or judge is None:
        return dict(call.go())
    judgement = judge.judgement(record)
    reasons = [reason.as_dict() for reason in judgement.reasons]
    return _answer(str(judgement.verdict), [{**r, "text": None} for r in reasons])


def _results(call: Call) -> tuple[str, ...]:
    judge = call.store.judge(call.key.level)
    return judge.results if judge else ()


@operation("PS-QC-004", on="verdict")
def null_judged_as_zero(call: Call) -> Any:
    """What is missing or null counts as 0."""
    record = call.current
    if record is not None:
        zeros = {name: 0 for name in _results(call) if record.results.get(name) is None}
        record = replace(record, results={**record.results, **zeros})
    return _judged(call, record)


@operation("PS-QC-004", on="verdict")
def missing_counted_as_fail(call: Call) -> Any:
    """A record that lacks what a check looks at fails."""
    found, record = call.go(), call.current
    if any(record is None or record.results.get(name) is None for name in _results(call)):
        return {**found, "verdict": "fail"}
    return found


@operation("PS-QC-004", "PS-QC-005", on="verdict")
def missing_counted_as_pass(call: Call) -> Any:
    """A record of which nothing is known passes."""
    found = call.go()
    return {**found, "verdict": "pass"} if found == _NOT_JUDGED else found


@operation("PS-QC-004", on="verdict")
def filters_of_checks_have_two_values(call: Call) -> Any:
    """A filter of a check is true or false as in a search: `not` makes unknown true."""
    found, record, judge = call.go(), call.current, call.store.judge(call.key.level)
    if record is None or judge is None:
        return found
    rules = [rule for check in judge._checks for rule in check]
    holding = [rule.severity for rule in rules if matches(rule.filter, record)]
    worst = min(holding, key=lambda severity: severity.rank, default=Verdict.PASS)
    return {**found, "verdict": str(worst)}


@operation("PS-QC-004", on="verdict")
def one_unknown_part_is_enough(call: Call) -> Any:
    """A filter is unknown as soon as one of its conditions is, also where another decides."""
    found, record = call.go(), call.current
    names = _results(call)
    if record is not None and any(record.results.get(name) is None for name in names):
        return _NOT_JUDGED
    return found


@operation("PS-QC-005", on="verdict")
def warn_over_fail(call: Call) -> Any:
    """One warning makes the verdict `warn`."""
    found = call.go()
    warned = any(reason["severity"] == "warn" for reason in found["reasons"])
    return {**found, "verdict": "warn"} if warned else found


@operation("PS-QC-005", on="verdict")
def first_reason_decides(call: Call) -> Any:
    """The first check of the schema that holds decides, not the worst."""
    found = call.go()
    schema = call.store.rules.level_schema(call.key.level)
    order = [*(schema.results if schema else ()), None]
    reasons = sorted(found["reasons"], key=lambda reason: order.index(reason["result"]))
    return {**found, "verdict": reasons[0]["severity"]} if reasons else found


@operation("PS-QC-005", on="verdict")
def checks_of_the_level_ignored(call: Call) -> Any:
    """Only the checks of results count."""
    found = call.go()
    reasons = [reason for reason in found["reasons"] if reason["result"] is not None]
    severities = [reason["severity"] for reason in reasons]
    left = "fail" if "fail" in severities else "warn" if severities else "pass"
    return _answer(left if found["reasons"] else found["verdict"], reasons)


@operation("PS-QC-005", on="verdict")
def judged_by_the_samples(call: Call) -> Any:
    """Records of the project are judged by the checks of the samples."""
    judge = call.store.judge("sample")
    record = call.current
    if record is None or judge is None:
        return call.go()
    return {**call.go(), "verdict": str(judge.judgement(record).verdict)}


@operation("PS-QC-005", on="verdict")
def unknown_records_not_judged(call: Call) -> Any:
    """A record that is not stored is `not judged`."""
    try:
        return call.go()
    except RecordNotFoundError:
        return _NOT_JUDGED


@operation("PS-QC-005", on="verdict")
def verdict_kept_from_the_first_time(call: Call) -> Any:
    """The verdict on a record is kept, also when its results change."""
    return call.memory.setdefault(str(call.key), call.go())


@operation("PS-QC-006", on="verdict")
def reasons_lost(call: Call) -> Any:
    """No reasons are given."""
    return {**call.go(), "reasons": []}


@operation("PS-QC-006", on="verdict")
def only_the_worst_reason(call: Call) -> Any:
    """The first reason is given alone."""
    found = call.go()
    return {**found, "reasons": found["reasons"][:1]}


@operation("PS-QC-006", on="verdict")
def reasons_without_values(call: Call) -> Any:
    """What a filter looked at and is missing is left out of its reason."""
    found = call.go()
    for reason in found["reasons"]:
        reason["values"] = {k: v for k, v in reason["values"].items() if v is not None}
    return found


@operation("PS-QC-006", on="verdict")
def reasons_in_the_order_of_the_schema(call: Call) -> Any:
    """Reasons of both severities are mixed."""
    found = call.go()
    found["reasons"].sort(key=lambda reason: (reason["result"] or "~", reason["rule"]))
    return found


def _where(call: Call) -> str:
    where = call.args.get("where")
    return where if isinstance(where, str) else ""


@operation("PS-QC-007", on="select distinct")
def verdict_is_no_field(call: Call) -> Any:
    """Nobody has the field `verdict`."""
    if call.op == "distinct":
        columns = ["missing" if c == "verdict" else c for c in call.args["columns"]]
        return call.go(columns=columns)
    where = re.sub(r"\bverdict\b", "missing", _where(call))
    return call.go(where=where) if where else call.go()


@operation("PS-QC-007", on="select")
def verdict_filtered_after_the_page(call: Call) -> Any:
    """A page is filled first, and then searched by verdict."""
    if "verdict" not in _where(call):
        return call.go()
    matching = {r["record_identifier"] for r in call.go(limit=None, cursor=None)["records"]}
    page = call.go(where="record_identifier is not null")
    kept = [r for r in page["records"] if r["record_identifier"] in matching]
    return {**page, "total_size": len(matching), "records": kept}


@operation("PS-QC-007", on="select")
def not_judged_matches_nothing(call: Call) -> Any:
    """For records that are not judged no condition on the verdict holds."""
    where = _where(call)
    return (
        call.go(where=f"({where}) and verdict != 'not judged'")
        if "verdict" in where
        else (call.go())
    )


@operation("PS-QC-007", on="select")
def verdict_in_every_level(call: Call) -> Any:
    """Without checks, too, a search for `verdict` is none for a result."""
    if "verdict" in _where(call) and call.store.judge(call.key.level) is None:
        raise FilterSyntaxError("there are no checks")
    return call.go()


@operation("PS-QC-008", on="select distinct")
def verdict_hides_the_result(call: Call) -> Any:
    """`verdict` means the verdict also where a result is called so."""
    judge = call.store.judge(call.key.level)
    if judge is None or judge.field == "verdict":
        return call.go()
    if call.op == "distinct":
        return call.go(columns=[judge.field if c == "verdict" else c for c in call.args["columns"]])
    return call.go(where=re.sub(r"\bverdict\b", judge.field, _where(call)))
