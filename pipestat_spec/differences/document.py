"""A comparison as JSON: `diff --format json` (`pipestat_spec/schemas/diff.schema.json`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipestat_spec.domain.comparison.values import Part, is_missing
from pipestat_spec.domain.times import format_utc

if TYPE_CHECKING:
    from pipestat_spec.differences.comparison import Comparison, Side
    from pipestat_spec.domain.comparison.records import (
        LevelComparison,
        Move,
        ResultDifference,
    )
    from pipestat_spec.domain.comparison.schemas import SchemaDifference
    from pipestat_spec.json_values import JSONValue

__all__ = ["document"]


def document(comparison: Comparison) -> dict[str, JSONValue]:
    """Return all differences; where a side has no value, its key is left out."""
    return {
        "before": _side(comparison.before),
        "after": _side(comparison.after),
        "changed": comparison.is_changed,
        "worse": comparison.is_worse,
        "removed": comparison.has_removed,
        "schema": list(map(_schema, comparison.schema)),
        "levels": {level: _level(found) for level, found in comparison.levels.items()},
        "notes": list(comparison.notes),
    }


def _side(side: Side) -> dict[str, JSONValue]:
    return {
        "store": side.place,
        "pipeline_name": side.store.namespace,
        "time": None if side.at is None else format_utc(side.at),
    }


def _schema(found: SchemaDifference) -> dict[str, JSONValue]:
    shown = {"difference": found.difference, "level": found.level, "name": found.name}
    sides = {"before": dict(found.before), "after": dict(found.after)}
    return {**shown, **{side: value for side, value in sides.items() if value}}


def _level(found: LevelComparison) -> dict[str, JSONValue]:
    return {
        "records": {
            "before": found.before,
            "after": found.after,
            "same": found.same,
            "changed": found.changed,
            "added": found.added,
            "removed": found.removed,
        },
        "verdicts": list(map(_move, found.verdicts)),
        "statuses": list(map(_move, found.statuses)),
        "results": list(map(_result, found.results)),
        "renamed": found.renamed,
    }


def _move(move: Move) -> dict[str, JSONValue]:
    return {
        "record_identifier": move.record_identifier,
        "before": move.before,
        "after": move.after,
        "worse": move.is_worse,
        "message": move.message,
    }


def _result(found: ResultDifference) -> dict[str, JSONValue]:
    shown: dict[str, Any] = {
        "record_identifier": found.record_identifier,
        "result": found.result,
        "difference": found.difference,
        "trend": found.trend,
        **_sides(found.before, found.after),
    }
    if found.part_count == 1 and not found.parts[0].place:
        return shown | _numbers(found.parts[0])
    parts = [_part(part) for part in found.parts]
    return {**shown, "part_count": found.part_count, "parts": parts}


def _part(part: Part) -> dict[str, JSONValue]:
    shown = {"place": list(part.place), "trend": part.trend}
    return {**shown, **_sides(part.before, part.after), **_numbers(part)}


def _sides(before: JSONValue, after: JSONValue) -> dict[str, JSONValue]:
    sides = {"before": before, "after": after}
    return {side: value for side, value in sides.items() if not is_missing(value)}


def _numbers(part: Part) -> dict[str, JSONValue]:
    if not part.is_numeric:
        return {}
    return {"delta": part.delta, "percent": part.percent}
