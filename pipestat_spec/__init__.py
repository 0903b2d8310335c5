"""pipestat-spec: results and run status of pipelines, the same way everywhere.

    from pipestat_spec import PipestatManager

The names below are loaded when they are first used, so that a short-lived command pays
for nothing that it does not need (docs/adr/0003).
"""

from __future__ import annotations

import sys

from pipestat_spec._version import SPEC_VERSION, __version__

_SYSTEMS = {"linux": "Linux", "darwin": "macOS"}

# Not imported from typing, which alone takes as long as all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pipestat_spec.differences import diff
    from pipestat_spec.errors import PipestatError
    from pipestat_spec.manager import (
        PipestatDualManager,
        PipestatManager,
        ProjectPipestatManager,
        SamplePipestatManager,
    )
    from pipestat_spec.plugins.hookspecs import hookimpl


class _UnsupportedSystemError(SystemExit, RuntimeError):
    """This system has not the file locks that the promises rest on.

    It comes with the import, so it ends a program that does not catch it, by one line and code 1.
    """


if sys.platform not in _SYSTEMS:
    raise _UnsupportedSystemError(
        f"error: pipestat-spec {__version__} runs on {' and '.join(_SYSTEMS.values())}, "
        f"not on {sys.platform}; on Windows use it in WSL"
    )

__all__ = [
    "SPEC_VERSION",
    "PipestatDualManager",
    "PipestatError",
    "PipestatManager",
    "ProjectPipestatManager",
    "SamplePipestatManager",
    "__version__",
    "diff",
    "hookimpl",
]

_HOMES = {
    "PipestatDualManager": "pipestat_spec.manager",
    "PipestatManager": "pipestat_spec.manager",
    "ProjectPipestatManager": "pipestat_spec.manager",
    "SamplePipestatManager": "pipestat_spec.manager",
    "PipestatError": "pipestat_spec.errors",
    "diff": "pipestat_spec.differences",
    "hookimpl": "pipestat_spec.plugins.hookspecs",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
