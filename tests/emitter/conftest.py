"""The emitter in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emitter.programs import Emitter, programs_folder


@pytest.fixture
def emit(tmp_path: Path) -> Emitter:
    """`emit("s1", "n:=1")` returns what is printed, `emit(..., code=1)` the error."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Emitter(programs_folder(tmp_path / "programs"), folder)
