"""Listening, and telling how to get in."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipestat_spec.errors import PipestatStartupError

if TYPE_CHECKING:
    from pipestat_serve.served import Served
    from pipestat_serve.settings import Settings

__all__ = ["listen", "run"]

# Seconds that open streams have to end when the server does.
_PATIENCE = 1


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens; raises PipestatStartupError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PipestatStartupError(
            f"cannot listen at {settings.host}, port {settings.port}: {reason}",
            hint="give another --port (0: a free one), or another --host",
        ) from None


def run(
    listening: socket.socket, stores: Sequence[Served], settings: Settings, open_browser: bool
) -> int:
    """Serve until interrupted; return the exit code."""
    import uvicorn

    from pipestat_serve.app import make_app
    from pipestat_serve.gate import TOKEN_VARIABLE, Gate

    settings = replace(settings, port=listening.getsockname()[1])
    is_first = True

    def announce(token: str) -> None:
        nonlocal is_first
        address = f"{_address(settings)}/?token={token}"
        _say(f"open {address}" if is_first else f"for another browser: {address}")
        if is_first and open_browser:
            import webbrowser

            webbrowser.open(address)
        is_first = False

    lasting = os.environ.get(TOKEN_VARIABLE) or None
    if lasting is not None and len(lasting) < 16:
        raise PipestatStartupError(
            f"{TOKEN_VARIABLE} is too short to be a secret",
            hint="give at least 16 characters, such as those of: openssl rand -hex 24",
        )
    gate = Gate(announce, lasting)
    app = make_app(stores, settings, gate)
    names = ", ".join(one.name for one in stores)
    _say(f"serving {names}; Ctrl+C ends it")
    if not settings.folders:
        _say("files and images are not served; --files DIR allows those in a folder")
    gate.open()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=_PATIENCE,
        )
    )
    server.run(sockets=[listening])
    return 0


def _address(settings: Settings) -> str:
    host = settings.host
    if host in ("0.0.0.0", "::", ""):
        host = socket.gethostname()
    if settings.hosts:
        host = settings.hosts[0]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{settings.port}{settings.root_path}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
