"""Many processes and threads at once, on both databases: nothing is lost, nobody fails."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import writers
from tests.patience import wait_until
from tests.sql.databases import Database

Trials = Callable[[int, int], Iterator[random.Random]]
FULL = os.environ.get("PIPESTAT_TRIALS") == "full"


def start(database: Database, schema: Path | None, *job: object, **config: Any) -> writers.Writer:
    text = json.dumps(database.config(**config))
    return writers.start("tests.sql.reporter", text, schema or "", *job)


def finish(processes: list[writers.Writer]) -> list[list[str]]:
    return writers.finish(processes)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.yaml"
    path.write_text("n: {type: integer}\n")
    return path


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_every_report_of_many_processes(database: Database, schema: Path, layout: str) -> None:
    workers, each = (32, 25) if FULL else (8, 12)
    processes = [
        start(database, schema, "many", number, each, layout=layout) for number in range(workers)
    ]
    writers.go(processes)
    finish(processes)
    table = "demo" if layout == "records" else "demo__sample"
    rows = dict(database.rows(f"select record_identifier, n from {table}"))
    assert rows == {f"r{w}-{i}": i for w in range(workers) for i in range(each)}


def test_simultaneous_first_reports_of_one_record(database: Database, trials: Trials) -> None:
    for number, _ in enumerate(trials(10, 1)):
        processes = [
            start(database, None, "first", worker, pipeline_name=f"demo{number}")
            for worker in range(8)
        ]
        writers.go(processes)
        finish(processes)
        rows = database.rows(f"select record_identifier, pipestat_extended_data from demo{number}")
        [(identifier, text)] = rows
        stored = json.loads(text) if isinstance(text, str) else text
        assert (identifier, stored) == ("shared", {f"n{worker}": worker for worker in range(8)})


def test_all_overwrite_one_result(database: Database, schema: Path) -> None:
    workers, each = (16, 25) if FULL else (6, 10)
    processes = [start(database, schema, "overwrite", w, each) for w in range(workers)]
    writers.go(processes)
    finish(processes)
    [(last,)] = database.rows("select n from demo")
    history = database.rows("select value from demo__history order by time")
    old = [json.loads(value) if isinstance(value, str) else value for (value,) in history]
    wanted = sorted(w * 1000 + i for w in range(workers) for i in range(each))
    assert sorted([last, *old]) == wanted
    times = database.rows("select time from demo__history")
    assert len(set(times)) == len(times) == len(wanted) - 1


@pytest.mark.parametrize("layout", ["records", "levels"])
def test_many_open_at_once_with_a_new_column(database: Database, schema: Path, layout: str) -> None:
    database.open({"n": {"type": "integer"}}, layout=layout).report("s1", {"n": 1})
    schema.write_text("n: {type: integer}\nm: {type: string, index: true}\n")
    processes = [start(database, schema, "add", number, layout=layout) for number in range(8)]
    writers.go(processes)
    assert finish(processes) == [["True"]] * 8
    table = "demo" if layout == "records" else "demo__sample"
    assert {name: kind.lower() for name, kind in database.columns(table).items()}["m"] == "text"


def test_kill_9_of_a_writer(database: Database, schema: Path, trials: Trials) -> None:
    """What was acknowledged is there, and nothing stands in the next writer's way."""
    for number, source in enumerate(trials(30, 4)):
        name = f"demo{number}"
        process = start(database, schema, "many", 0, 100000, pipeline_name=name)
        writers.go([process])
        time.sleep(source.uniform(0, 0.8))
        process.kill()
        out, _ = process.communicate()
        acknowledged = {line for line in out.split("\n")[:-1] if line}
        database.open({"n": {"type": "integer"}}, namespace=name).report("next", {"n": 5})
        rows = dict(database.rows(f"select record_identifier, n from {name}"))
        assert rows.pop("next") == 5
        # One more may have been stored, and its acknowledgement not been written.
        assert acknowledged <= rows.keys()
        assert len(rows) <= len(acknowledged) + 1


def test_threads_share_a_manager(database: Database) -> None:
    psm = database.manager()
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(10):
                psm.report({f"n{number}-{i}": i}, "s1")
                assert psm.retrieve_one("s1", f"n{number}-{i}") == i
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(psm.retrieve_one("s1")) == 12 * 10 + 1


def test_a_forked_child_has_connections_of_its_own(database: Database) -> None:
    opened = database.open()
    opened.report("s1", {"n": 1})
    child = os.fork()
    if child == 0:
        status = 1
        try:
            opened.report("child", {"n": 2})
            status = 0 if opened.results("s1") == {"n": 1} else 2
            opened.backend.close()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    for number in range(20):
        opened.report(f"p{number}", {"n": number})
    assert opened.results("child") == {"n": 2}
    assert len(database.rows("select id from demo")) == 22


def test_close_while_a_thread_reads_leaves_nothing_open(sqlite_database: Database) -> None:
    opened = sqlite_database.open()
    opened.report("s1", {"n": 1})
    database = opened.backend._database  # type: ignore[attr-defined]
    with database.session() as session:
        opened.backend.close()
        assert session.execute("select count(*) from demo").fetchone() == (1,)
    assert sorted(os.listdir(sqlite_database.folder)) == ["results.db"]


def test_close_leaves_nothing_open(database: Database) -> None:
    opened = database.open(namespace="closing")
    opened.report("s1", {"n": 1})
    list(opened.backend.scan("sample"))
    opened.backend.close()
    opened.backend.close()
    if database.dialect == "sqlite":
        assert sorted(os.listdir(database.folder)) == ["results.db"]
        held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                if os.path.islink(f"/proc/self/fd/{fd}")]  # fmt: skip
        assert not [path for path in held if str(database.folder) in path]
    else:
        question = (
            "select count(*) from pg_stat_activity where application_name = 'pipestat-spec'"
            " and pid <> pg_backend_pid()"
        )
        wait_until(lambda: database.rows(question) == [(0,)], "closed connections", 0.05)
    from pipestat_spec.errors import PipestatDatabaseError

    with pytest.raises(PipestatDatabaseError, match="the store is closed; open it again"):
        opened.read("s1")
