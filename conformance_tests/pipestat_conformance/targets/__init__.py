"""Implementations in Python: what the in-process driver and `serve` open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipestat_conformance.targets.target import Target

__all__ = ["find_target"]


def find_target(backend: str) -> Target:
    """Return the target of a backend, by the name of its plugin."""
    if backend == "memory":
        from pipestat_conformance.targets.memory import MemoryTarget

        return MemoryTarget()
    from pipestat_conformance.targets.target import PluginTarget

    return PluginTarget(backend)
