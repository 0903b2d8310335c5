"""The SQLite store of the mutants as a target, and the way to make a mutant of it.

@tables("PS-SQL-006")
class NullIsNotReported(SqliteTables): ...       # a variant of the store with one fault
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.memory import MemoryTarget
from pipestat_conformance.targets.target import default_profiles
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.mutants.mutation import register
from conformance_selfcheck.mutants.sql_store import SqliteTables
from pipestat_spec.store import Store

__all__ = ["NAME", "SqliteTarget", "tables"]

NAME = "sqlite-tables"


@dataclass
class SqliteTarget(MemoryTarget):
    """The store in a database, and all else as the memory backend has it."""

    name: str = NAME
    kind: Callable[..., SqliteTables] = SqliteTables

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(sorted(map(str, SqliteTables.capabilities)))

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        return default_profiles(capabilities, "sql-layout")

    def open_store(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Store:
        opened = super().open_store({"snapshot": str(folder / "unused")}, opening, folder)
        path = store["url"].partition("///")[2]
        return Store(
            self.kind(path, opened.settings),
            opened.settings,
            validate=opened.rules.validate,
            additional_properties=opened.rules.additional_properties,
            history_limit=opened.rules.history_limit,
        )


Kind = type[SqliteTables]


def tables(*breaks: str, trials: tuple[str, ...] = ()) -> Callable[[Kind], Kind]:
    """Make a mutant of a faulty variant of the store."""

    def enter(kind: Kind) -> Kind:
        register(kind, breaks, lambda name: SqliteTarget(name, kind=kind), NAME, trials)
        return kind

    return enter
