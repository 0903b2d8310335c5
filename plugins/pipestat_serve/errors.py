"""Answers to what is refused: `application/problem+json`, RFC 9457."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from pipestat_spec.errors import PipestatError
from pipestat_spec.text.strings import shorten

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

__all__ = ["MEDIA_TYPE", "Refusal", "add_handlers", "refusal"]

MEDIA_TYPE = "application/problem+json"
# By the code of an error; others say that a store cannot be read now.
_STATUS = {"not-found": 404, "query": 400, "status": 400, "validation": 400, "unsupported": 400}
_LONGEST = 500


class Refusal(BaseModel):
    """Why there is no other answer."""

    title: str = Field(description="what the status means")
    status: int
    code: str = Field(description="what kind of problem it is, for programs")
    detail: str = Field(description="what is wrong, for people")
    hint: str | None = Field(None, description="what mends it")


def refusal(
    status: int, code: str, detail: str, hint: str | None = None, *, page: bool = False
) -> Response:
    """Return the answer; as a `page` for people."""
    title = HTTPStatus(status).phrase
    if page:
        told = f"{detail[:1].upper()}{detail[1:]}" + (f": {hint}" if hint else "")
        text = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{escape(told)}.</p>"
        return HTMLResponse(text, status)
    body = Refusal(title=title, status=status, code=code, detail=detail, hint=hint)
    return Response(body.model_dump_json(), status, media_type=MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Let the application answer its errors so."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    async def ours(_: Request, error: Any) -> Response:
        status = _STATUS.get(error.code, 503)
        return refusal(status, error.code, shorten(error.message, _LONGEST), error.hint)

    async def arguments(_: Request, error: Any) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        detail = shorten(f"{where}: {first['msg']}", _LONGEST)
        return refusal(422, "arguments", detail, "see /api/v1/openapi.json")

    async def http(_: Request, error: Any) -> Response:
        return refusal(error.status_code, "request", str(error.detail))

    async def unexpected(_: Request, error: Any) -> Response:
        # The server's log tells more; a client need not know what it is.
        return refusal(500, "internal", f"unexpected {type(error).__name__}", "report this fault")

    app.add_exception_handler(Exception, unexpected)
    app.add_exception_handler(PipestatError, ours)
    app.add_exception_handler(RequestValidationError, arguments)
    app.add_exception_handler(HTTPException, http)
