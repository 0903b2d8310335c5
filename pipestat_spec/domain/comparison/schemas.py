"""What differs between two output schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from pipestat_spec.json_values import same_value
from pipestat_spec.models.record import LEVELS, Level
from pipestat_spec.models.schema.output_schema import LevelSchema, OutputSchema

__all__ = ["Difference", "SchemaDifference", "schema_differences"]

Difference: TypeAlias = Literal["added", "removed", "changed"]


class SchemaDifference(NamedTuple):
    """A result, or a status, that only one schema declares, or that the two declare differently.

    `keys` are the keywords that differ, `before` and `after` what they are; null where a
    keyword is not there. `level` None: a status.
    """

    difference: Difference
    level: Level | None
    name: str
    keys: tuple[str, ...] = ()
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}


def schema_differences(
    before: OutputSchema | None, after: OutputSchema | None
) -> list[SchemaDifference]:
    """Return what two schemas declare differently; nothing where one of them is not known."""
    if before is None or after is None:
        return []
    found: list[SchemaDifference] = []
    for level in LEVELS:
        old, new = before.levels[level], after.levels[level]
        found += _named(level, _definitions(old), _definitions(new))
    found += _named(None, _statuses(before), _statuses(after))
    return found


def _definitions(level: LevelSchema) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {
        name: result.written_out for name, result in level.results.items()
    }
    if level.additional_properties is not True:
        # What holds for all other results stands under the keyword's name, as in the schema.
        found["additionalProperties"] = {"additionalProperties": level.additional_properties}
    return found


def _statuses(schema: OutputSchema) -> dict[str, Mapping[str, Any]]:
    return dict(schema.status.as_dict()) if schema.status is not None else {}


def _named(
    level: Level | None,
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
) -> Iterator[SchemaDifference]:
    for name in (*before, *(name for name in after if name not in before)):
        old, new = before.get(name), after.get(name)
        if old is None:
            yield SchemaDifference("added", level, name, after=new or {})
        elif new is None:
            yield SchemaDifference("removed", level, name, before=old)
        elif not same_value(old, new):
            keys = tuple(
                key
                for key in (*old, *(key for key in new if key not in old))
                if key not in old or key not in new or not same_value(old[key], new[key])
            )
            yield SchemaDifference(
                "changed",
                level,
                name,
                keys,
                {key: old.get(key) for key in keys},
                {key: new.get(key) for key in keys},
            )
