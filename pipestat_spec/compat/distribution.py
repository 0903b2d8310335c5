"""The distribution that `importlib.metadata` gives where no pipestat is installed."""

from __future__ import annotations

import os
from importlib.metadata import Distribution
from pathlib import Path
from typing import TYPE_CHECKING

from pipestat_spec._version import __version__

if TYPE_CHECKING:
    from importlib.metadata._meta import SimplePath

__all__ = ["StandIn"]

# The version whose interface this is, and who offers it.
_VERSION = f"0.13.1+pipestat.spec.{__version__}"


class StandIn(Distribution):
    """Says its name and its version; it has no files."""

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: pipestat\nVersion: {_VERSION}\n"

    def locate_file(self, path: str | os.PathLike[str]) -> SimplePath:
        return Path(__file__).parent / path
