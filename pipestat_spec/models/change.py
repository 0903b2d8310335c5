"""A change of one record, as the domain decides it and a backend stores it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.record import HistoryEntry, Record

__all__ = ["NOTHING", "Change", "Outcome", "Transition"]

NOTHING: Mapping[str, JSONValue] = MappingProxyType({})


class Outcome(NamedTuple):
    """What a change decided: the record to store (None deletes it) and history to append.

    An outcome whose record *is* the current record (the same object) stores nothing. `keep` is how
    many entries of each result in `history` stay then, the newest ones; None for all.
    """

    record: Record | None
    history: tuple[HistoryEntry, ...] = ()
    keep: int | None = None


class Change(Protocol):
    """A pure function from the record as it stands, or None, to what is to be stored.

    `foreign` are values that other programs keep beside the results, under names that are no
    results; only a store that has such values gives them. What a change raises refuses it.
    """

    def __call__(
        self, current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /
    ) -> Outcome: ...


class Transition(NamedTuple):
    """A record as a change found it and as it is now; None where there was or is none.

    A change that stored nothing has the same object twice.
    """

    before: Record | None
    after: Record | None
