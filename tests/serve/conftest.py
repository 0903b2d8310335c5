"""Servers that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.report.conftest import new_browser as new_browser
from tests.serve.servers import Server
from tests.sql.conftest import postgres as postgres

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers in the test's folder; all are ended after the test."""
    started: list[Server] = []

    def start(*arguments: object) -> Server:
        started.append(Server(tmp_path, *arguments))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()
