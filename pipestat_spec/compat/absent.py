"""Names of pipestat that have no counterpart here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

__all__ = ["refuse_name"]


def refuse_name(module: str, name: str, absent: Mapping[str, str]) -> NoReturn:
    """Say what to do instead of using a name, or that there is none of the kind.

    Raises ImportError for a name of `absent`, which maps each to what mends it: the text of
    an AttributeError would be lost in `from module import name`.
    """
    if name not in absent:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    raise ImportError(
        f"pipestat_spec stands in for pipestat here, and has no {module}.{name}; {absent[name]}",
        name=module,
    )
