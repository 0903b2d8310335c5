"""What is measured, for Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Measured", "Metrics"]


class Metrics:
    """The measures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "pipestat_serve_requests",
            "Requests answered",
            ("route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "pipestat_serve_request_seconds",
            "Seconds until an answer begins",
            ("route",),
            registry=self.registry,
        )
        self.followers = Gauge(
            "pipestat_serve_followers", "Open event streams", ("store",), registry=self.registry
        )
        self.events = Counter(
            "pipestat_serve_events", "Events sent", ("store", "event"), registry=self.registry
        )
        self.looks = Histogram(
            "pipestat_serve_look_seconds",
            "Seconds of one look at a store",
            ("store",),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return all of them in the format that Prometheus reads."""
        return generate_latest(self.registry)


class Measured:
    """Counts requests by route: never by path, which anybody can make up."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(route, message["status"]).inc()
                self._metrics.seconds.labels(route).observe(time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, measured)
