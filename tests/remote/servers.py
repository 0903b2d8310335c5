"""moto's server, for tests and benchmarks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests import patience
from tests.repository import REPOSITORY

# What any client is given; moto takes every key.
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTKEY", "AWS_SECRET_ACCESS_KEY": "testsecretnevershown"}


@contextmanager
def running_moto(delay: float = 0) -> Iterator[str]:
    """Run moto's server in a process of its own; each request takes `delay` seconds longer."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.remote.moto_server", str(delay)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate(timeout=patience.SECONDS)
