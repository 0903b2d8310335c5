"""Who gets in, by which name, and with which method; what is wrong before anything listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipestat_spec import PipestatManager
from tests import patience
from tests.commands import pipestat_spec
from tests.serve.servers import TOKEN, Server

STORES = "/api/v1/stores"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    with PipestatManager(results_file_path=folder / "r.yaml", pipeline_name="p") as psm:
        psm.report({"n": 1}, "<img src=x onerror=alert(1)>")
    started = Server(folder, "r.yaml", "--allow-host", "results.example", "--root-path", "/r/")
    yield started
    assert started.process.poll() is None, started.told
    started.kill()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:80", 200),
        ("results.example", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("evil@localhost", 403),
        ("localhost@evil.example", 403),
        ("localhost:80:80", 403),
        ("localhost/", 403),
        ("", 403),
        ("0.0.0.0", 403),
        ("2130706433", 403),
    ],
)
def test_hosts(server: Server, host: str, status: int) -> None:
    assert server.get(STORES, Host=host).status == status


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n"])
def test_one_host_and_no_other_number(server: Server, hosts: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience.SECONDS) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
        answer = raw.makefile("rb").readline()
    assert answer.split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "", "Cookie": "pipestat_serve_{port}=99999999999."},
        {"Authorization": "", "Cookie": "pipestat_serve_{port}=99999999999." + "0" * 64},
        {"Authorization": "", "Cookie": "pipestat_serve_{port}=" + TOKEN},
    ],
)
def test_without_the_token_nothing_is_told(server: Server, headers: dict[str, str]) -> None:
    given = {name: value.replace("{port}", str(server.port)) for name, value in headers.items()}
    for path in (STORES, "/", "/s/p/", "/metrics", "/data/", "/api/v1/openapi.json", "/nothing"):
        answer = server.get(path, **given)
        assert answer.status == 401, path
        assert b"onerror" not in answer.body
    assert server.get("/healthz", **given).json() == {"status": "ok"}


def test_a_cookie_outlives_the_server(server: Server) -> None:
    entered = server.get(f"/?token={TOKEN}", Authorization="")
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "Path=/r/", "SameSite=lax"} <= set(cookie.split("; "))
    assert entered.headers["location"] == "/r/"
    value = cookie.partition(";")[0]
    server.kill()
    server.start()
    assert server.get(STORES, Authorization="", Cookie=value).status == 200
    key = server.folder / "state" / "pipestat-spec" / "serve.key"
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_nothing_is_ever_written(server: Server, method: str) -> None:
    for path in ("/", STORES, f"{STORES}/p/record", "/data/x"):
        answer = server.get(path, method)
        assert answer.status == 405
        assert answer.headers["allow"] == "GET"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", [STORES, "/", "/s/p/", "/healthz", "/nothing"])
def test_every_answer_is_guarded(server: Server, path: str) -> None:
    headers = server.get(path, Origin="http://evil.example").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_proxys_part_of_the_path_is_known(server: Server) -> None:
    for path in ("/r/api/v1/stores", STORES):
        assert server.get(path).json()["total_size"] == 1
    assert server.get("/rr/api/v1/stores").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/s/../../etc/passwd",
        "/s/%2e%2e/%2e%2e/etc/passwd",
        "/s/p/../../../etc/passwd",
        "/api/v1/stores/..%2f..%2fetc/records",
        "/static/report.js",
        "//etc/passwd",
        "/data/..%2f..%2fr.yaml",
        "/s/p",
    ],
)
def test_a_path_leads_to_no_file(server: Server, path: str) -> None:
    answer = server.get(path)
    assert answer.status == 404
    assert b"root:" not in answer.body


def test_a_body_that_is_too_long_or_no_json(server: Server) -> None:
    path = "/filtered_table_contents/"
    assert server.get(path, "POST", {"column_names": ["n" * 2_000_000]}).status == 400
    assert server.get(path, "POST", {"filter_conditions": [["n", "nothing", 1]]}).status == 400
    assert server.get(path, "POST", [1, 2]).status == 422


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.yaml"], "nothing.yaml"),
        (["r.yaml", "nothing.db"], "nothing.db"),
        (["r.yaml", "--host", "0.0.0.0"], "--public"),
        (["r.yaml", "--files", "nowhere"], "nowhere"),
        (["r.yaml", "--host", "203.0.113.7", "--public"], "203.0.113.7"),
        (["r.yaml", "-s", "nothing.yaml"], "nothing.yaml"),
    ],
)
def test_what_is_wrong_is_told_before_anything_listens(
    server: Server, arguments: list[str], told: str
) -> None:
    done = pipestat_spec("serve", *arguments, "--port", "0", cwd=server.folder, code=1)
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert told in done.stderr
    assert "open http" not in done.stderr


def test_a_port_that_is_taken(server: Server) -> None:
    done = pipestat_spec("serve", "r.yaml", "--port", server.port, cwd=server.folder, code=1)
    assert f"port {server.port}" in done.stderr


def test_a_token_that_is_short_is_no_secret(server: Server) -> None:
    done = pipestat_spec(
        *("serve", "r.yaml", "--port", "0"), cwd=server.folder, code=1, PIPESTAT_SERVE_TOKEN="1234"
    )
    assert "PIPESTAT_SERVE_TOKEN" in done.stderr


def test_a_server_ends_as_it_is_asked_to(tmp_path: Path) -> None:
    with PipestatManager(results_file_path=tmp_path / "r.yaml", pipeline_name="p") as psm:
        psm.report({"n": 1}, "s")
    server = Server(tmp_path, "r.yaml")
    events = server.events("p")
    next(events)
    assert server.stop() in (0, -15, 143)
    assert "Traceback" not in "".join(server.told)
