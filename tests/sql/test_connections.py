"""Connections of one process: shared by its stores, and given back without `close()`."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from tests.sql.conftest import MakeDatabase
from tests.sql.databases import Database

MANAGERS = 150
A_HANDFUL = 5

Names = Callable[[int], str]


def same(number: int) -> str:
    return "demo"


def another(number: int) -> str:
    return f"demo{number}"


def open_connections(database: Database) -> int:
    """Return how many connections, or open files, the stores of this process have."""
    if database.dialect == "sqlite":
        links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
        targets = [os.readlink(link) for link in links if os.path.lexists(link)]
        return sum(target.startswith(str(database.folder)) for target in targets)
    with database.connection() as raw:
        query = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(raw.execute(query).fetchone()[0])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("name_of", [same, another])
def test_managers_that_are_dropped_leave_no_connections(database: Database, name_of: Names) -> None:
    for number in range(MANAGERS):
        # Not closed: a script that forgets it, or a notebook cell that is run again.
        manager = PipestatManager(config_dict=database.config(pipeline_name=name_of(number)))
        manager.report({"n": number}, f"s{number}")
    del manager
    gc.collect()
    assert open_connections(database) <= A_HANDFUL


def test_managers_of_one_server_share_connections(make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    managers = [database.manager(pipeline_name=another(number)) for number in range(20)]
    for number, manager in enumerate(managers):
        manager.report({"n": number}, "s1")
    assert open_connections(database) <= A_HANDFUL
    assert [manager.retrieve_one("s1", "n") for manager in managers] == list(range(20))
