"""The in-memory target in variants that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.memory import MemoryTarget, SnapshotBackend
from pipestat_conformance.targets.operations import Session, StoreSession
from pipestat_conformance.vectors import Opening

from pipestat_spec.backend import Backend
from pipestat_spec.store import Store

__all__ = ["FaultyMemory"]


@dataclass
class FaultyMemory(MemoryTarget):
    """The memory backend with another `kind` of it, other sessions, or other claims."""

    kind: Callable[[Path], Backend] = SnapshotBackend
    session: Callable[[Store], Session] = StoreSession
    claims: tuple[str, ...] | None = None
    claimed_profiles: tuple[str, ...] | None = None

    def backend(self, snapshot: Path) -> Backend:
        return self.kind(snapshot)

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
        return super().capabilities(store, folder) if self.claims is None else self.claims

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:
        return self.claimed_profiles or super().profiles(capabilities)

    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:
        return self.session(self.open_store(store, opening, folder))
