"""moto's server, for tests and benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests import patience
from tests.repository import REPOSITORY

# What any client is given; moto takes every key.
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTKEY", "AWS_SECRET_ACCESS_KEY": "testsecretnevershown"}


@contextmanager
def running_moto(delay: float = 0, page: int = 1000) -> Iterator[str]:
    """Run moto's server in a process of its own.

    Each request takes `delay` seconds longer; a list has at most `page` objects.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "tests.remote.moto_server", str(delay)],
        cwd=REPOSITORY,
        env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(page)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate(timeout=patience.SECONDS)
