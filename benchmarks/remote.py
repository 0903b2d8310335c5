"""Results files on S3: requests, bytes and seconds, one object against one for each record.

The server is moto's, on this machine. `LATENCY` is added to each request for the figures in
seconds, about what S3 takes within its region; the server's own time comes on top.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.figures import Figure
from pipestat_spec import PipestatManager
from tests.environments import clean_environment
from tests.remote.proxy import ProxyServer
from tests.remote.raw import RawBucket
from tests.remote.servers import KEYS, running_moto
from tests.repository import REPOSITORY

# Seconds.
LATENCY = 0.02
RECORDS = 1000
WRITERS = (1, 4, 16)
# Updates of all writers together.
UPDATES = 96
PAGE = 20
PATHS = {"one object": "results.yaml", "one object each": "{record_identifier}.yaml"}


@contextmanager
def environment() -> Iterator[None]:
    """Set credentials, and keep what is remembered of servers out of the user's cache."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as cache:
        os.environ.update(KEYS, AWS_DEFAULT_REGION="us-east-1", XDG_CACHE_HOME=cache)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def opened(bucket: str, path: str, server: str) -> PipestatManager:
    return PipestatManager.from_config(
        {
            "results_file_path": f"s3://{bucket}/{path}",
            "storage_options": {"endpoint_url": server},
            "pipeline_name": "demo",
        }
    )


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def figures() -> Iterator[Figure]:
    """Measure all."""
    with environment():
        with running_moto() as server:
            yield from requests(server)
        with running_moto(LATENCY) as server:
            yield from layouts(server)
            yield from throughput(server)


def requests(server: str) -> Iterator[Figure]:
    """Count the requests and bytes of one report, into an empty and a large object."""
    bucket = RawBucket(server, "requests")
    bucket.create()
    proxies = ProxyServer(server)
    proxy = proxies.before(bucket.name)
    try:
        for count in (0, RECORDS):
            psm = opened(bucket.name, f"r{count}.yaml", proxy.url)
            psm.report_many({f"s{number}": record(number) for number in range(count or 1)})
            proxy.requests()
            psm.report({"reads": -1}, "s0")
            moved = sum(len(request.body) for request, _ in proxy.log)
            moved += sum(
                len(bucket.get(f"r{count}.yaml") or b"")
                for request, _ in proxy.log
                if request.method == "GET"
            )
            name = f"S3: report into {count or 1:,} records"
            yield Figure(f"{name}, requests", len(proxy.requests()), "requests")
            yield Figure(f"{name}, bytes of bodies", moved / 1024, "KB")
    finally:
        proxies.stop()


def record(number: int) -> dict[str, Any]:
    return {
        "reads": number,
        "rate": number / 7,
        "name": f"sample number {number}",
        "tags": [number, number + 1, number + 2],
    }


def layouts(server: str) -> Iterator[Figure]:
    """Compare one object of 1,000 records with 1,000 objects of one."""
    bucket = RawBucket(server, "layouts")
    bucket.create()
    for name, path in PATHS.items():
        psm = opened(bucket.name, path, server)
        everything = {f"s{number}": record(number) for number in range(RECORDS)}
        work: Mapping[str, Callable[[], Any]] = {
            f"store {RECORDS:,} records at once": lambda p=psm, e=everything: p.report_many(e),
            "report": lambda p=psm: p.report({"reads": time.time_ns() // 1000}, "s500"),
            "retrieve one": lambda p=psm: p.retrieve_one("s500"),
            f"page of {PAGE} records": lambda p=psm: p.select_records(limit=PAGE),
            f"read all {RECORDS:,} records": lambda p=psm: p.select_records(),
        }
        for what, does in work.items():
            runs = [timed(does) for _ in range(1 if what.startswith("store") else 5)]
            seconds = sorted(runs)[len(runs) // 2]
            yield Figure(f"S3, {name}: {what}", seconds * 1000, "ms", runs={"ours": runs})


def throughput(server: str) -> Iterator[Figure]:
    """Measure how many updates a second one object takes, by the number of writers."""
    bucket = RawBucket(server, "throughput")
    bucket.create()
    for writers in WRITERS:
        seconds = together(bucket, f"w{writers}.yaml", writers, server)
        assert len(bucket.results(f"w{writers}.yaml")) == UPDATES
        name = f"S3, one object, {writers} writer" + "s" * (writers > 1)
        yield Figure(name, UPDATES / seconds, "updates/s", runs={"seconds": [seconds]})


def together(bucket: RawBucket, path: str, writers: int, server: str) -> float:
    """Let processes report UPDATES records of their own; return the seconds from go to end."""
    config = json.dumps(
        {
            "results_file_path": f"s3://{bucket.name}/{path}",
            "storage_options": {"endpoint_url": server},
            "pipeline_name": "demo",
        }
    )
    each = UPDATES // writers
    program = [sys.executable, "-m", "tests.remote.writer"]
    processes = [
        subprocess.Popen(
            [*program, config, "s{number}", str(number * each), str(each)],
            cwd=REPOSITORY,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(writers)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=600)
        assert process.returncode == 0
    return time.perf_counter() - start
