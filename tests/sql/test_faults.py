"""What goes wrong between us and the server: lost connections, cut COMMITs, kills."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipestat_spec.errors import (
    MissingConfigDataError,
    PipestatDatabaseError,
    PipestatDependencyError,
    PipestatError,
)
from pipestat_spec.installing import install_hint
from tests.environments import clean_environment
from tests.patience import wait_until
from tests.sql.conftest import MakeDatabase
from tests.sql.databases import Database
from tests.sql.servers import GUARDED_ROLE, PASSWORD, PostgresServer, free_port


def test_a_read_on_a_connection_that_the_server_has_ended(
    postgres_database: Database, postgres: PostgresServer
) -> None:
    opened = postgres_database.open()
    opened.report("s1", {"n": 1})
    with postgres.connect() as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'pipestat-spec'"
        )
    assert opened.results("s1") == {"n": 1}
    opened.report("s1", {"n": 2})
    assert postgres_database.rows("select pipestat_extended_data->>'n' from demo") == [("2",)]


def test_a_killed_server_in_the_middle_of_reports(
    own_postgres: PostgresServer, make_database: MakeDatabase
) -> None:
    """No acknowledged result is lost, the history has each value once, the writer goes on."""
    database = make_database("postgresql", own_postgres)
    opened = database.open()
    opened.report("s1", {"n": 0})
    acknowledged = [0]
    failed: list[BaseException] = []
    stopped = threading.Event()

    def report() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            try:
                opened.report("s1", {"n": number})
            except PipestatError as error:
                failed.append(error)
                return
            acknowledged.append(number)

    thread = threading.Thread(target=report)
    thread.start()

    def wait_for_some() -> None:
        wanted = len(acknowledged) + 7
        wait_until(lambda: failed or len(acknowledged) >= wanted, "seven reports")

    for _ in range(3):
        wait_for_some()
        own_postgres.kill()
        time.sleep(0.2)
        own_postgres.start()
    wait_for_some()
    stopped.set()
    thread.join()
    assert failed == []
    with own_postgres.connect() as connection:
        place = database.options["schema"]
        [(last,)] = connection.execute(
            f"select pipestat_extended_data->>'n' from {place}.demo"
        ).fetchall()
        old = connection.execute(
            f"select value::text::int from {place}.demo__history order by id"
        ).fetchall()
    assert int(last) == acknowledged[-1]
    assert [value for (value,) in old] == acknowledged[:-1]


def test_a_killed_server_under_threads_that_share_few_connections(
    own_postgres: PostgresServer, make_database: MakeDatabase
) -> None:
    """None of them fails or waits for ever, and each value is stored once."""
    database = make_database("postgresql", own_postgres)
    stores = [database.open(options={"pool_size": 2}) for _ in range(3)]
    acknowledged = dict.fromkeys(range(9), 0)
    failed: list[BaseException] = []
    stopped = threading.Event()

    def report(thread: int) -> None:
        while not stopped.is_set():
            number = acknowledged[thread] + 1
            try:
                stores[thread % 3].report(f"r{thread}", {"n": number})
            except BaseException as error:  # noqa: BLE001
                failed.append(error)
                return
            acknowledged[thread] = number

    threads = [threading.Thread(target=report, args=(thread,)) for thread in acknowledged]
    for thread in threads:
        thread.start()

    def wait_for_some() -> None:
        wanted = {thread: number + 2 for thread, number in acknowledged.items()}
        wait_until(
            lambda: failed or all(acknowledged[thread] >= n for thread, n in wanted.items()),
            "two reports of every thread",
        )

    for _ in range(3):
        wait_for_some()
        own_postgres.kill()
        own_postgres.start()
    wait_for_some()
    stopped.set()
    for thread in threads:
        thread.join()
    assert failed == []
    with own_postgres.connect() as connection:
        place = database.options["schema"]
        for number, last in acknowledged.items():
            old = connection.execute(
                f"select value::text::int from {place}.demo__history"
                f" where record_identifier = 'r{number}' order by id"
            ).fetchall()
            assert [value for (value,) in old] == list(range(1, last))


def test_a_server_that_stays_away(
    own_postgres: PostgresServer, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql", own_postgres)
    opened = database.open(options={"patience": 1})
    opened.report("s1", {"n": 1})
    own_postgres.kill()
    began = time.monotonic()
    with pytest.raises(PipestatDatabaseError) as caught:
        opened.report("s1", {"n": 2})
    # Long before the patience of those who say nothing is over (30 s).
    assert time.monotonic() - began < 25
    assert "\n" not in str(caught.value)
    own_postgres.start()
    assert opened.results("s1") == {"n": 1}


# One line each, fast, and without the password


def config(server: PostgresServer, **changes: Any) -> dict[str, Any]:
    database = {
        "dialect": "postgresql",
        "driver": "psycopg2",
        "name": "postgres",
        "user": GUARDED_ROLE,
        "password": PASSWORD,
        "host": "127.0.0.1",
        "port": server.port,
        **changes,
    }
    return {"database": database, "pipeline_name": "demo"}


def refused(call: Callable[[], Any], *words: str, secret: str = PASSWORD) -> PipestatError:
    """Return the error that a call raises: one line with these words, long before patience ends."""
    began = time.monotonic()
    with pytest.raises(PipestatError) as caught:
        call()
    assert time.monotonic() - began < 25
    error = caught.value
    text = str(error)
    assert "\n" not in text
    for word in words:
        assert word in text, text
    chain = "".join(traceback.format_exception(error))
    for shown in (
        text,
        repr(error),
        chain,
        repr(error.data),
        repr(pickle.loads(pickle.dumps(error))),
    ):
        assert secret not in shown
    context: BaseException | None = error
    while context is not None:
        assert secret not in str(context)
        assert secret not in repr(context)
        context = context.__cause__ or context.__context__
    return error


def manager(configuration: dict[str, Any]) -> Any:
    from pipestat_spec import PipestatManager

    return PipestatManager(config_dict=configuration)


def test_the_configuration_of_the_looper_pages(postgres: PostgresServer) -> None:
    with manager(config(postgres, user="postgres")) as psm:
        psm.report({"n": 1}, "looper")
        assert psm.retrieve_one("looper", "n") == 1
        assert psm.db_url == f"postgresql+psycopg://postgres:***@127.0.0.1:{postgres.port}/postgres"
        assert PASSWORD not in str(psm) + repr(psm.store.settings) + repr(vars(psm))
    with postgres.connect() as connection:
        connection.execute("drop table demo, demo__history")


def test_wrong_password(postgres: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "not-the-password"
    refused(
        lambda: manager(config(postgres, password=wrong)),
        "password authentication failed",
        "check user and password",
        secret=wrong,
    )
    assert wrong not in caplog.text


def test_unknown_host(postgres: PostgresServer) -> None:
    refused(lambda: manager(config(postgres, host="no-such-host.invalid")), "host")


def test_a_port_where_nobody_listens(postgres: PostgresServer) -> None:
    refused(lambda: manager(config(postgres, port=free_port())), "start the server")


def test_a_host_that_does_not_answer(postgres: PostgresServer) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        refused(lambda: manager(config(postgres, port=port)), "check host, port and network")


def test_missing_database(postgres: PostgresServer) -> None:
    refused(
        lambda: manager(config(postgres, user="postgres", name="nowhere")),
        "nowhere",
        "make the database, or correct its name",
    )


def test_missing_permission(postgres: PostgresServer) -> None:
    with manager(config(postgres)) as psm:
        assert psm.record_count == 0
        error = refused(lambda: psm.report({"n": 1}, "s1"), "public")
    assert error.hint == "ask for the permission, or use another database user"


def test_reading_where_a_column_may_not_be_added(
    postgres: PostgresServer, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql")
    database.open({"n": {"type": "integer"}}).report("s1", {"n": 1})
    place = database.options["schema"]
    database.execute(f"grant usage on schema {place} to {GUARDED_ROLE}")
    database.execute(
        f"grant select, insert, update on all tables in schema {place} to {GUARDED_ROLE}"
    )
    from urllib.parse import quote

    url = (
        f"postgresql://{GUARDED_ROLE}:{quote(PASSWORD, safe='')}@127.0.0.1:{postgres.port}/postgres"
    )
    opened = database.open(
        {"n": {"type": "integer"}, "m": {"type": "string"}}, options={"url": url}
    )
    assert opened.results("s1") == {"n": 1}
    error = refused(lambda: opened.report("s1", {"n": 2}), "demo")
    assert error.hint == "ask for the permission, or use another database user"
    assert opened.results("s1") == {"n": 1}


def test_a_url_that_is_none(make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    for url in (
        f"postgresql:/{PASSWORD}",
        f"mysql://u:{PASSWORD}@h/d",
        f"postgresql://u:a@{PASSWORD}@h/d",
        f"postgresql+asyncpg://u:x{PASSWORD}@h/d",
        f"postgresql://u:x@h:{PASSWORD}/d",
    ):
        with pytest.raises(MissingConfigDataError) as caught:
            database.open(options={"url": url})
        assert PASSWORD not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dialect": "mysql"}, "dialect 'mysql' are not supported; use postgresql or sqlite"),
        ({"driver": "pg8000"}, "driver 'pg8000' is not supported"),
        ({"name": None}, "the key 'name' is missing"),
        ({"port": "x"}, "port 'x' is not a number"),
        ({"pasword": "x"}, "unknown key 'pasword'; did you mean 'password'?"),
    ],
)
def test_a_wrong_database_section(
    postgres: PostgresServer, changes: dict[str, Any], words: str
) -> None:
    refused(lambda: manager(config(postgres, **changes)), words)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("prepare_treshold=0", ("'prepare_treshold'", "did you mean 'prepare_threshold'?")),
        ("pool_size=3", ("'pool_size'", "options are those of libpq")),
        ("prepare_threshold=no", ("'prepare_threshold' is 'no'", "write a whole number")),
        ("connect_timeout=soon", ("'connect_timeout' is 'soon'", "write a whole number")),
        ("keepalives_idle=-1", ("'keepalives_idle' is '-1'", "write a whole number")),
        ("connect_timeout=1&connect_timeout=2", ("'connect_timeout' is given twice",)),
        ("sslmode=never", ("sslmode", "never")),
        ("target_session_attrs=any2", ("target_session_attrs", "any2")),
    ],
)
def test_wrong_options_of_the_driver(
    postgres: PostgresServer, query: str, words: Sequence[str]
) -> None:
    url = f"{postgres.url(port=postgres.port)}?{query}"
    refused(lambda: manager({"backend": "sql", "sql": {"url": url}}), *words)


def test_options_of_the_driver(postgres: PostgresServer) -> None:
    query = "connect_timeout=3&prepare_threshold=0&application_name=mine&keepalives_idle=5"
    url = f"{postgres.url(port=postgres.port)}?{query}"
    with (
        manager({"backend": "sql", "sql": {"url": url}, "pipeline_name": "options"}) as psm,
        postgres.connect() as connection,
    ):
        psm.report({"n": 1}, "s1")
        names = connection.execute("select application_name from pg_stat_activity").fetchall()
        connection.execute("drop table options, options__history")
    assert ("mine",) in names


@pytest.mark.parametrize("package", ["psycopg", "sqlalchemy"])
def test_missing_packages(postgres: PostgresServer, tmp_path: Path, package: str) -> None:
    """Run where the package cannot be imported."""
    script = (
        "import sys, importlib.util\n"
        f"sys.modules[{package!r}] = None\n"
        "find = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda n, p=None: None if n == {package!r} else find(n, p)\n"
        "from pipestat_spec import PipestatManager\n"
        "from pipestat_spec.errors import PipestatDependencyError\n"
        f"config = {config(postgres)!r}\n"
        "try:\n"
        "    PipestatManager(config_dict=config)\n"
        "except PipestatDependencyError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path,
        env=clean_environment(),
    )  # fmt: skip
    assert done.stderr == ""
    [line] = done.stdout.splitlines()
    assert f"the package {package}" in line
    assert install_hint("pipestat-spec[sql]") in line
    assert issubclass(PipestatDependencyError, PipestatError)


# SQLite files


def test_a_file_that_is_no_database(sqlite_database: Database) -> None:
    sqlite_database.file.write_text("reads: 1\n" * 500)
    refused(lambda: sqlite_database.open(), "choose another file: this one is no SQLite database")
    assert sqlite_database.file.read_text() == "reads: 1\n" * 500


def test_a_folder_that_is_not_there(sqlite_database: Database) -> None:
    path = sqlite_database.folder / "no" / "such" / "results.db"
    refused(
        lambda: sqlite_database.open(options={"url": f"sqlite:///{path}"}),
        f"there is no folder {path.parent}",
    )
    refused(
        lambda: sqlite_database.open(options={"url": f"sqlite:///{sqlite_database.folder}"}),
        "is a folder",
    )


def test_a_file_and_a_folder_that_can_only_be_read(somebody: Path) -> None:
    database = Database("sqlite", {"url": f"sqlite:///{somebody}/results.db"}, somebody)
    database.open({"n": {"type": "integer"}}).report("s1", {"n": 1})
    database.close()
    database.file.chmod(0o444)
    somebody.chmod(0o555)
    try:
        opened = database.open({"n": {"type": "integer"}, "m": {"type": "string"}})
        assert opened.results("s1") == {"n": 1}
        assert opened.names() == ["s1"]
        refused(lambda: opened.report("s1", {"n": 2}), "results.db", "make the file")
        assert opened.results("s1") == {"n": 1}
        database.close()
    finally:
        somebody.chmod(0o777)
    assert database.rows("select n from demo") == [(1,)]


def test_reading_makes_no_file(sqlite_database: Database) -> None:
    opened = sqlite_database.open()
    assert opened.names() == []
    assert opened.read("s1") is None
    assert opened.backend.count("sample") == 0  # type: ignore[attr-defined]
    with pytest.raises(LookupError):
        opened.remove("s1")
    assert os.listdir(sqlite_database.folder) == []


def test_a_file_that_another_program_holds(sqlite_database: Database) -> None:
    opened = sqlite_database.open(options={"patience": 0.2})
    opened.report("s1", {"n": 1})
    with sqlite_database.connection() as connection:
        connection.execute("begin immediate")
        refused(lambda: opened.report("s1", {"n": 2}), "locked", "another program holds the file")
        assert opened.results("s1") == {"n": 1}
        connection.execute("rollback")
    opened.report("s1", {"n": 2})
    assert sqlite_database.rows("select pipestat_extended_data from demo") == [('{"n":2}',)]


def test_no_exception_of_a_driver_escapes(database: Database) -> None:
    """The table is broken behind our back in every way that a statement can meet."""
    schema = {"n": {"type": "integer"}}
    for number, breakage in enumerate(
        (
            "drop table demo__history",
            "alter table demo rename column meta to other",
            "alter table demo rename column n to m",
            "alter table demo rename column id to number",
        )
    ):
        opened = database.open(schema)
        opened.report(f"s{number}", {"n": 1})
        database.execute(breakage)
        for attempt in (
            lambda o=opened, n=number: o.report(f"s{n}", {"n": 2}),
            lambda o=opened, n=number: o.history(f"s{n}"),
            lambda o=opened: o.names(),
            lambda o=opened, n=number: o.remove(f"s{n}"),
        ):
            # Anything else than an error of ours ends the test.
            with suppress(PipestatError):
                attempt()
        database.execute("drop table if exists demo__history")
        database.execute("drop table if exists demo")
