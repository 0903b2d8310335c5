"""The command `pipestat`: this package's command line, writing new stores as pipestat does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from pipestat_spec.cli import main as run_command
from pipestat_spec.opening import NEW_LAYOUT

__all__ = ["main"]


def main(test_args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    token = NEW_LAYOUT.set("levels")
    try:
        sys.exit(run_command(test_args))
    finally:
        NEW_LAYOUT.reset(token)
