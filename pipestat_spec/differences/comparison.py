"""What differs between two sides, as `diff` found it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from pipestat_spec.domain.comparison.records import LevelComparison
from pipestat_spec.domain.comparison.schemas import SchemaDifference
from pipestat_spec.models.record import Level
from pipestat_spec.store import Store

__all__ = ["CONDITIONS", "Comparison", "Condition", "Side"]

# What a gate may ask for.
Condition: TypeAlias = Literal["changed", "worse", "removed"]
CONDITIONS: tuple[Condition, ...] = ("changed", "worse", "removed")


class Side(NamedTuple):
    """One of the two that are compared: an opened store, and the time when it is looked at.

    `at` None: now. `place` is how people know it.
    """

    store: Store
    place: str
    at: datetime | None = None


@dataclass
class Comparison:
    """What differs between two sides; `notes` say what could not be told.

    `levels` has the levels that were compared.
    """

    before: Side
    after: Side
    schema: list[SchemaDifference] = field(default_factory=list)
    levels: dict[Level, LevelComparison] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether anything differs, the output schema included."""
        return bool(self.schema) or any(level.differs for level in self.levels.values())

    @property
    def is_worse(self) -> bool:
        """Whether a number, a status or a verdict is worse than before."""
        return any(level.is_worse for level in self.levels.values())

    @property
    def has_removed(self) -> bool:
        """Whether a record, or a result of a record, is gone."""
        return any(level.has_removed for level in self.levels.values())

    def fulfils(self, condition: Condition) -> bool:
        """Tell whether the condition of a gate holds."""
        return {
            "changed": self.is_changed,
            "worse": self.is_worse,
            "removed": self.has_removed,
        }[condition]
