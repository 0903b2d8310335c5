"""Parts of the suite that need something from outside: left out and listed, or required.

A leg that is left out skips its tests and is listed at the end of the run with the line
that installs what it needs. With PIPESTAT_REQUIRE_ALL=1 it fails instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NoReturn

import pytest

_left_out: dict[str, tuple[str, str]] = {}


def leave_out(name: str, reason: str, install: str) -> NoReturn:
    """End the current test or fixture: this leg cannot run here."""
    _left_out[name] = (reason, install)
    text = f"{name}: {reason} (to run it: {install})"
    if os.environ.get("PIPESTAT_REQUIRE_ALL") == "1":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def summary_lines() -> list[str]:
    """Return what was left out in this run, a line for each leg."""
    return [
        f"{name}: {reason}; to run it: {install}"
        for name, (reason, install) in sorted(_left_out.items())
    ]


def left_out() -> dict[str, tuple[str, str]]:
    """Return what was left out in this process: reason and installation by leg."""
    return dict(_left_out)


def add_left_out(legs: Mapping[str, Sequence[str]]) -> None:
    """Add what another process of the same run left out."""
    for name, (reason, install) in legs.items():
        _left_out[name] = (reason, install)
