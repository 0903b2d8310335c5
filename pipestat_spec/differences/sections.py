"""What people are shown of a comparison: a table for each kind of difference."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pipestat_spec.domain.comparison.criteria import Place
from pipestat_spec.domain.comparison.values import Part, is_missing
from pipestat_spec.domain.times import format_utc
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from pipestat_spec.differences.comparison import Comparison, Side
    from pipestat_spec.domain.comparison.records import (
        LevelComparison,
        Move,
        ResultDifference,
    )
    from pipestat_spec.domain.comparison.schemas import SchemaDifference
    from pipestat_spec.json_values import JSONValue

__all__ = ["ARROW", "Section", "headline", "left_out_text", "sections", "summary", "value_text"]

ARROW = "\N{RIGHTWARDS ARROW}"
# Characters of a value, and the places of one that are named.
_WIDEST = 24
_PLACES = 3
_LONGEST_WHY = 60
_EXAMPLES = 3
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
T = TypeVar("T")


@dataclass
class Section:
    """A table: texts in rows, of which `left_out` more are not shown.

    `numbers` are the places of columns that stand on the right; `tones` say of each row whether
    it is `worse`, `better` or neither.
    """

    title: str
    columns: tuple[str, ...]
    numbers: frozenset[int] = frozenset()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    tones: list[str] = field(default_factory=list)
    left_out: int = 0


def headline(comparison: Comparison) -> str:
    """Return the two sides: `golden.yaml → results.yaml`."""
    before, after = comparison.before, comparison.after
    with_names = before.store.namespace != after.store.namespace
    return f"{_side(before, with_names)} {ARROW} {_side(after, with_names)}"


def _side(side: Side, with_name: bool) -> str:
    name = f", {side.store.namespace}" if with_name else ""
    time = f" at {format_utc(side.at)}" if side.at is not None else ""
    return f"{side.place}{name}{time}"


def summary(comparison: Comparison) -> list[str]:
    """Return a line for each level: how many records are the same, differ, came and went."""
    return [_level_summary(level) for level in comparison.levels.values()]


def _level_summary(level: LevelComparison) -> str:
    both = level.before - len(level.removed)
    parts = [f"{level.same} the same", f"{level.changed} changed"]
    parts += [f"{len(level.added)} added", f"{len(level.removed)} removed"]
    worse = sum(result.trend == "worse" for result in level.results)
    worse += sum(move.is_worse for move in (*level.statuses, *level.verdicts))
    what = "records" if level.level == "sample" else "records of the project level"
    text = f"{both} {what} in both: {parts[0]}, {parts[1]}; {parts[2]}, {parts[3]}"
    return text + (f"; {worse} worse" if worse else "")


def sections(comparison: Comparison, limit: int) -> list[Section]:
    """Return the tables that have rows, each for at most `limit` differences; 0: all."""
    found = []
    if comparison.schema:
        columns = ("change", "result", "schema")
        found.append(_section("Output schema", columns, comparison.schema, _schema_rows, limit))
    for level in comparison.levels.values():
        found += _level_sections(level, limit)
    return [_without_empty(section) for section in found if section.rows]


def _level_sections(level: LevelComparison, limit: int) -> Iterator[Section]:
    at = "" if level.level == "sample" else " (project level)"
    moves = ("record", "before", "after", "why", "")
    yield _section(f"Verdicts that moved{at}", moves, level.verdicts, _move_rows, limit)
    yield _section(f"Statuses that moved{at}", moves, level.statuses, _move_rows, limit)
    for title, names in (("removed", level.removed), ("added", level.added)):
        yield _section(f"Records {title}{at}", ("record",), names, lambda name: [(name,)], limit)
    kinds: dict[str, list[ResultDifference]] = {}
    for one in level.results:
        kind: str = one.difference
        if kind == "changed":
            kind = "Other values" if one.number is None else "Numbers"
        kinds.setdefault(kind, []).append(one)
    for title in ("removed", "added"):
        groups = _grouped(kinds.get(title, []), title, level.renamed)
        heads = ("result", "records", "in", "")
        yield _section(f"Results {title}{at}", heads, groups, lambda row: [row], limit, (1,))
    for title, right in (("Numbers", (2, 3, 4, 5)), ("Other values", (4, 5))):
        some = kinds.get(title, [])
        columns = ("record", "result", "before", "after", "delta", "percent", "")
        yield _section(f"{title} that changed{at}", columns, some, _value_rows, limit, right)


def _section(
    title: str,
    columns: tuple[str, ...],
    things: Sequence[T],
    rows_of: Callable[[T], list[tuple[str, ...]]],
    limit: int,
    numbers: Iterable[int] = (),
) -> Section:
    shown = things[:limit] if limit else things
    rows = [row for thing in shown for row in rows_of(thing)]
    tones = [row[-1] if row[-1] in ("worse", "better") else "" for row in rows]
    return Section(title, columns, frozenset(numbers), rows, tones, len(things) - len(shown))


def _without_empty(section: Section) -> Section:
    """Return the table without the columns that no row has a text in."""
    kept = [n for n in range(len(section.columns)) if any(row[n] for row in section.rows)]
    section.numbers = frozenset(kept.index(n) for n in section.numbers if n in kept)
    section.columns = tuple(section.columns[n] for n in kept)
    section.rows = [tuple(row[n] for n in kept) for row in section.rows]
    return section


def left_out_text(section: Section) -> str:
    """Return what stands below a table of which rows are left out."""
    return f"and {section.left_out} more"


def _schema_rows(found: SchemaDifference) -> list[tuple[str, ...]]:
    name = found.name if found.level is not None else f"status {found.name}"
    name += " (project level)" if found.level == "project" else ""
    if found.difference == "changed":
        what = "; ".join(
            f"{key}: {_schema_text(found.before[key])} {ARROW} {_schema_text(found.after[key])}"
            for key in found.keys
        )
    else:
        definition = found.before if found.difference == "removed" else found.after
        what = _schema_text(definition.get("object_type") or definition.get("type"))
    return [(found.difference, name, what)]


def _schema_text(value: JSONValue) -> str:
    if isinstance(value, str):
        return shorten(value, _WIDEST)
    return "(none)" if value is None else value_text(value)


def _move_rows(move: Move) -> list[tuple[str, ...]]:
    texts = (move.before or "(none)", move.after or "(none)")
    why = shorten(move.message or "", _LONGEST_WHY)
    return [(move.record_identifier, *texts, why, "worse" if move.is_worse else "")]


def _grouped(
    results: Iterable[ResultDifference], difference: str, renamed: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """Return a row for each result: its name, how many records, which, and its other name."""
    groups: dict[str, list[str]] = {}
    for one in results:
        groups.setdefault(one.result, []).append(one.record_identifier)
    others = {**renamed, **{new: old for old, new in renamed.items()}}
    way = "probably now" if difference == "removed" else "probably once"
    return [
        (
            name,
            str(len(records)),
            _examples(records),
            f"{way} {others[name]}: equal values" if name in others else "",
        )
        for name, records in groups.items()
    ]


def _examples(records: Sequence[str]) -> str:
    more = len(records) - _EXAMPLES
    return ", ".join(records[:_EXAMPLES]) + (", \N{HORIZONTAL ELLIPSIS}" if more > 0 else "")


def _value_rows(found: ResultDifference) -> list[tuple[str, ...]]:
    """Return a row for each place in which a result differs; of many the first ones."""
    rows: list[tuple[str, ...]] = [
        (
            found.record_identifier,
            _place_text(found.result, part.place),
            value_text(part.before),
            value_text(part.after),
            _delta_text(part),
            _percent_text(part),
            (part.trend if part.place else found.trend) or "",
        )
        for part in found.parts[:_PLACES]
    ]
    if more := found.part_count - len(rows):
        text = f"{more} more places" if more > 1 else "1 more place"
        rows.append((found.record_identifier, f"{found.result}: {text}", *[""] * 5))
    return rows


def _delta_text(part: Part) -> str:
    delta = part.delta
    if delta is None:
        return ""
    return f"{delta:+d}" if isinstance(delta, int) else f"{delta:+.6g}"


def _percent_text(part: Part) -> str:
    percent = part.percent
    return "" if percent is None else f"{percent:+.3g} %"


def _place_text(result: str, place: Place) -> str:
    """Return `align.rate`, `hist[3]`, as the filter language writes the keys of objects."""
    text = result
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _BARE.fullmatch(step) else '"' + step.replace('"', '""') + '"'
            text += f".{name}" if text else name
    return text


def value_text(value: JSONValue) -> str:
    """Return a value as short JSON, so that "1" is not 1; `(missing)` where there is none."""
    if is_missing(value):
        return "(missing)"
    return shorten(json.dumps(_cut(value), ensure_ascii=False), _WIDEST)


def _cut(value: JSONValue) -> JSONValue:
    """Return enough of a value to show its beginning."""
    if isinstance(value, str):
        return value[: _WIDEST + 1]
    if isinstance(value, list):
        return [_cut(item) for item in value[:_WIDEST]]
    if isinstance(value, dict):
        return {key[: _WIDEST + 1]: _cut(item) for key, item in _first(value.items())}
    return value


def _first(items: Iterable[T]) -> Iterator[T]:
    return islice(items, _WIDEST)
