"""Processes that write at once: they say `ready`, wait for a line, and print what is stored.

Each is a fork of a process that has imported what it needs, which takes longer than its work.
"""

from __future__ import annotations

import atexit
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache

from tests import patience
from tests.environments import clean_environment
from tests.forking import running
from tests.repository import REPOSITORY

Writer = subprocess.Popen[str]
# What the writer of a module imports when it works.
_IMPORTED = {
    "tests.yaml.writer": ["tests.yaml.stores", "pipestat_yaml.local.backend"],
    "tests.remote.writer": [
        *("pipestat_spec.manager", "pipestat_yaml.remote.backend", "s3fs"),
        "tests.remote.descriptions:read",
    ],
    "tests.sql.reporter": [
        *("pipestat_spec.manager", "pipestat_sql.backend"),
        *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"),
    ],
}


@cache
def _command(module: str) -> list[str]:
    """Return the command that starts a module; its server ends with this process."""
    servers = ExitStack()
    atexit.register(servers.close)
    environment = clean_environment(PYTHONPATH=str(REPOSITORY))
    return servers.enter_context(running(module, _IMPORTED[module], environment=environment))


def start(module: str, *arguments: object) -> Writer:
    """Start a module of the tests as a writer; it waits until `go`."""
    return subprocess.Popen(
        [*_command(module), *map(str, arguments)],
        cwd=REPOSITORY,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def go(writers: Sequence[Writer]) -> None:
    """Let all begin at the same moment."""
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n", writer.communicate()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()


def finish(writers: Sequence[Writer], *, may_warn: str | None = None) -> list[list[str]]:
    """Wait for all; return the words that each printed.

    None may fail or warn, but of what holds the text `may_warn`.
    """
    said = []
    for writer in writers:
        out, err = writer.communicate(timeout=patience.SECONDS)
        assert writer.returncode == 0, err
        assert all(may_warn is not None and may_warn in line for line in err.splitlines()), err
        said.append(out.split())
    return said
