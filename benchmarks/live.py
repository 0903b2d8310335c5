"""`serve`: clients that follow a store, and pages of a large one; time and the server's memory."""

from __future__ import annotations

import json
import os
import queue
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.figures import Figure, milliseconds
from pipestat_spec import PipestatManager
from tests.serve.servers import TOKEN, Server, memory_of
from tests.sql.servers import PostgresServer, wheel_programs

RECORDS, RESULTS, CLIENTS, UPDATES = 10_000, 10, 100, 8
# What the page shows within, in the issue that asks for it.
TARGET = 2_000
# With this in the environment the databases that are paged through have a million records.
_MILLION = "PIPESTAT_BENCH_MILLION"
_PAGE = 10_000
_AT_ONCE = 50_000
_MB = 1_000_000
_SECONDS = 120


def figures(folder: Path) -> Iterator[Figure]:
    """Measure with many clients on a database and on a file, then pages of two databases."""
    for ending, kind in (("db", "SQLite"), ("yaml", "YAML")):
        place = folder / ending
        place.mkdir()
        yield from _following(place, f"r.{ending}", kind)
    count = 1_000_000 if os.environ.get(_MILLION) else 100_000
    yield from _paging(folder, "large.db", count, "SQLite")
    server = PostgresServer(wheel_programs())
    try:
        yield from _paging(folder, server.url(server.new_database()), count, "PostgreSQL")
    finally:
        server.stop()


def _following(folder: Path, name: str, kind: str) -> Iterator[Figure]:
    with PipestatManager(results_file_path=folder / name, pipeline_name="p") as psm:
        values = {f"result{i}": i / 7 for i in range(RESULTS)}
        psm.report_many({f"s{i:05}": values for i in range(RECORDS)})
        server = Server(folder, name)
        try:
            began = time.perf_counter()
            answer = server.get("/api/v1/stores/p/document", Accept_Encoding="gzip")
            first = time.perf_counter() - began
            cursor = answer.headers["pipestat-cursor"]
            before = memory_of(server.process.pid)
            told: queue.Queue[tuple[str, float]] = queue.Queue()
            clients = [_Client(server, cursor, told) for _ in range(CLIENTS)]
            took = []
            for number in range(UPDATES):
                record = f"s{number:05}"
                # Looks at the store come at any moment between two updates.
                time.sleep(0.5 + 0.09 * (number % 7))
                psm.report({"result0": number + 0.5}, record)
                stored = time.perf_counter()
                heard = [_next(told, record) for _ in clients]
                took.append([moment - stored for moment in heard])
            after = memory_of(server.process.pid)
        finally:
            server.kill()
    what = f"serve, {CLIENTS} clients follow {RECORDS} records x {RESULTS}, {kind}"
    last = [max(one) for one in took]
    worst = max(last) * 1000
    yield Figure(f"{what}: the document is there", first * 1000, "ms")
    yield Figure(
        f"{what}: an update reaches all",
        milliseconds(last),
        "ms",
        target=f"the slowest under {TARGET} ms",
        met=worst < TARGET,
        runs={"last client": last, "median client": [statistics.median(one) for one in took]},
    )
    yield Figure(f"{what}: the slowest update", worst, "ms")
    yield Figure(f"{what}: memory of the server", after / _MB, "MB")
    yield Figure(f"{what}: memory for the clients", (after - before) / _MB, "MB")


class _Client:
    """Follows a store and tells of each record that it hears of, and when."""

    def __init__(self, server: Server, cursor: str, told: queue.Queue[tuple[str, float]]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=_SECONDS)
        self._socket.sendall(
            f"GET /api/v1/stores/p/events?after={cursor} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
        )
        self._lines = self._socket.makefile("rb")
        assert b" 200 " in self._lines.readline()
        threading.Thread(target=self._follow, args=(told,), daemon=True).start()

    def _follow(self, told: queue.Queue[tuple[str, float]]) -> None:
        for line in self._lines:
            if line.startswith(b'data: {"sample"'):
                moment = time.perf_counter()
                for record in json.loads(line[6:])["sample"]["ids"]:
                    told.put((record, moment))


def _next(told: queue.Queue[tuple[str, float]], record: str) -> float:
    while True:
        name, moment = told.get(timeout=_SECONDS)
        if name == record:
            return moment


def _paging(folder: Path, place: str, count: int, kind: str) -> Iterator[Figure]:
    store = place if "://" in place else folder / place
    with PipestatManager(results_file_path=store, pipeline_name="p") as psm:
        for start in range(0, count, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, count))
            psm.report_many({f"s{i:07}": {"a": i, "b": i / 3, "c": "text"} for i in some})
    server = Server(folder, place)
    try:
        server.get("/api/v1/stores/p/records?limit=10")
        before = memory_of(server.process.pid)
        took, peak, seen, cursor = [], before, 0, ""
        while True:
            query = urlencode({"limit": _PAGE, **({"cursor": cursor} if cursor else {})})
            began = time.perf_counter()
            page = server.get(f"/api/v1/stores/p/records?{query}").json()
            took.append(time.perf_counter() - began)
            peak = max(peak, memory_of(server.process.pid))
            seen += len(page["records"])
            cursor = page["next_page_token"]
            if cursor is None:
                break
        assert seen == count
        began = time.perf_counter()
        lines = server.get("/api/v1/stores/p/records.jsonl").body.count(b"\n")
        streamed = time.perf_counter() - began
        assert lines == count
        after = max(peak, memory_of(server.process.pid))
    finally:
        server.kill()
    what = f"serve, {count} records in {kind}"
    yield Figure(f"{what}: a page of {_PAGE}", milliseconds(took), "ms", runs={"pages": took})
    yield Figure(f"{what}: all as JSON lines", streamed, "s")
    yield Figure(f"{what}: memory before", before / _MB, "MB")
    yield Figure(f"{what}: memory after all pages and lines", after / _MB, "MB")
