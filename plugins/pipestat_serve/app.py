"""The application: everything of a server but its socket."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Header, Query, Request
from pipestat_report.page import live_page
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from pipestat_serve.api import (
    PROBLEMS,
    Cursor,
    StoreName,
    Where,
    api_router,
    entry_of,
    shown_place,
)
from pipestat_serve.documents import Documents, Part
from pipestat_serve.errors import add_handlers
from pipestat_serve.feed import Feed
from pipestat_serve.guard import Guard, host_names
from pipestat_serve.index_page import index_page
from pipestat_serve.metrics import Measured, Metrics
from pipestat_serve.reader_paths import reader_router
from pipestat_serve.site import Site

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from pipestat_serve.gate import Gate
    from pipestat_serve.served import Served
    from pipestat_serve.settings import Settings

__all__ = ["make_app", "routes"]

_SMALLEST_PACKED = 1000


def make_app(stores: Sequence[Served], settings: Settings, gate: Gate) -> ASGIApp:
    """Return the application that serves stores; `settings` has the port that it listens at."""
    metrics = Metrics()
    app = routes(Site(stores, settings), metrics)
    packed = GZipMiddleware(app, minimum_size=_SMALLEST_PACKED, compresslevel=5)
    return Guard(Measured(packed, metrics), gate, host_names(settings), settings)


def routes(site: Site, metrics: Metrics) -> FastAPI:
    """Return all that is answered, to whoever got in."""
    app = FastAPI(
        title="pipestat-spec serve",
        description="Results and status of pipelines. Nothing here writes.",
        version=version("pipestat-spec"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    add_handlers(app)
    _add_pages(app, site)
    _add_measures(app, metrics)
    app.include_router(api_router(site))
    _add_live(app, site, metrics)
    # The last, since one of its paths takes any word.
    app.include_router(reader_router(site))
    _name_stores(app, site)
    return app


def _name_stores(app: FastAPI, site: Site) -> None:
    """Let the OpenAPI say which stores there are."""
    for path in app.openapi()["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "store":
                    parameter["schema"]["enum"] = list(site.stores)


def _add_pages(app: FastAPI, site: Site) -> None:
    @app.get("/", include_in_schema=False)
    def index() -> Response:
        if len(site.stores) == 1:
            return RedirectResponse(f"s/{site.first.name}/", 303)
        page, policy = index_page([entry_of(site, name) for name in site.stores])
        return HTMLResponse(page, headers={"content-security-policy": policy})

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(status_code=204)

    @app.get("/s/{store}/", include_in_schema=False)
    def page(store: StoreName) -> Response:
        served = site.served(store)
        colours = [status.color for status in served.store.statuses.statuses.values()]
        source = f"../../api/v1/stores/{served.name}/"
        content, policy = live_page(served.title, colours, source)
        return HTMLResponse(content, headers={"content-security-policy": policy})


def _add_measures(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/healthz", summary="Whether this server answers; needs no token")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    async def measures() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _add_live(app: FastAPI, site: Site, metrics: Metrics) -> None:
    """Add what the page asks for: its document, and what changes."""
    documents, feeds = {}, {}
    for name, served in site.stores.items():
        links = site.links(f"../../api/v1/stores/{name}/")
        place = shown_place(served.store.place)
        documents[name] = Documents(served, links, place, len(site.stores))
        feeds[name] = Feed(served, documents[name], metrics)

    @app.get(
        "/api/v1/stores/{store}/document",
        summary="What the page shows; its form may change with any release",
        responses={**PROBLEMS, 304: {"description": "as the given ETag says"}},
        response_class=Response,
    )
    def document(
        request: Request, store: StoreName, where: Where = None, cursor: Cursor = None
    ) -> Response:
        served, part = site.served(store), Part(where or None, cursor)
        headers = {"pipestat-cursor": feeds[store].cursor(), "vary": "accept-encoding"}
        tag = served.tag("document", version("pipestat-spec"), where or "", cursor or "")
        if tag is not None:
            headers["etag"] = tag
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
        content = documents[store].packed(tag, part)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
        return Response(content, media_type="application/json", headers=headers)

    @app.get(
        "/api/v1/stores/{store}/events",
        summary="Changes as server-sent events: change, reset, trouble, beat",
        responses={
            **PROBLEMS,
            200: {"content": {"text/event-stream": {}}, "description": "the events, for ever"},
        },
        response_class=StreamingResponse,
    )
    async def events(
        store: StoreName,
        after: Annotated[str, Query(description="a cursor: the id of an event")] = "",
        last_event_id: Annotated[str | None, Header(description="the same, stronger")] = None,
    ) -> StreamingResponse:
        site.served(store)
        found: AsyncIterator[bytes] = await feeds[store].events(last_event_id or after)
        # A proxy must not wait until it has much of it.
        headers = {"x-accel-buffering": "no", "cache-control": "no-store"}
        return StreamingResponse(found, media_type="text/event-stream", headers=headers)
