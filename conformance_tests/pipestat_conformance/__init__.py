"""The conformance suite: does a backend, or a program in any language, follow the specification?

    from pipestat_conformance import suite
    TestMyDB = suite("mydb", store=lambda tmp: {"url": f"sqlite:///{tmp}/r.db"})

makes a pytest class with one test for each vector. The command line does the same:

    pipestat-spec conformance run --backend mydb --store '{"url": "sqlite:///{tmp}/r.db"}'

Names are loaded when they are first used: this package is looked at by every command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipestat_conformance.options import RunOptions
    from pipestat_conformance.run import run
    from pipestat_conformance.suite import suite

__all__ = ["RunOptions", "run", "suite"]

_HOMES = {
    "RunOptions": "pipestat_conformance.options",
    "run": "pipestat_conformance.run",
    "suite": "pipestat_conformance.suite",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
