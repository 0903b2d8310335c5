"""An HTTP proxy before an S3 server that logs requests and makes some of them fail."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests import patience


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Cut(Exception):
    """Close the connection without an answer."""


Forward = Callable[[], Reply]
Fault = Callable[[Request, Forward], Reply]


class ProxyServer:
    """Forwards to `target` on a port of its own, with a `Proxy` before each bucket that has one."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._before: dict[str, Proxy] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, dict(self.headers), body)
                try:
                    reply = server.answer(request)
                except Cut:
                    self.close_connection = True
                    return
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    if "content-length" not in {name.lower() for name in reply.headers}:
                        self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(reply.body)
                except OSError:
                    self.close_connection = True

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = _serve

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Say nothing of clients that go away."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def before(self, bucket: str) -> Proxy:
        """Return what from now on stands before a bucket."""
        self._before[bucket] = Proxy(self.url, self.target)
        return self._before[bucket]

    def answer(self, request: Request) -> Reply:
        bucket = urlsplit(request.path).path.split("/")[1]
        proxy = self._before.get(bucket)
        return proxy.answer(request) if proxy else forwarded(self.target, request)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Proxy:
    """What stands before one bucket: `faults` meets the next requests of a method, one each."""

    url: str
    target: str
    log: list[tuple[Request, int]] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Reply:
        with self._lock:
            fault = next((f for f in self.faults if f[0] == request.method), None)
            if fault is not None:
                self.faults.remove(fault)
            place = len(self.log)
            self.log.append((request, 0))

        def forward() -> Reply:
            return forwarded(self.target, request)

        reply = fault[1](request, forward) if fault else forward()
        self.log[place] = (request, reply.status)
        return reply

    def fail(self, method: str, *faults: Fault) -> None:
        """Let the next requests of a method fail, each in its way."""
        self.faults += [(method, fault) for fault in faults]

    def requests(self) -> list[str]:
        """Return the methods of all requests since the last call."""
        with self._lock:
            methods = [request.method for request, _ in self.log]
            self.log.clear()
        return methods


def forwarded(target: str, request: Request) -> Reply:
    parts = urlsplit(target)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=patience.SECONDS
    )
    try:
        skipped = {"connection", "expect", "transfer-encoding"}
        headers = {k: v for k, v in request.headers.items() if k.lower() not in skipped}
        connection.request(request.method, request.path, request.body, headers)
        answer = connection.getresponse()
        kept = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in {"connection", "transfer-encoding", "date", "server"}
        }
        return Reply(answer.status, kept, answer.read())
    finally:
        connection.close()


def error(status: int, code: str, message: str = "", **more: str) -> Fault:
    """Answer with an error of S3 and forward nothing."""
    fields = {"Code": code, "Message": message or code, **more}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error>{inside}</Error>'.encode()
    return lambda *_: Reply(status, {"Content-Type": "application/xml"}, body)


def cut_before(request: Request, forward: Forward) -> Reply:
    """The server never sees the request."""
    raise Cut


def cut_after(request: Request, forward: Forward) -> Reply:
    """The server does what was asked, and nobody hears of it."""
    forward()
    raise Cut


def error_after(status: int, code: str) -> Fault:
    """The server does what was asked and answers with an error."""

    def fault(request: Request, forward: Forward) -> Reply:
        forward()
        return error(status, code)(request, forward)

    return fault


def slow(seconds: float) -> Fault:
    """The server does what was asked at once and answers late."""

    def fault(request: Request, forward: Forward) -> Reply:
        reply = forward()
        time.sleep(seconds)
        return reply

    return fault


def late(seconds: float) -> Fault:
    """The connection is cut, and the request reaches the server afterwards."""

    def fault(request: Request, forward: Forward) -> Reply:
        threading.Timer(seconds, forward).start()
        raise Cut

    return fault


def then(*actions: Callable[[], Any]) -> Fault:
    """Do the request, then something else, and cut the connection."""

    def fault(request: Request, forward: Forward) -> Reply:
        forward()
        for action in actions:
            action()
        raise Cut

    return fault
