"""A mutant, or what mutants are made of, as a program that speaks JSON Lines.

python -m conformance_selfcheck.serve --backend NAME [--store JSON]

As the backend `mutants` it is the mutant that the store names, one after the other.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipestat_conformance.serve import main
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.operations import Session
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.mutants import find_mutant
from conformance_selfcheck.mutants.sql_target import NAME, SqliteTarget


class Mutants(Target):
    """The mutants that claim the same: a store names its one as `mutant`."""

    name = "mutants"

    def __init__(self) -> None:
        self._asked: Target | None = None

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
        self._asked, place = _named(store)
        self.version = self._asked.version
        found = self._asked.capabilities(place, folder)
        self.refused_identifiers = self._asked.refused_identifiers
        return found

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        assert self._asked is not None
        return self._asked.profiles(capabilities)

    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:
        target, place = _named(store)
        return target.open(place, opening, folder)


def _named(store: Mapping[str, Any]) -> tuple[Target, Mapping[str, Any]]:
    """Return the mutant that a store names, and the store without the name."""
    place = dict(store)
    return find_mutant(place.pop("mutant")), place


def find(name: str) -> Target:
    """Return a mutant, the store of the SQL mutants, or the target of a backend."""
    if name == Mutants.name:
        return Mutants()
    if name == NAME:
        return SqliteTarget()
    try:
        return find_mutant(name)
    except LookupError:
        return find_target(name)


if __name__ == "__main__":
    sys.exit(main(find=find))
