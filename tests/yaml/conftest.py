"""A store on a local file, driven as the core drives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.yaml.stores import Stored, open_stored


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., Stored]:
    """`stored(name, **settings)` opens the results file `name` in a folder of its own."""

    def open_it(name: str = "results.yaml", **settings: Any) -> Stored:
        return open_stored(tmp_path / name, **settings)

    return open_it


@pytest.fixture
def data() -> Path:
    """Files that released versions of pipestat wrote."""
    return Path(__file__).parent / "data"
