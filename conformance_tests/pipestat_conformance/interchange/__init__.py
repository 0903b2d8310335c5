"""What a store consists of, files or tables: made, changed and read by nobody's code under test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pipestat_conformance.vectors import Step, Vector

__all__ = ["Inside", "inside", "unfit"]


class Inside(Protocol):
    """The files or tables of one interchange vector's store."""

    def prepare(self, store: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make what the vector says, and return the store."""

    def change(self, step: Step) -> None:
        """Make a step of another program."""

    def check(self, saved: Mapping[str, Any]) -> None:
        """Raise VectorFailed unless everything is as it has to be at the end."""


def inside(vector: Vector, folder: Path) -> Inside:
    """Return what an interchange vector looks at; `folder` is that of its store."""
    if vector.about_tables:
        from pipestat_conformance.interchange.tables import Tables

        return Tables(vector)
    from pipestat_conformance.interchange.files import Folder

    return Folder(folder, vector)


def unfit(vector: Vector, store: Mapping[str, Any]) -> str | None:
    """Return why a vector cannot be run on such a store, or None."""
    if vector.profile != "sql-layout" and not vector.about_tables:
        return None
    from pipestat_conformance.interchange.tables import unfit_for_tables

    return unfit_for_tables(vector, store)
