"""Three implementations that are wrong as a whole; none of them may come out conformant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipestat_conformance.claims import CAPABILITIES, PROFILES
from pipestat_conformance.targets.operations import Session
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.faulty_memory import FaultyMemory
from pipestat_spec.errors import UnsupportedOperation
from pipestat_spec.store import Store

__all__ = ["special_target"]


class NullSession(Session):
    """Acknowledges everything and answers everything with null."""

    def perform(self, op: str, args: Mapping[str, Any]) -> Any:  # noqa: ARG002
        return None

    def close(self) -> None:
        """There is nothing to close."""


class UnsupportedSession(NullSession):
    """Supports no operation at all."""

    def perform(self, op: str, args: Mapping[str, Any]) -> Any:  # noqa: ARG002
        raise UnsupportedOperation(f"{op} is not supported")


@dataclass
class SpecialTarget(Target):
    """A target without any implementation, that claims what needs least."""

    name: str
    session: type[Session]

    def capabilities(self, store: Mapping[str, Any], folder: Path) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def profiles(self, capabilities: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        return ("emitter", "reader", "core", "schema")

    def open(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Session:  # noqa: ARG002
        return self.session()


class ClaimsEverything(FaultyMemory):
    """The correct implementation, but for what it cannot do and claims all the same."""

    def open_store(self, store: Mapping[str, Any], opening: Opening, folder: Path) -> Store:
        Path(store["path"]).parent.mkdir(parents=True, exist_ok=True)
        return super().open_store(store, opening, folder)


def special_target(name: str) -> Target:
    """Return one of the three by its name."""
    if name == "claims-everything":
        # All that can be claimed at once.
        claims = tuple(claim for claim in CAPABILITIES if claim != "unnamed-namespace")
        return ClaimsEverything(name, claims=claims, claimed_profiles=tuple(PROFILES))
    return SpecialTarget(name, NullSession if name == "null" else UnsupportedSession)
