"""moto's S3 server as a program: prints its port and serves until its stdin is closed.

An argument is the seconds that each request takes longer, as it would over a network.

Requests are served one at a time: moto checks a condition and stores the object in two steps,
and S3 does it in one.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass


def serialised(app: Any, delay: float) -> Callable[..., Iterable[bytes]]:
    lock = threading.Lock()

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # The body is read first: a slow client must not keep the others waiting.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        time.sleep(delay / 2)
        with lock:
            answer = list(app(environ, start_response))
        time.sleep(delay / 2)
        return answer

    return call


def main(delay: str = "0") -> None:
    # The application of one service: to find out which one a request is for takes moto as long as
    # to answer it.
    app = serialised(create_backend_app("s3"), float(delay))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
