"""Databases: against pipestat 0.13.1 on PostgreSQL, and against the plain drivers.

The plain drivers run the same statements with the same parameters, recorded before, in a
database of the same content, in turns with ours.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from pipestat_sql.database.connections import Session

from benchmarks.figures import Figure, cpu_clock, milliseconds
from benchmarks.warm import SCHEMA
from pipestat_spec import PipestatManager
from pipestat_spec.ingest import ingest
from tests.environments import PythonEnvironment, clean_environment
from tests.sql.servers import PostgresServer, wheel_programs

_SCRIPT = Path(__file__).with_name("sql_in_process.py")
COUNT, REPEATS = 200, 400
# So many calls are measured as one: to ask for the CPU of a server takes as long as one of them.
_ROUND = 20
BULK = 20_000
VALUES = {"rate": 0.5, "name": "a name", "passed": True, "tags": [1, 2, 3]}
Statements = list[tuple[str, Any]]


def figures(reference: PythonEnvironment, folder: Path) -> Iterator[Figure]:
    """Measure on a PostgreSQL server of its own and on SQLite files."""
    schema = folder / "schema.yaml"
    schema.write_text(SCHEMA)
    server = PostgresServer(wheel_programs())
    try:
        yield from _against_reference(server, reference, folder, schema)
        new_url = lambda: server.url(server.new_database())  # noqa: E731
        yield from _against_driver("PostgreSQL", new_url, schema, cpu_clock(server.pid))
        yield from _bulk("PostgreSQL", server.url(server.new_database()), schema)
    finally:
        server.stop()
    numbers = iter(range(100))
    yield from _against_driver(
        "SQLite", lambda: f"sqlite:///{folder}/{next(numbers)}.sqlite", schema, cpu_clock(None)
    )
    yield from _bulk("SQLite", f"sqlite:///{folder}/bulk.sqlite", schema)


# The existing package


def _against_reference(
    server: PostgresServer, reference: PythonEnvironment, folder: Path, schema: Path
) -> Iterator[Figure]:
    ours = _measured(sys.executable, "pipestat_spec", server, folder, schema)
    theirs = _measured(str(reference.python), "pipestat", server, folder, schema)
    for kind, text in (
        ("report", "report, new record"),
        ("update", "report, update"),
        ("retrieve", "retrieve_one"),
        ("select", "select_records, filter, page of 50"),
    ):
        mine, other = milliseconds(ours[kind]), milliseconds(theirs[kind])
        yield Figure(
            f"PostgreSQL, {text}, table of {COUNT}",
            mine,
            "ms",
            None,
            other,
            "pipestat takes at least 3 x",
            other >= 3 * mine,
            {"ours": ours[kind], "reference": theirs[kind]},
        )


def _measured(
    python: str, package: str, server: PostgresServer, folder: Path, schema: Path
) -> dict[str, list[float]]:
    config = folder / f"{package}.yaml"
    database = {
        "dialect": "postgresql",
        "driver": "psycopg",
        "name": server.new_database(),
        "user": "postgres",
        "password": "none",
        "host": "127.0.0.1",
        "port": server.port,
    }
    document = {"schema_path": str(schema), "project_name": "bench", "database": database}
    config.write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [python, _SCRIPT, package, config, str(COUNT), str(REPEATS)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{python} {_SCRIPT.name} failed:\n{done.stderr}")
    answer: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return answer


# The plain drivers


def _calls(psm: Any, number: int) -> dict[str, Callable[[], object]]:
    record = f"s{number % COUNT}"
    where = f"reads >= {COUNT // 2}"
    return {
        "report, new record": lambda: psm.report({"reads": -1, **VALUES}, f"new{number}"),
        "report, update": lambda: psm.report({"rate": number + 0.25}, record),
        "retrieve_one": lambda: psm.retrieve_one(record),
        "select_records": lambda: psm.select_records(where=where, limit=50),
        "select_records, another value each time": lambda: psm.select_records(
            where=f"reads >= {COUNT // 2} and rate < {number + 1000}", limit=50
        ),
    }


def _filled(url: str, schema: Path) -> PipestatManager:
    psm = PipestatManager(schema_path=schema, config_dict={"backend": "sql", "sql": {"url": url}})
    psm.report_many({f"s{number}": {"reads": number, **VALUES} for number in range(COUNT)})
    # What happens only once in a process is not of interest here.
    for call in _calls(psm, -1).values():
        call()
    return psm


def _against_driver(
    name: str, new_url: Callable[[], str], schema: Path, clock: Callable[[], float]
) -> Iterator[Figure]:
    with _filled(new_url(), schema) as psm, recorded(psm) as statements:
        sequences = [
            {kind: _statements(statements, call) for kind, call in _calls(psm, number).items()}
            for number in range(REPEATS)
        ]
    ours: dict[str, list[float]] = {kind: [] for kind in sequences[0]}
    plain: dict[str, list[float]] = {kind: [] for kind in sequences[0]}
    # The driver's own connection is one that the store has set up: on SQLite its functions and
    # its journal belong to the statements.
    with (
        _filled(new_url(), schema) as other,
        other.store.backend._database.session() as session,
        _filled(new_url(), schema) as psm,
    ):
        for kind in sequences[0]:
            for start in range(0, REPEATS, _ROUND):
                numbers = range(start, start + _ROUND)
                calls = [_calls(psm, number)[kind] for number in numbers]
                own = [partial(_run, session.driver, sequences[number][kind]) for number in numbers]
                # A report waits for the disk, too.
                used = time.perf_counter if kind.startswith("report") else clock
                ours[kind].append(_seconds(partial(_each, calls), used) / _ROUND)
                plain[kind].append(_seconds(partial(_each, own), used) / _ROUND)
    for kind in ours:
        # What else the machine does makes a round longer, and none shorter.
        mine, floor = (min(rounds) * 1000 for rounds in (ours[kind], plain[kind]))
        most = 1.5 if name == "PostgreSQL" and kind == "select_records" else 2
        yield Figure(
            f"{name}, {kind}",
            mine,
            "ms",
            floor,
            None,
            f"at most {most} x the plain driver",
            mine <= most * floor,
            {"ours": ours[kind], "plain": plain[kind]},
        )


@contextmanager
def recorded(psm: Any) -> Iterator[Statements]:
    """Record every statement that the store sends, with its parameters."""
    found: Statements = []
    original = Session.__init__

    def begin(self: Session, *given: Any) -> None:
        original(self, *given)
        run = self.execute

        def execute(statement: str, parameters: Any = ()) -> Any:
            found.append((statement, parameters))
            return run(statement, parameters)

        self.execute = execute

    def before(_c: Any, _d: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        found.append((statement, parameters))

    database = psm.store.backend._database
    engine = database._engine
    # A session that is at hand was begun before.
    database.forget_idle()
    Session.__init__ = begin  # type: ignore[method-assign]
    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield found
    finally:
        Session.__init__ = original  # type: ignore[method-assign]
        database.forget_idle()
        sa.event.remove(engine, "before_cursor_execute", before)


def _statements(found: Statements, call: Callable[[], object]) -> Statements:
    found.clear()
    call()
    return list(found)


def _driver(url: str) -> Any:
    if url.startswith("sqlite:///"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    import psycopg

    return psycopg.connect(url, autocommit=True)


def _run(driver: Any, statements: Statements) -> None:
    for statement, parameters in statements:
        cursor = driver.execute(statement, parameters)
        if cursor.description is not None:
            cursor.fetchall()


def _each(calls: Sequence[Callable[[], object]]) -> None:
    for call in calls:
        call()


def _seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    begin = clock()
    call()
    return clock() - begin


# Many records at once


def _bulk(name: str, url: str, schema: Path) -> Iterator[Figure]:
    records = {f"b{number}": {"reads": number, **VALUES} for number in range(BULK)}
    documents = [
        {"pipestat_report": "1.0", "record_identifier": f"d{number}", "results": values}
        for number, values in enumerate(records.values())
    ]
    clock = time.process_time
    with _filled(url, schema) as psm:
        begin = clock()
        mine = _seconds(lambda: psm.report_many(records))
        reported = clock() - begin
        used = _seconds(lambda: ingest(psm.store, documents), clock)
    driver = _driver(url)
    rows = [
        (f"x{number}", v["reads"], v["rate"], v["name"], v["passed"], json.dumps(v["tags"]))
        for number, v in enumerate(records.values())
    ]
    mark = "%s" if name == "PostgreSQL" else "?"
    columns = "record_identifier, reads, rate, name, passed, tags"
    statement = f"INSERT INTO benchmark ({columns}) VALUES ({', '.join([mark] * 6)})"

    def plain() -> None:
        driver.execute("BEGIN")
        driver.cursor().executemany(statement, rows)
        driver.execute("COMMIT")

    floor = _seconds(plain)
    driver.execute("DELETE FROM benchmark WHERE reads IS NOT NULL")
    floor_used = _seconds(plain, clock)
    driver.close()
    rate = BULK / mine
    yield Figure(
        f"{name}, {BULK:,} new records in one call",
        mine * 1000,
        "ms",
        floor * 1000,
        None,
        f"at least 5,000 a second (here {rate:,.0f}), or 3 x executemany",
        rate >= 5000 or mine <= 3 * floor,
    )
    for what, took in (("records reported", reported), ("documents ingested", used)):
        yield Figure(
            f"{name}, {BULK:,} {what} in one call, CPU of each",
            took / BULK * 1e6,
            "us",
            floor_used / BULK * 1e6,
            None,
            "at most 60 us",
            took / BULK <= 60e-6,
        )
