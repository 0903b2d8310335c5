"""Many processes write one object at once, and writers die; real processes, real HTTP."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pipestat_yaml.remote.s3 import _file_system

from tests import writers
from tests.remote.conftest import Managers, Place

FULL = os.environ.get("PIPESTAT_TRIALS") == "full"
Trials = Callable[[int, int], Iterator[random.Random]]


@pytest.fixture
def config(place: Place) -> dict[str, Any]:
    """The configuration that leads to the server itself: the proxy is one process of ours."""
    return {**place.config, "storage_options": {"endpoint_url": place.bucket.server}}


def start(config: dict[str, Any], record: str, first: int, count: int) -> writers.Writer:
    return writers.start("tests.remote.writer", json.dumps(config), record, first, count)


def run(config: dict[str, Any], jobs: list[tuple[str, int, int]]) -> None:
    processes = [start(config, *job) for job in jobs]
    writers.go(processes)
    # It may say that it is still trying; nothing else.
    said = writers.finish(processes, may_warn="still trying")
    assert all("took" in words for words in said)


def test_sixteen_processes_report_often(place: Place, config: dict[str, Any]) -> None:
    count = 20 if FULL else 8
    run(config, [("s{number}", number * count, count) for number in range(16)])
    expected = {f"s{number}": {f"n{number}": number} for number in range(16 * count)}
    assert place.bucket.results() == expected
    assert place.bucket.names() == ["run/results.yaml"]


def test_many_processes_report_once(place: Place, config: dict[str, Any]) -> None:
    count = 64 if FULL else 20
    run(config, [("s{number}", number, 1) for number in range(count)])
    assert len(place.bucket.results()) == count


def test_sixteen_processes_report_the_same_new_record(place: Place, config: dict[str, Any]) -> None:
    run(config, [("s1", number, 1) for number in range(16)])
    assert place.bucket.results() == {"s1": {f"n{number}": number for number in range(16)}}


def test_one_object_for_each_record(place: Place, config: dict[str, Any]) -> None:
    config["results_file_path"] = f"s3://{place.bucket.name}/r/{{record_identifier}}.yaml"
    run(config, [("s{number}", 0, 3) for number in range(8)])
    expected = {f"n{n}": n for n in range(3)}
    for key in place.bucket.names():
        name = key.removeprefix("r/").removesuffix(".yaml")
        assert place.bucket.results(key) == {name: {f"n{name[1:]}": int(name[1:])}}
    assert len(place.bucket.names()) == len(expected)


def test_a_killed_writer_loses_and_stops_nothing(
    place: Place, config: dict[str, Any], manager: Managers, trials: Trials
) -> None:
    first = 1
    for chance in trials(100, 6):
        process = start(config, "s1", first, 10_000)
        writers.go([process])
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline())]
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate()
        acknowledged += [int(line) for line in out.split()]
        stored = place.bucket.results()["s1"]
        last = max(acknowledged)
        manager().report({"after": last}, "s1")
        # All that was acknowledged, and at most the one under way.
        later = max(int(name[1:]) for name in stored if name[0] == "n")
        assert last <= later <= last + 1
        assert {f"n{n}" for n in range(1, later + 1)} <= stored.keys()
        first = max(int(name[1:]) for name in place.bucket.results()["s1"] if name[0] == "n") + 1
    assert place.bucket.names() == ["run/results.yaml"]


def test_threads_take_turns(place: Place, manager: Managers) -> None:
    from concurrent.futures import ThreadPoolExecutor

    psm = manager()
    place.proxy.requests()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: psm.report({"n": n}, f"s{n}"), range(40)))
    assert place.bucket.results() == {f"s{n}": {"n": n} for n in range(40)}
    # None of them meets another one at the store.
    assert place.proxy.requests().count("PUT") == 40


def test_clients_of_one_process_read_what_is_known_of_s3_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def client(port: int) -> tuple[Any, Any]:
        made = _file_system({"endpoint_url": f"http://127.0.0.1:{port}"})
        return made.s3, made.session.get_component("data_loader")

    (one, known), (other, known_too) = client(9), client(10)
    assert one is not other
    assert known is known_too
    # Whoever has descriptions of services of their own is heeded.
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    _, own = client(9)
    assert str(tmp_path) in own.search_paths
    assert str(tmp_path) not in known.search_paths


def test_a_forked_process_gets_a_client_of_its_own(place: Place, manager: Managers) -> None:
    psm = manager()
    psm.report({"n": 1}, "s1")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if psm.report({"n": 2}, "s2") else 1
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    psm.report({"n": 3}, "s3")
    assert place.bucket.results() == {"s1": {"n": 1}, "s2": {"n": 2}, "s3": {"n": 3}}
