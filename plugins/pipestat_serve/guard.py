"""What every request passes: the host's name, the method, the token, and the answer's headers."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse, Response

from pipestat_serve.errors import refusal
from pipestat_serve.gate import COOKIE_AGE, Gate

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipestat_serve.settings import Settings

__all__ = ["POSTED", "Guard", "host_names"]

# The one reader that pipestat has posted to; it reads as well.
POSTED = "/filtered_table_contents/"
# What needs no token: it tells nothing of any store.
_OPEN = ("/healthz", "/favicon.ico")
_MOST_BODY = 1_000_000
_HEADERS = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"private, no-cache",
}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


def host_names(settings: Settings) -> frozenset[str]:
    """Return the names by which this server may be addressed, in lower case."""
    names = {"127.0.0.1", "localhost", "[::1]", *settings.hosts}
    host = settings.host.lower()
    if host in ("0.0.0.0", "::", ""):
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    else:
        names.add(f"[{host}]" if ":" in host else host)
    return frozenset(names)


class Guard:
    """Refuses what is not meant for this server, or not allowed, before anything else sees it."""

    def __init__(self, app: ASGIApp, gate: Gate, hosts: frozenset[str], settings: Settings) -> None:
        self._app, self._gate, self._hosts = app, gate, hosts
        self._root = settings.root_path
        # Browsers do not tell the cookies of two ports apart.
        self._cookie = f"pipestat_serve_{settings.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        # A proxy may leave its own part of the path there.
        if self._root and path.startswith(f"{self._root}/"):
            path = path[len(self._root) :]
            scope = {**scope, "path": path, "raw_path": path.encode()}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = {name.lower() for name, _ in message["headers"]}
                more = [(name, value) for name, value in _HEADERS.items() if name not in told]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        if not self._is_ours(scope):
            answer: Response = refusal(
                403, "host", "this server has another name", "add --allow-host NAME"
            )
        elif scope["method"] != "GET" and (scope["method"], path) != ("POST", POSTED):
            answer = refusal(405, "method", "this server only reads", "use GET")
            answer.headers["allow"] = "POST" if path == POSTED else "GET"
        elif path in _OPEN:
            await self._app(scope, receive, guarded)
            return
        elif path == "/" and (token := self._token(scope)) is not None:
            answer = self._enter(scope, token)
        elif not self._is_known(scope):
            answer = refusal(
                401,
                "token",
                "no token was given, or a wrong one",
                "open the link that 'pipestat-spec serve' printed last",
                page="text/html" in self._header(scope, b"accept"),
            )
            answer.headers["www-authenticate"] = "Bearer"
        else:
            await self._app(scope, _limited(receive), guarded)
            return
        await answer(scope, receive, guarded)

    def _is_ours(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return False
        match = _HOST.fullmatch(given[0].decode("latin-1"))
        return match is not None and match[1].lower() in self._hosts

    def _token(self, scope: Scope) -> str | None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        return given[0] if given else None

    def _enter(self, scope: Scope, token: str) -> Response:
        if not self._gate.admits_link(token):
            return refusal(
                401,
                "token",
                "this link was used before, or it is of an earlier start",
                "open the link that 'pipestat-spec serve' printed last",
                page="text/html" in self._header(scope, b"accept"),
            )
        answer = RedirectResponse(f"{self._root}/", 303)
        answer.set_cookie(
            self._cookie,
            self._gate.cookie(),
            max_age=COOKIE_AGE,
            path=f"{self._root}/",
            httponly=True,
            samesite="lax",
            secure=self._header(scope, b"x-forwarded-proto") == "https",
        )
        return answer

    def _is_known(self, scope: Scope) -> bool:
        kind, _, token = self._header(scope, b"authorization").partition(" ")
        if kind.lower() == "bearer" and self._gate.admits_token(token.strip()):
            return True
        for part in self._header(scope, b"cookie").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._cookie and self._gate.admits_cookie(value):
                return True
        return False

    @staticmethod
    def _header(scope: Scope, wanted: bytes) -> str:
        for name, value in scope["headers"]:
            if name == wanted:
                return str(value.decode("latin-1"))
        return ""


def _limited(receive: Receive) -> Receive:
    """Return what receives a body, and takes one that is too long for the client's going away."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        return {"type": "http.disconnect"} if size > _MOST_BODY else message

    return limited
