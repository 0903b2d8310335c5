"""COMMITs whose answer is lost, on the way to a server or on either side of a pooler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipestat_spec.errors import PipestatDatabaseError
from tests.sql.databases import Database
from tests.sql.poolers import PgBouncer
from tests.sql.proxies import CuttingProxy
from tests.sql.servers import PostgresServer


class Way:
    """A way to the server on which connections can be cut."""

    def __init__(self, options: dict[str, Any], proxy: CuttingProxy) -> None:
        self.options, self.proxy = options, proxy


@pytest.fixture(params=["server", "pooler", "behind the pooler"])
def way(postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Way]:
    """Cut before a server, before a pooler, and between pooler and server."""
    if request.param == "server":
        proxy, pooler = CuttingProxy("127.0.0.1", postgres.port), None
        url = postgres.url(port=proxy.port)
    elif request.param == "pooler":
        pooler = PgBouncer(postgres)
        proxy = CuttingProxy("127.0.0.1", pooler.port)
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres"
    else:
        proxy = CuttingProxy("127.0.0.1", postgres.port)
        pooler = PgBouncer(postgres, ("127.0.0.1", proxy.port), query_wait_timeout=3)
        url = pooler.url
    yield Way({"url": url}, proxy)
    proxy.close()
    if pooler is not None:
        pooler.stop()


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("layout", ["records", "levels"])
def test_a_cut_commit_is_settled_by_evidence(
    postgres_database: Database,
    way: Way,
    cut: Any,
    layout: str,
) -> None:
    opened = postgres_database.open(layout=layout, options=way.options)
    opened.report("s1", {"n": 1})
    calls: list[Any] = []

    from pipestat_spec.domain.changes import report_results
    from pipestat_spec.models.record import RecordKey

    key = RecordKey("sample", "s1")
    inner = report_results(key, {"n": 2}, overwrite=True)

    def change(current: Any) -> Any:
        calls.append(current.results["n"])
        return inner(current)

    way.proxy.cut = cut
    opened.backend.update(key, change)
    assert way.proxy.cuts == 1
    # Stored: not begun again. Not stored: begun again, once.
    assert calls == ([1] if cut == "after" else [1, 1])
    table = "demo" if layout == "records" else "demo__sample"
    assert postgres_database.rows(f"select pipestat_extended_data->>'n' from \"{table}\"") == [
        ("2",)
    ]
    assert postgres_database.rows(
        f'select count(*) from "{table}{"__" if layout == "records" else "_"}history"'
    ) == [(1,)]
    assert [entry.value for entry in opened.history("s1")] == [1]


def test_a_cut_commit_after_which_others_have_written(
    postgres_database: Database, way: Way
) -> None:
    """Ours was stored and then replaced: it must not come back."""
    ours = postgres_database.open(options=way.options)
    theirs = postgres_database.open()
    ours.report("s1", {"n": 1})
    database: Any = ours.backend._database  # type: ignore[attr-defined]
    forget = database.forget_idle

    def meanwhile() -> None:
        forget()
        if theirs.results("s1") == {"n": 2}:
            theirs.report("s1", {"n": 3})

    database.forget_idle = meanwhile
    way.proxy.cut = "after"
    ours.report("s1", {"n": 2})
    assert theirs.results("s1") == {"n": 3}
    assert [entry.value for entry in theirs.history("s1")] == [1, 2]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_cut_first_report_and_a_cut_removal(
    postgres_database: Database, way: Way, cut: Any
) -> None:
    opened = postgres_database.open(options=way.options)
    opened.report("s0", {"n": 0})
    way.proxy.cut = cut
    opened.report("s1", {"n": 1}, overwrite=False)
    way.proxy.cut = cut
    opened.remove("s1")
    way.proxy.cut = cut
    opened.report_many({f"r{i}": {"n": i} for i in range(3)})
    assert way.proxy.cuts == 3
    rows = postgres_database.rows("select record_identifier from demo order by 1")
    assert rows == [("r0",), ("r1",), ("r2",), ("s0",)]


def test_commits_that_are_cut_while_all_connections_are_in_use(
    postgres_database: Database, way: Way
) -> None:
    opened = postgres_database.open(options={**way.options, "pool_size": 1})
    opened.report("s1", {"n": 1})
    for number, cut in enumerate(("before", "after"), 2):
        way.proxy.cut = cut  # type: ignore[assignment]
        opened.report("s1", {"n": number})
        assert opened.results("s1") == {"n": number}
    assert [entry.value for entry in opened.history("s1")] == [1, 2]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_what_a_manager_says_of_a_cut_commit(
    postgres_database: Database, way: Way, cut: Any
) -> None:
    """It is stored, once, and told as stored; the times are those of one record."""
    postgres_database.options |= way.options
    psm = postgres_database.manager()
    psm.report({"n": 1}, "s1")
    way.proxy.cut = cut
    assert psm.report({"n": 2}, "s1", force_overwrite=True)
    way.proxy.cut = cut
    psm.set_status("completed", "s1")
    way.proxy.cut = cut
    assert psm.report({"n": 2}, "s2")
    assert way.proxy.cuts == 3
    rows = postgres_database.rows(
        "select record_identifier, pipestat_extended_data->>'n', status, "
        "pipestat_created_time < pipestat_modified_time from demo order by 1"
    )
    assert rows == [("s1", "2", "completed", True), ("s2", "2", None, False)]
    assert postgres_database.rows("select count(*) from demo__history") == [(1,)]
    assert psm.get_status("s1") == "completed"


def test_a_server_that_is_gone_after_the_commit(postgres_database: Database, way: Way) -> None:
    """Nobody knows then, and that is what is said; another try neither loses nor doubles."""
    ours = postgres_database.open(options={**way.options, "patience": 2})
    ours.report("s1", {"n": 1})
    database: Any = ours.backend._database  # type: ignore[attr-defined]
    forget = database.forget_idle

    def gone() -> None:
        forget()
        way.proxy.close()

    database.forget_idle = gone
    way.proxy.cut = "after"
    with pytest.raises(PipestatDatabaseError, match="whether the change was stored") as caught:
        ours.report("s1", {"n": 2})
    assert caught.value.hint
    again = postgres_database.open()
    assert again.results("s1") == {"n": 2}
    again.report("s1", {"n": 2})
    assert [entry.value for entry in again.history("s1")] == [1]
