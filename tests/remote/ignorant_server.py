"""A server that stores objects, as S3 does, and ignores conditions; it needs no keys."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape


class IgnorantServer:
    """`honours` names the conditions that it honours all the same; `refuses` answers 501.

    So does `no_checksums` to puts with a checksum.
    """

    def __init__(
        self, honours: str = "", *, refuses: bool = False, no_checksums: bool = False
    ) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.requests: list[str] = []
        self.honours = honours
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def _error(self, status: int, code: str) -> None:
                self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())

            def do_GET(self) -> None:
                server.requests.append("GET")
                path = unquote(urlsplit(self.path).path)
                if "list-type" in self.path:
                    self._answer(200, server.listing())
                elif path not in server.objects:
                    self._error(404, "NoSuchKey")
                else:
                    body, metadata = server.objects[path]
                    self._answer(200, body, ETag=etag(body), **metadata)

            def do_PUT(self) -> None:
                server.requests.append("PUT")
                path = unquote(urlsplit(self.path).path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                there = server.objects.get(path)
                match, none = self.headers.get("If-Match"), self.headers.get("If-None-Match")
                checksum = any(name.lower().startswith("x-amz-checksum-") for name in self.headers)
                checksum |= "trailer" in self.headers.get("x-amz-content-sha256", "").lower()
                if (refuses and (match or none)) or (no_checksums and checksum):
                    self._error(501, "NotImplemented")
                    return
                wrong = match and (there is None or etag(there[0]) != match)
                if ("If-Match" in server.honours and wrong) or (
                    "If-None-Match" in server.honours and none and there is not None
                ):
                    self._error(412, "PreconditionFailed")
                    return
                kept = {k: v for k, v in self.headers.items() if k.lower().startswith("x-amz-meta")}
                server.objects[path] = (body, kept)
                self._answer(200, ETag=etag(body))

            def do_DELETE(self) -> None:
                server.requests.append("DELETE")
                server.objects.pop(unquote(urlsplit(self.path).path), None)
                self._answer(204)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def listing(self) -> bytes:
        found = [path.partition("/")[2].partition("/")[2] for path in self.objects]
        inside = "".join(
            f"<Contents><Key>{escape(k)}</Key><Size>9</Size></Contents>" for k in found
        )
        return f"<ListBucketResult>{inside}</ListBucketResult>".encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
