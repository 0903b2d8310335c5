"""Judging records by the QC rules of their level (spec/qc.md).

A rule is a filter with a third truth value: a condition on a field without a value is
unknown, but for `is null`. A rule that is unknown of a record does not apply to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from pipestat_spec.domain.filter_text import format_path, parse_filter
from pipestat_spec.domain.filters import (
    COMPARE,
    SPECIAL_FIELDS,
    compile_filter,
    field_value,
    fields,
    leaves,
    with_leaves,
)
from pipestat_spec.errors import FilterSyntaxError
from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.query import (
    And,
    Comparison,
    FieldPath,
    Filter,
    In,
    IsNull,
    Leaf,
    Like,
    Not,
    Or,
)
from pipestat_spec.models.record import Level, Record, RecordKey
from pipestat_spec.models.schema.output_schema import LevelSchema, OutputSchema
from pipestat_spec.models.schema.qc import QcCheck
from pipestat_spec.models.schema.result_schema import ResultSchema
from pipestat_spec.models.schema.types import SchemaPath, json_type, schema_error
from pipestat_spec.models.verdict import OTHER_VERDICT, VERDICT, Judgement, Reason, Verdict
from pipestat_spec.problems import AT_ONCE, Problems
from pipestat_spec.text.strings import nearest

__all__ = [
    "Judge",
    "Judgement",
    "Reason",
    "Verdict",
    "judges",
]

# What a rule at a result calls it.
VALUE = "value"

Truth: TypeAlias = Callable[[Record], bool | None]
ALWAYS, NEVER = And(()), Or(())


@dataclass(frozen=True, slots=True)
class _Rule:
    """One filter of a check; `names` are the fields that it looks at, by their texts."""

    severity: Verdict
    text: str
    filter: Filter
    truth: Truth
    names: tuple[tuple[str, FieldPath], ...]
    result: str | None
    reason: str | None

    def why(self, record: Record) -> Reason:
        """Return the reason that the rule is against a record of which it is true."""
        values = {name: field_value(record, path) for name, path in self.names}
        return Reason(self.severity, self.text, self.result, self.reason, values)


class Judge:
    """The QC rules of one level; `field` is the name that filters give the verdict."""

    def __init__(self, field: str, checks: Sequence[Sequence[_Rule]]) -> None:
        self.field = field
        self._checks = checks
        rules = [rule for check in checks for rule in check]
        paths = {path: None for rule in rules for path in fields(rule.filter)}
        # The results that the rules look at.
        self.results = tuple({p[0]: None for p in paths if p[0] not in SPECIAL_FIELDS})
        self._fails = _any(_true(r.filter) for r in rules if r.severity is Verdict.FAIL)
        self._warns = _any(_true(r.filter) for r in rules if r.severity is Verdict.WARN)
        self._applies = _any(_known(r.filter) for r in rules)

    def judgement(self, record: Record) -> Judgement:
        """Return the verdict on a record with its results, and the reasons, the worst first."""
        reasons: list[Reason] = []
        applied = False
        for check in self._checks:
            for rule in check:
                truth = rule.truth(record)
                applied = applied or truth is not None
                if truth:
                    reasons.append(rule.why(record))
                    break
        if not reasons:
            return Judgement(Verdict.PASS if applied else Verdict.NOT_JUDGED, (), self.field)
        reasons.sort(key=lambda reason: reason.severity.rank)
        return Judgement(reasons[0].severity, tuple(reasons), self.field)

    def judged(self, record: Record) -> Record:
        """Return the record with its judgement."""
        return replace(record, judgement=self.judgement(record))

    def asked(self, filter: Filter) -> bool:
        """Tell whether a filter speaks of the verdict."""
        return any(path[0] == self.field for path in fields(filter))

    def without_verdicts(self, filter: Filter) -> Filter:
        """Return the same filter with the rules in the place of the verdict."""
        return with_leaves(filter, self._without_verdict)

    def _without_verdict(self, leaf: Leaf) -> Filter:
        if leaf.field[0] != self.field:
            return leaf
        holds = compile_filter(leaf)
        wanted = [verdict for verdict in Verdict if holds(self._example(verdict))]
        return ALWAYS if len(wanted) == len(Verdict) else _any(map(self._is, wanted))

    def _is(self, verdict: Verdict) -> Filter:
        """Return the filter of the records with a verdict, in words of results only."""
        match verdict:
            case Verdict.FAIL:
                return self._fails
            case Verdict.WARN:
                return And((Not(self._fails), self._warns))
            case Verdict.PASS:
                return And((Not(self._fails), Not(self._warns), self._applies))
            case _:
                return Not(self._applies)

    def _example(self, verdict: Verdict) -> Record:
        return Record(RecordKey("sample", "s"), judgement=Judgement(verdict, (), self.field))

    def doubts(self, filter: Filter) -> Iterator[str]:
        """Yield a line for each text that a filter compares the verdict with and that is none."""
        for leaf in leaves(filter):
            match leaf:
                case Comparison((self.field,), "eq", str(value)):
                    yield from self._strange((value,))
                case In((self.field,), values):
                    yield from self._strange(tuple(map(str, values)))

    def _strange(self, values: Sequence[str]) -> Iterator[str]:
        known = list(map(str, Verdict))
        for value in values:
            if value not in known:
                yield f"{self.field} is never {value!r}: verdicts are {', '.join(known)}"


def judges(schema: OutputSchema, problems: Problems = AT_ONCE) -> dict[Level, Judge]:
    """Return what judges the records of each level that has QC rules.

    Raises SchemaError for a wrong filter, an unknown name and a value of another type;
    `problems` may collect them.
    """
    found = {name: _judge(level, schema.source, problems) for name, level in schema.levels.items()}
    return {name: judge for name, judge in found.items() if judge is not None}


def _judge(level: LevelSchema, source: str | None, problems: Problems) -> Judge | None:
    places: list[tuple[ResultSchema | None, QcCheck]] = [
        (result, check) for result in level.results.values() for check in result.qc
    ]
    places += [(None, check) for check in level.qc]
    field = level.verdict_field
    if field is None:
        return None
    compiler = _Compiler(level, field, source)
    checks: list[list[_Rule]] = []
    for result, check in places:
        rules: list[_Rule] = []
        for severity, text in check.rules.items():
            with problems:
                rules.append(compiler.rule(severity, text, result, check))
        checks.append(rules)
    if field in level.results:
        with problems:
            raise schema_error(
                source,
                level.results[field].path,
                f"a level with QC rules cannot have both {VERDICT} and {OTHER_VERDICT}",
                "give the result another name",
            )
    return Judge(field, checks)


class _Compiler:
    """Makes rules of the texts of one level."""

    def __init__(self, level: LevelSchema, field: str, source: str | None) -> None:
        self._level = level
        self._field = field
        self._source = source

    def rule(
        self, severity: Verdict, text: str, result: ResultSchema | None, check: QcCheck
    ) -> _Rule:
        """Return a rule; raises SchemaError for a wrong filter, name or kind of value."""
        place = (*check.path, str(severity))
        try:
            written = parse_filter(text)
        except FilterSyntaxError as error:
            raise schema_error(self._source, place, error.message, error.hint) from None
        for leaf in leaves(written):
            self._check(leaf, result, place)
        meant = written
        if result is not None:
            meant = with_leaves(written, partial(_with_name, name=result.identifier))
        names = tuple((format_path(path), path) for path in dict.fromkeys(fields(meant)))
        return _Rule(
            severity,
            text,
            meant,
            _truth(meant),
            names,
            None if result is None else result.identifier,
            check.reason,
        )

    def _check(self, filter: Leaf, result: ResultSchema | None, place: SchemaPath) -> None:
        name = filter.field[0]
        if name in SPECIAL_FIELDS:
            return
        declared = self._level.results.get(name)
        if result is not None and name == VALUE:
            declared = result
        if declared is None:
            raise self._unknown(name, result, place)
        if len(filter.field) == 1 and (never := _never(filter, declared)) is not None:
            problem = f"{format_path(filter.field)} is declared {_types(declared)}, never {never}"
            raise schema_error(self._source, place, problem, "it would never hold")

    def _unknown(self, name: str, result: ResultSchema | None, place: SchemaPath) -> Exception:
        known = [*self._level.results, *SPECIAL_FIELDS, *([VALUE] if result is not None else [])]
        if name == self._field:
            problem, hint = "a rule cannot ask for the verdict", "ask for the results"
        else:
            problem = f"there is no result {name!r} at {self._level.level} level"
            near = nearest(name, known)
            declared = ", ".join(self._level.results) or "none"
            hint = f"did you mean {near!r}?" if near else f"declared are {declared}"
        return schema_error(self._source, place, problem, hint)


def _never(filter: Leaf, declared: ResultSchema) -> str | None:
    """Return the kind of value in a condition that a result never has, as its type says."""
    if declared.types is None:
        return None
    match filter:
        case Comparison(_, _, value):
            values: tuple[object, ...] = (value,)
        case In(_, listed):
            values = listed
        case Like():
            values = ("",)
        case _:
            values = ()
    numbers = frozenset(("integer", "number"))
    types = declared.types | (numbers if declared.types & numbers else frozenset())
    return next((kind for kind in map(json_type, values) if kind not in types), None)


def _types(declared: ResultSchema) -> str:
    return " or ".join(sorted(declared.types or ()))


def _with_name(leaf: Leaf, name: str) -> Filter:
    """Return a condition with the name of its result in the place of `value`."""
    return replace(leaf, field=(name, *leaf.field[1:])) if leaf.field[0] == VALUE else leaf


def _any(operands: Iterable[Filter]) -> Filter:
    found = tuple(operands)
    return found[0] if len(found) == 1 else Or(found)


def _truth(filter: Filter) -> Truth:
    """Return a rule as a function of a record: true, false, or None where it does not apply."""
    match filter:
        case And(operands):
            return _joined(list(map(_truth, operands)), decides=False)
        case Or(operands):
            return _joined(list(map(_truth, operands)), decides=True)
        case Not(operand):
            inner = _truth(operand)
            return lambda record: None if (found := inner(record)) is None else not found
        case Comparison((name,), operator, int() | float() as wanted) if (
            name not in SPECIAL_FIELDS and not isinstance(wanted, bool)
        ):
            return _of_number(name, COMPARE[operator], wanted)
    holds, path = compile_filter(filter), filter.field
    if isinstance(filter, IsNull):
        return holds
    return lambda record: None if field_value(record, path) is None else holds(record)


def _of_number(name: str, compare: Callable[[JSONValue, JSONValue], bool], wanted: float) -> Truth:
    """Return what most rules are, a result compared with a number: each record is asked."""

    def truth(record: Record) -> bool | None:
        value = record.results.get(name)
        if value is None:
            return None
        return type(value) in (float, int) and compare(value, wanted)

    return truth


def _joined(operands: Sequence[Truth], *, decides: bool) -> Truth:
    """Return `and` or `or`: one operand that `decides` is enough, an unknown one may have been."""

    def truth(record: Record) -> bool | None:
        known = True
        for operand in operands:
            found = operand(record)
            if found is decides:
                return decides
            known = known and found is not None
        return not decides if known else None

    return truth


# The same as filters with two truth values, which every backend knows.


def _true(filter: Filter) -> Filter:
    """Return the filter of the records for which a rule is true."""
    match filter:
        case And(operands):
            return And(tuple(map(_true, operands)))
        case Or(operands):
            return Or(tuple(map(_true, operands)))
        case Not(operand):
            return _false(operand)
    return filter


def _false(filter: Filter) -> Filter:
    """Return the filter of the records for which a rule is false, and not unknown."""
    match filter:
        case And(operands):
            return Or(tuple(map(_false, operands)))
        case Or(operands):
            return And(tuple(map(_false, operands)))
        case Not(operand):
            return _true(operand)
        case IsNull():
            return Not(filter)
    return And((Not(filter), Not(IsNull(filter.field))))


def _known(filter: Filter) -> Filter:
    """Return the filter of the records to which a rule applies."""
    match filter:
        case And() | Or():
            return Or((_true(filter), _false(filter)))
        case Not(operand):
            return _known(operand)
        case IsNull():
            return ALWAYS
    return Not(IsNull(filter.field))
