"""The package `pipestat` of the drop-in; its names are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipestat_spec.compat.manager import (
        PipestatDualManager,
        PipestatManager,
        ProjectPipestatManager,
        SamplePipestatManager,
    )
    from pipestat_spec.errors import PipestatError

__all__ = [
    "PipestatDualManager",
    "PipestatError",
    "PipestatManager",
    "ProjectPipestatManager",
    "SamplePipestatManager",
]

# Attributes of the package without an import of their own, as `import pipestat` gives them.
_MODULES = ("const", "exceptions", "helpers", "pipestat")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "errors" if name == "PipestatError" else "compat.manager"
    value = getattr(import_module(f"pipestat_spec.{home}"), name)
    globals()[name] = value
    return value
