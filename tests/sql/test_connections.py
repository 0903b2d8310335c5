"""How many connections a process has: stores of one server share them, and all are given back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pipestat_conformance.targets import find_target
from pipestat_conformance.vectors import Opening

from pipestat_spec import PipestatManager
from tests import patience
from tests.environments import clean_environment
from tests.sql.databases import Database
from tests.sql.servers import PostgresServer

MANY, HANDFUL = 50, 5


@pytest.fixture
def connections(postgres: PostgresServer) -> Callable[[], int]:
    """How many connections a new database has, which `connections.config` is for."""
    name = postgres.new_database()

    def count() -> int:
        with postgres.connect() as connection:
            [(found,)] = connection.execute(
                "select count(*) from pg_stat_activity where datname = %s", (name,)
            ).fetchall()
        return int(found)

    count.url = postgres.url(name)  # type: ignore[attr-defined]
    return count


def manager(url: str, namespace: str = "demo", **options: Any) -> PipestatManager:
    section = {"url": url, **options}
    return PipestatManager(
        config_dict={"backend": "sql", "sql": section, "pipeline_name": namespace}
    )


def use(psm: PipestatManager, number: int) -> None:
    psm.report({"n": number}, "s1")
    assert psm.retrieve_one("s1", "n") == number
    assert psm.select_records(limit=1)["total_size"] == 1


def soon(count: Callable[[], int], wanted: int) -> None:
    """Wait for a server that still ends what was closed."""
    patience.wait_until(lambda: count() <= wanted, f"{wanted} connections", 0.05)


@pytest.mark.parametrize("namespaces", [1, MANY])
def test_managers_that_are_dropped(connections: Any, namespaces: int) -> None:
    for number in range(MANY):
        use(manager(connections.url, f"demo{number % namespaces}"), number)
    assert connections() <= HANDFUL
    soon(connections, 0)


@pytest.mark.parametrize("namespaces", [1, MANY])
def test_managers_that_stay(connections: Any, namespaces: int) -> None:
    kept = []
    for number in range(MANY):
        kept.append(manager(connections.url, f"demo{number % namespaces}"))
        use(kept[-1], number)
    assert connections() <= HANDFUL
    for psm in kept[:-1]:
        psm.close()
    use(kept[-1], MANY)
    kept[-1].close()
    soon(connections, 0)


def test_stores_of_other_options_have_their_own(connections: Any) -> None:
    one, other = manager(connections.url), manager(connections.url, patience=5)
    use(one, 1)
    use(other, 2)
    assert connections() == 2
    one.close()
    soon(connections, 1)
    use(other, 3)


def test_schemas_of_one_database_share_connections(connections: Any) -> None:
    stores = [manager(connections.url, schema=f"place{number}") for number in range(10)]
    for number, psm in enumerate(stores):
        use(psm, number)
    assert connections() == 1


def test_stores_of_the_suite_share_connections(connections: Any, tmp_path: Path) -> None:
    """The one that told the capabilities stays open until the target is closed."""
    target = find_target("sql")
    place = {"url": connections.url, "schema": "asked"}
    target.capabilities(place, tmp_path)
    for number in range(3):
        place["schema"] = f"place{number}"
        session = target.open(place, Opening(None, {"namespace": "ns"}), tmp_path)
        session.perform("report", {"record": "s1", "values": {"n": number}})
        session.close()
        assert connections() == 1
    target.close()
    soon(connections, 0)


def handles(folder: Path) -> int:
    """Return how many files of a folder this process has open."""
    links = (Path("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(str(folder) in os.readlink(link) for link in links if link.is_symlink())


def test_managers_of_a_file_that_are_dropped(tmp_path: Path) -> None:
    for number in range(MANY):
        use(manager(f"sqlite:///{tmp_path}/results.db"), number)
        assert handles(tmp_path) <= HANDFUL
    assert handles(tmp_path) == 0
    assert os.listdir(tmp_path) == ["results.db"]


def test_a_file_that_was_replaced_while_a_store_was_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/results.db"
    before = manager(url)
    before.report({"n": 1}, "s1")
    for name in os.listdir(tmp_path):
        (tmp_path / name).unlink()
    after = manager(url)
    assert after.record_count == 0
    after.report({"n": 2}, "s2")
    with manager(url) as again:
        assert again.retrieve_one("s2", "n") == 2
    before.close()


def test_a_process_that_closes_nothing_leaves_a_whole_file(tmp_path: Path) -> None:
    script = (
        "from pipestat_spec import PipestatManager\n"
        f"config = {{'database': {{'sqlite_url': {str(tmp_path / 'results.db')!r}}},"
        " 'pipeline_name': 'demo'}\n"
        "psm = PipestatManager(config_dict=config)\n"
        "psm.report({'n': 1}, 's1')\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=True, env=clean_environment()
    )
    assert os.listdir(tmp_path) == ["results.db"]


def test_threads_wait_for_the_only_connection(database: Database) -> None:
    opened = database.open(options={"pool_size": 1})

    def report(number: int) -> None:
        opened.report(f"s{number}", {"n": number})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(report, range(40)))
    assert len(opened.names()) == 40
