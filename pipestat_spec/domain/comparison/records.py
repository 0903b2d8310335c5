"""What differs between the records of two stores, both in the order of their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from pipestat_spec.domain.comparison.criteria import Criteria
from pipestat_spec.domain.comparison.renames import Renames
from pipestat_spec.domain.comparison.schemas import Difference
from pipestat_spec.domain.comparison.values import (
    MISSING,
    Part,
    Trend,
    differing,
    is_missing,
    is_number,
    number_part,
)
from pipestat_spec.json_values import JSONValue, same_value
from pipestat_spec.models.record import Level, Record
from pipestat_spec.models.verdict import Verdict

__all__ = [
    "LevelComparison",
    "Move",
    "ResultDifference",
    "compare_records",
    "is_worse_status",
    "is_worse_verdict",
]

# Parts of one value that are kept, the largest first; all of them are judged.
_MOST_PARTS = 100
_INTEGER, _FLOAT = {int}, {float}
_SCALARS = frozenset((bool, int, float, str, type(None)))


class Move(NamedTuple):
    """The status, or the verdict, that a record had before and has after; None where none.

    `message` is that of the status after, or why the verdict is what it is.
    """

    record_identifier: str
    before: str | None
    after: str | None
    is_worse: bool
    message: str | None = None


class ResultDifference(NamedTuple):
    """A result of a record that both stores have, and that differs; MISSING where it is not.

    `parts` are the places in which the two values differ, the largest effect first; at most 100
    of `part_count`. `trend` is worse when one of all is, `effect` the largest of all
    (`Part.effect`).
    """

    record_identifier: str
    result: str
    before: JSONValue
    after: JSONValue
    parts: tuple[Part, ...]
    part_count: int = 1
    trend: Trend | None = None
    effect: float = -1.0

    @property
    def difference(self) -> Difference:
        """Whether the result was added, removed or changed."""
        if is_missing(self.before):
            return "added"
        return "removed" if is_missing(self.after) else "changed"

    @property
    def number(self) -> Part | None:
        """The part when it is the only one and both values are numbers."""
        # Other values have no effect.
        return self.parts[0] if self.part_count == 1 and self.effect >= 0 else None


@dataclass
class LevelComparison:
    """What differs in the records of one level.

    `added` and `removed` are the names of records that only one store has, `changed` how many
    of those in both differ, `same` how many do not. `results` come by their effect: worse
    ones first, then results that are gone, changed numbers by the part of themselves by which
    they changed, other changes, new results. `renamed` leads from a result that is gone
    everywhere to a new one with equal values.
    """

    level: Level
    before: int = 0
    after: int = 0
    changed: int = 0
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    statuses: list[Move] = field(default_factory=list)
    verdicts: list[Move] = field(default_factory=list)
    results: list[ResultDifference] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def same(self) -> int:
        """How many records of both stores are the same."""
        return self.before - len(self.removed) - self.changed

    @property
    def differs(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)

    @property
    def is_worse(self) -> bool:
        """Whether a number, a status or a verdict is worse than before."""
        moved = any(move.is_worse for move in (*self.statuses, *self.verdicts))
        return moved or any(result.trend == "worse" for result in self.results)

    @property
    def has_removed(self) -> bool:
        """Whether a record, or a result of a record, is gone."""
        return bool(self.removed) or any(is_missing(result.after) for result in self.results)


def is_worse_status(before: str | None, after: str | None) -> bool:
    """Tell whether a record went away from `completed`, or to `failed`."""
    return before != after and after != "completed" and (before == "completed" or after == "failed")


# From bad to good: a record that passed and cannot be judged any more has lost something.
_BY_WORTH = (Verdict.FAIL, Verdict.WARN, Verdict.NOT_JUDGED, Verdict.PASS)


def is_worse_verdict(before: Verdict, after: Verdict) -> bool:
    """Tell whether a verdict is worse: `pass` is best, then `not judged`, `warn`, `fail`."""
    return _BY_WORTH.index(after) < _BY_WORTH.index(before)


def compare_records(
    level: Level,
    before: Iterable[Record],
    after: Iterable[Record],
    criteria: Criteria,
) -> LevelComparison:
    """Compare two streams in code-point order of identifiers; differences alone are kept.

    Verdicts are compared where both records are judged. Raises SchemaError for a criterion that
    is none.
    """
    found, renames = LevelComparison(level), Renames()
    for old, new in _paired(before, after):
        found.before += old is not None
        found.after += new is not None
        if old is None or new is None:
            if new is not None:
                found.added.append(new.key.identifier)
            elif old is not None:
                found.removed.append(old.key.identifier)
            continue
        name = old.key.identifier
        known = len(found.statuses) + len(found.verdicts) + len(found.results)
        if old.status != new.status:
            is_worse = is_worse_status(old.status, new.status)
            moved = Move(name, old.status, new.status, is_worse, new.status_message)
            found.statuses.append(moved)
        if old.judgement is not None and new.judgement is not None:
            first, second = old.judgement.verdict, new.judgement.verdict
            if first != second:
                is_worse = is_worse_verdict(first, second)
                moved = Move(name, str(first), str(second), is_worse, new.judgement.text or None)
                found.verdicts.append(moved)
        found.results += _results(level, name, old.results, new.results, criteria, renames)
        found.changed += len(found.statuses) + len(found.verdicts) + len(found.results) > known
    found.results.sort(key=_order)
    found.statuses.sort(key=lambda move: not move.is_worse)
    found.verdicts.sort(key=lambda move: not move.is_worse)
    found.renamed = renames.probable()
    return found


def _paired(
    before: Iterable[Record], after: Iterable[Record]
) -> Iterator[tuple[Record | None, Record | None]]:
    """Yield the records of one name together, None where one side has none."""
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.key.identifier < new.key.identifier):
            yield old, None
            old = next(olds, None)
        elif old is None or new.key.identifier < old.key.identifier:
            yield None, new
            new = next(news, None)
        else:
            yield old, new
            old, new = next(olds, None), next(news, None)


def _results(
    level: Level,
    name: str,
    before: Mapping[str, JSONValue],
    after: Mapping[str, JSONValue],
    criteria: Criteria,
    renames: Renames,
) -> Iterator[ResultDifference]:
    gone = []
    for result, old in before.items():
        new = after.get(result, MISSING)
        # Most values are the same: told at sight.
        if old == new and (
            type(old) is type(new) if type(old) in _SCALARS else same_value(old, new)
        ):
            continue
        if new is MISSING:
            gone.append(result)
            yield ResultDifference(name, result, old, MISSING, (Part((), old, MISSING),))
        elif found := _difference(level, name, result, old, new, criteria):
            yield found
    added = [result for result in after if result not in before]
    for result in added:
        new = after[result]
        yield ResultDifference(name, result, MISSING, new, (Part((), MISSING, new),))
    if gone or added:
        renames.see(before, after, gone, added)
        renames.keep(before.keys() & after.keys())
    else:
        renames.keep(before.keys())


def _difference(
    level: Level,
    name: str,
    result: str,
    before: JSONValue,
    after: JSONValue,
    criteria: Criteria,
) -> ResultDifference | None:
    kinds = {type(before), type(after)}
    if kinds in (_FLOAT, _INTEGER):
        # Most differences are such.
        part = number_part(before, after, criteria.of(level, result))
        if part is None:
            return None
        return ResultDifference(name, result, before, after, (part,), 1, part.trend, part.effect)
    parts = list(differing(before, after, partial(criteria.of, level, result)))
    if not parts:
        return None
    trends = {part.trend for part in parts}
    trend: Trend | None = "worse" if "worse" in trends else None
    if trend is None and trends == {"better"}:
        trend = "better"
    if trend is None and _lost_number(before, after) and criteria.of(level, result).better:
        trend = "worse"
    if len(parts) > 1:
        parts.sort(key=lambda part: (part.trend != "worse", -part.effect))
    effect = max(part.effect for part in parts)
    kept = tuple(parts[:_MOST_PARTS])
    return ResultDifference(name, result, before, after, kept, len(parts), trend, effect)


def _lost_number(before: JSONValue, after: JSONValue) -> bool:
    return is_number(before) and not is_number(after)


def _order(found: ResultDifference) -> tuple[int, float, str, str]:
    if found.trend == "worse":
        rank = 0
    elif is_missing(found.after):
        rank = 1
    elif is_missing(found.before):
        rank = 4
    else:
        rank = 2 if found.effect >= 0 else 3
    return (rank, -found.effect, found.record_identifier, found.result)
