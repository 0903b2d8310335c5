"""Servers that ignore the conditions of a put are found out before the first write."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipestat_yaml.remote.s3 import S3Objects

from pipestat_spec import PipestatManager
from pipestat_spec.errors import PipestatStartupError, UnsafeStoreError
from tests.remote.conftest import Managers, Place
from tests.remote.ignorant_server import IgnorantServer
from tests.remote.proxy import cut_after, error

Servers = Callable[..., IgnorantServer]


@pytest.fixture
def server() -> Iterator[Servers]:
    made: list[IgnorantServer] = []

    def make(*arguments: Any, **options: Any) -> IgnorantServer:
        made.append(IgnorantServer(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def settings(server: IgnorantServer, **more: Any) -> dict[str, Any]:
    return {
        "results_file_path": "s3://lab/run/results.yaml",
        "storage_options": {"endpoint_url": server.url},
        "pipeline_name": "demo",
        **more,
    }


def stored(server: IgnorantServer, path: str = "/lab/run/results.yaml") -> Any:
    return yaml.safe_load(server.objects[path][0])["demo"]


@pytest.mark.parametrize(
    ("honours", "refuses"),
    [("", False), ("If-Match", False), ("If-None-Match", False), ("", True)],
)
@pytest.mark.parametrize("path", ["results.yaml", "{record_identifier}.yaml"])
def test_the_first_write_is_refused(
    server: Servers, honours: str, refuses: bool, path: str
) -> None:
    one = server(honours, refuses=refuses)
    psm = PipestatManager.from_config(settings(one, results_file_path=f"s3://lab/run/{path}"))
    for _ in range(2):
        with pytest.raises(UnsafeStoreError) as caught:
            psm.report({"n": 1}, "s1")
    text = str(caught.value)
    assert "simultaneous writers would silently lose each other's results" in text
    assert "unsafe_writes: true" in text
    assert "{record_identifier}" in text
    assert text.count("\n") == 0
    # What the question was asked with is gone, and nothing was stored.
    assert one.objects == {}


def test_the_opt_in_works_and_says_so_once(
    server: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    one = server()
    psm = PipestatManager.from_config(settings(one, unsafe_writes=True))
    assert "concurrent-writers" not in psm.store.backend.capabilities
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            psm.report({"n": number}, f"s{number}")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "ignores the conditions If-Match and If-None-Match" in said[0]
    assert "with unsafe_writes, simultaneous writers can lose results" in said[0]
    assert {name: record["n"] for name, record in stored(one).items()} == {
        "s0": 0, "s1": 1, "s2": 2
    }  # fmt: skip


def test_the_opt_in_where_conditions_are_refused(server: Servers) -> None:
    one = server(refuses=True)
    PipestatManager.from_config(settings(one, unsafe_writes=True)).report({"n": 1}, "s1")
    assert stored(one)["s1"]["n"] == 1


@pytest.mark.parametrize("way", ["option", "client", "environment", "profile", "services"])
def test_checksums_go_only_to_servers_that_are_known_to_take_them(
    server: Servers, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = server("If-Match If-None-Match", no_checksums=True)
    options: dict[str, Any] = {}
    profile = "region = us-east-1\n"
    if way == "option":
        options = {"endpoint_url": one.url}
    elif way == "client":
        options = {"client_kwargs": {"endpoint_url": one.url}}
    elif way == "environment":
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", one.url)
    elif way == "profile":
        profile += f"endpoint_url = {one.url}\n"
    else:
        profile += f"services = lab\n[services lab]\ns3 =\n  endpoint_url = {one.url}\n"
    (tmp_path / "aws").write_text(f"[default]\n{profile}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    psm = PipestatManager.from_config(settings(one, storage_options=options))
    psm.report({"n": 1}, "s1")
    assert stored(one)["s1"]["n"] == 1


def test_a_refused_checksum_is_not_a_refused_condition(
    server: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = server("If-Match If-None-Match", no_checksums=True)
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    psm = PipestatManager.from_config(settings(one))
    with pytest.raises(PipestatStartupError, match="NotImplemented") as caught:
        psm.report({"n": 1}, "s1")
    assert "when_required" in str(caught.value)
    assert "unsafe_writes" not in str(caught.value)
    assert one.objects == {}


def test_a_server_that_honours_them_is_asked_once(server: Servers) -> None:
    one = server("If-Match If-None-Match")
    psm = PipestatManager.from_config(settings(one))
    assert "concurrent-writers" in psm.store.backend.capabilities
    psm.report({"n": 1}, "s1")
    assert one.requests == [*["GET"], *["PUT"] * 4, "GET", "PUT", "DELETE", "PUT"]
    assert list(one.objects) == ["/lab/run/results.yaml"]
    one.requests.clear()
    for folder in ("run", "other"):
        path = f"s3://lab/{folder}/results.yaml"
        PipestatManager.from_config(settings(one, results_file_path=path)).report({"n": 2}, "s1")
    assert one.requests == ["GET", "PUT"] * 2
    one.requests.clear()
    # Another bucket of the same server is another question.
    other = settings(one, results_file_path="s3://lab2/results.yaml")
    PipestatManager.from_config(other).report({"n": 1}, "s1")
    assert one.requests.count("PUT") == 6


def test_reading_asks_nothing(server: Servers) -> None:
    one = server()
    one.objects["/lab/run/results.yaml"] = (b"demo: {s1: {n: 1}}\n", {})
    psm = PipestatManager.from_config(settings(one))
    assert psm.retrieve_one("s1") == {"n": 1, "record_identifier": "s1"}
    assert set(one.requests) == {"GET"}


def test_a_report_that_changes_nothing_asks_nothing(server: Servers) -> None:
    one = server()
    one.objects["/lab/run/results.yaml"] = (b"demo: {s1: {n: 1}}\n", {})
    PipestatManager.from_config(settings(one)).report({"n": 1}, "s1")
    assert set(one.requests) == {"GET"}


def test_an_old_answer_is_asked_again(server: Servers, tmp_path: Path) -> None:
    one = server("If-Match If-None-Match")
    PipestatManager.from_config(settings(one)).report({"n": 1}, "s1")
    (note,) = (tmp_path / "cache" / "pipestat-spec").iterdir()
    assert note.read_text() == f"http://127.0.0.1:{one.url.rpartition(':')[2]} lab\n"
    past = time.time() - 31 * 24 * 3600
    os.utime(note, (past, past))
    one.honours = ""
    with pytest.raises(UnsafeStoreError):
        PipestatManager.from_config(settings(one)).report({"n": 2}, "s1")
    assert stored(one)["s1"]["n"] == 1


def test_without_a_cache_folder_it_is_asked_each_time(
    server: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    one = server("If-Match If-None-Match")
    for number in range(2):
        one.requests.clear()
        PipestatManager.from_config(settings(one)).report({"n": number}, "s1")
        assert one.requests.count("PUT") == 6


@pytest.mark.parametrize("fault", [cut_after, error(503, "SlowDown"), error(500, "x")])
@pytest.mark.parametrize("place_in_line", range(5))
def test_a_fault_is_no_answer(
    place: Place, manager: Managers, tmp_path: Path, fault: Any, place_in_line: int
) -> None:
    for note in (tmp_path / "cache" / "pipestat-spec").iterdir():
        note.unlink()
    psm = manager()
    ahead = [lambda request, forward: forward()] * place_in_line
    place.proxy.fail("PUT", *ahead, fault)
    psm.report({"n": 1}, "s1")
    assert place.bucket.names() == ["run/results.yaml"]


def test_amazon_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    # No request is made here: a client knows its endpoint.
    assert S3Objects("some-bucket", {}).is_trusted()
    china = {"client_kwargs": {"region_name": "cn-north-1"}}
    assert S3Objects("some-bucket", china).is_trusted()
    for other in ("http://127.0.0.1:9", "https://s3.amazonaws.com.example.org"):
        assert not S3Objects("some-bucket", {"endpoint_url": other}).is_trusted()
