"""Fixtures of the tests that cross the border to other programs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.reference_scripts import SCHEMA


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """The output schema that both packages take, in a folder of its own."""
    path = tmp_path / "schema" / "output_schema.yaml"
    path.parent.mkdir()
    path.write_text(SCHEMA)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for the results file and its flags."""
    path = tmp_path / "results"
    path.mkdir()
    return path


@pytest.fixture(params=["UTC0", "IST-5:30", "NST+3:30"])
def time_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A local time zone for this process and those it starts (POSIX form: the sign is turned)."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
