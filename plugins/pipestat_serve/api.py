"""`/api/v1`: stores and records as JSON, for programs and for the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from pipestat_serve.answers import (
    FileEntry,
    FilesAnswer,
    RecordDetail,
    RecordVerdict,
    SchemaAnswer,
    StatusPage,
    StoreEntry,
    StoresAnswer,
    VerdictPage,
)
from pipestat_serve.errors import MEDIA_TYPE, Refusal
from pipestat_serve.files import file_response, files_of
from pipestat_spec.counting import count_records
from pipestat_spec.documents.answers import (
    DefinedStatus,
    DefinedStatusesAnswer,
    DistinctAnswer,
    FormerValue,
    HistoryAnswer,
    LevelCounts,
    PageAnswer,
    QcReason,
    RecordAnswer,
    RecordStatus,
)
from pipestat_spec.domain.filter_text import parse_filter
from pipestat_spec.domain.query import keep_columns, page_with_fields
from pipestat_spec.domain.times import format_utc
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.models.query import Filter, record_dict
from pipestat_spec.models.query import Query as Search
from pipestat_spec.models.record import Level, RecordKey

if TYPE_CHECKING:
    from pipestat_serve.site import Site

__all__ = ["LIMIT", "PROBLEMS", "answered", "api_router", "entry_of", "shown_place"]

# Records of one page, at most.
LIMIT = 10_000
# Bytes of JSON lines that are sent at once.
_PART = 65536
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "content": {MEDIA_TYPE: {}}, "description": text}
    for status, text in (
        (400, "a filter, a column or a cursor is wrong, or the store cannot do it"),
        (401, "no token, or a wrong one"),
        (403, "a host of another name"),
        (404, "there is no such store, record or file"),
        (422, "an argument is missing or of another type"),
        (503, "the store cannot be read now"),
    )
}
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "as the given ETag says"}}

StoreName = Annotated[str, Path(description="a store, as `/stores` names it")]
LevelName = Annotated[Level, Query(description="sample or project")]
RecordName = Annotated[str, Query(min_length=1, description="the record")]
Where = Annotated[str | None, Query(description="filter, as in `pipestat-spec select --where`")]
Columns = Annotated[list[str] | None, Query(description="these results or fields only")]
Limit = Annotated[int, Query(ge=1, le=LIMIT, description="records of the page")]
Cursor = Annotated[str | None, Query(description="next_page_token of the page before")]


def answered(request: Request, tag: str | None, make: Callable[[], BaseModel]) -> Response:
    """Return a model as JSON; nothing is made when the client has what the ETag says."""
    headers = {} if tag is None else {"etag": tag}
    if tag is not None and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(
        make().model_dump_json(exclude_unset=True), media_type="application/json", headers=headers
    )


def api_router(site: Site) -> APIRouter:
    """Return the routes; each answers for one of the site's stores."""
    router = APIRouter(prefix="/api/v1", responses={**PROBLEMS, **_UNCHANGED})

    @router.get("/stores", summary="All stores, with counts by status")
    def stores(request: Request) -> StoresAnswer:
        entries = [entry_of(site, name) for name in site.stores]
        found = StoresAnswer.model_construct(total_size=len(entries), records=entries)
        return answered(request, None, lambda: found)  # type: ignore[return-value]

    @router.get("/stores/{store}", summary="One store")
    def one_store(request: Request, store: StoreName) -> StoreEntry:
        served = site.served(store)
        return answered(request, served.tag("entry"), lambda: entry_of(site, store))  # type: ignore[return-value]

    @router.get("/stores/{store}/records", summary="A page of the records that match")
    def records(
        request: Request,
        store: StoreName,
        level: LevelName = "sample",
        where: Where = None,
        columns: Columns = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> PageAnswer:
        served, condition = site.served(store), _filter(where)

        def make() -> PageAnswer:
            names = tuple(columns or ())
            search = Search(level, names or None, condition, limit, cursor)
            page = page_with_fields(served.store.select(search), limit, names)
            return _page(page)

        tag = served.tag("records", str(request.url.query))
        return answered(request, tag, make)  # type: ignore[return-value]

    @router.get(
        "/stores/{store}/records.jsonl",
        summary="All records that match, a line of JSON for each",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/jsonl": {}}, "description": "the lines"}},
    )
    def record_lines(
        store: StoreName, level: LevelName = "sample", where: Where = None, columns: Columns = None
    ) -> StreamingResponse:
        found = site.served(store).store.matching(level, _filter(where))
        names = tuple(columns) if columns else None
        lines = (
            RecordAnswer.model_construct(**record_dict(keep_columns(one, names))) for one in found
        )
        # The first part is made here: what is wrong with the request is an answer of its own.
        parts = _parts(lines)
        first = next(parts, b"")
        return StreamingResponse(_after(first, parts), media_type="application/jsonl")

    @router.get("/stores/{store}/record", summary="One record in full")
    def record(
        request: Request,
        store: StoreName,
        record_identifier: RecordName,
        level: LevelName = "sample",
    ) -> RecordDetail:
        served = site.served(store)
        tag = served.tag("record", level, record_identifier)
        key = RecordKey(level, record_identifier)

        def make() -> RecordDetail:
            found = served.store.get(key)
            return RecordDetail.model_construct(
                record_identifier=key.identifier,
                level=level,
                status=found.status,
                status_time=found.status_time,
                status_message=found.status_message,
                source=None if found.source is None else dict(found.source),
                created=found.created,
                modified=found.modified,
                results=dict(found.results),
                verdict=None if found.judgement is None else str(found.judgement.verdict),
            )

        return answered(request, tag, make)  # type: ignore[return-value]

    @router.get("/stores/{store}/history", summary="The former values of a record's results")
    def history(
        request: Request,
        store: StoreName,
        record_identifier: RecordName,
        level: LevelName = "sample",
    ) -> HistoryAnswer:
        served = site.served(store)
        tag = served.tag("history", level, record_identifier)

        def make() -> HistoryAnswer:
            values = [
                FormerValue.model_construct(
                    until=format_utc(entry.time), result=entry.result, value=entry.value
                )
                for entry in served.store.history(RecordKey(level, record_identifier))
            ]
            return HistoryAnswer.model_construct(total_size=len(values), records=values)

        return answered(request, tag, make)  # type: ignore[return-value]

    @router.get("/stores/{store}/distinct", summary="The different combinations of some values")
    def distinct(
        request: Request,
        store: StoreName,
        columns: Annotated[list[str], Query(min_length=1, description="results or fields")],
        level: LevelName = "sample",
    ) -> DistinctAnswer:
        served = site.served(store)
        tag = served.tag("distinct", str(request.url.query))

        def make() -> DistinctAnswer:
            rows = served.store.distinct(level, columns)
            found = [dict(zip(columns, row, strict=True)) for row in rows]
            return DistinctAnswer.model_construct(total_size=len(found), records=found)

        return answered(request, tag, make)  # type: ignore[return-value]

    @router.get("/stores/{store}/statuses", summary="A page of the statuses of the records")
    def statuses(
        request: Request,
        store: StoreName,
        level: LevelName = "sample",
        where: Where = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> StatusPage:
        served, condition = site.served(store), _filter(where)

        def make() -> StatusPage:
            page = served.store.select(Search(level, (), condition, limit, cursor))
            found = [
                RecordStatus.model_construct(
                    record_identifier=one.key.identifier,
                    status=one.status,
                    status_time=one.status_time,
                    status_message=one.status_message,
                )
                for one in page.records
            ]
            return StatusPage.model_construct(
                total_size=page.total_size, records=found, next_page_token=page.next_cursor
            )

        tag = served.tag("statuses", str(request.url.query))
        return answered(request, tag, make)  # type: ignore[return-value]

    @router.get("/stores/{store}/statuses/defined", summary="The statuses that there are")
    def defined(request: Request, store: StoreName) -> DefinedStatusesAnswer:
        known = site.served(store).store.statuses.statuses
        found = [
            DefinedStatus(status=name, description=one.description, color=list(one.color))
            for name, one in known.items()
        ]
        answer = DefinedStatusesAnswer(total_size=len(found), records=found)
        return answered(request, None, lambda: answer)  # type: ignore[return-value]

    @router.get("/stores/{store}/verdicts", summary="A page of the verdicts on the records")
    def verdicts(
        request: Request,
        store: StoreName,
        level: LevelName = "sample",
        where: Where = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> VerdictPage:
        served, condition = site.served(store), _filter(where)
        judge = served.store.judge(level)
        if judge is None:
            raise RecordNotFoundError(f"the {level} level of store {store!r} has no QC rules")

        def make() -> VerdictPage:
            search = Search(level, (judge.field,), condition, limit, cursor)
            page = served.store.select(search)
            found = [
                RecordVerdict.model_construct(
                    record_identifier=one.key.identifier,
                    status=one.status,
                    verdict=one.judgement.verdict.value,
                    reasons=[QcReason(**reason.as_dict()) for reason in one.judgement.reasons],
                )
                for one in page.records
                if one.judgement is not None
            ]
            return VerdictPage.model_construct(
                total_size=page.total_size, records=found, next_page_token=page.next_cursor
            )

        tag = served.tag("verdicts", str(request.url.query))
        return answered(request, tag, make)  # type: ignore[return-value]

    @router.get("/stores/{store}/schema", summary="The output schema")
    def schema(request: Request, store: StoreName) -> SchemaAnswer:
        known = site.served(store).store.schema
        if known is None:
            raise RecordNotFoundError(f"store {store!r} has no output schema")
        answer = SchemaAnswer(
            pipeline_name=known.pipeline_name,
            title=known.title,
            description=known.description,
            levels={
                name: {result.identifier: result.written_out for result in level.results.values()}
                for name, level in known.levels.items()
            },
            highlighted={name: list(known.highlighted_results(name)) for name in known.levels},
        )
        return answered(request, None, lambda: answer)  # type: ignore[return-value]

    @router.get("/stores/{store}/files", summary="The files and images of one record")
    def files(
        request: Request,
        store: StoreName,
        record_identifier: RecordName,
        level: LevelName = "sample",
    ) -> FilesAnswer:
        served = site.served(store)
        found = served.store.get(RecordKey(level, record_identifier))
        entries = [
            FileEntry(
                result=result,
                keys=list(media.keys),
                kind="image" if media.kind == "image" else "file",
                path=path,
                href=media.href,
                missing=media.missing,
            )
            for result, media, path in files_of(served.store, found, site.links(""))
        ]
        answer = FilesAnswer(total_size=len(entries), records=entries)
        return answered(request, None, lambda: answer)  # type: ignore[return-value]

    @router.get(
        "/stores/{store}/file",
        summary="The content of a file that a record reports",
        response_class=Response,
        responses={
            200: {"content": {"*/*": {}}, "description": "the file"},
            206: {"content": {"*/*": {}}, "description": "the range of it that was asked for"},
            416: {"description": "no such range"},
        },
    )
    def file(
        store: StoreName,
        record_identifier: RecordName,
        result: Annotated[str, Query(min_length=1, description="the result")],
        level: LevelName = "sample",
        key: Annotated[list[str] | None, Query(description="what leads to it inside")] = None,
    ) -> Response:
        links = site.links("")
        return file_response(
            site.served(store).store, level, record_identifier, result, key or (), links
        )

    return router


def shown_place(place: str | None) -> str | None:
    """Return the name of a file without its folders, or an address."""
    return place if place is None or "://" in place else place.replace("\\", "/").split("/")[-1]


def entry_of(site: Site, name: str) -> StoreEntry:
    """Return what is said of a store, counted once while nothing changes."""
    served = site.served(name)
    store, tag = served.store, served.tag("entry")
    known = site.entries.get(name)
    if known is not None and tag is not None and known[0] == tag:
        return known[1]
    entry = StoreEntry(
        store=name,
        pipeline_name=store.namespace,
        title=served.title,
        backend=served.opened.backend,
        location=shown_place(store.place),
        levels=list(store.levels),
        records={
            level: LevelCounts.model_validate(count_records(store, level)) for level in store.levels
        },
    )
    if tag is not None:
        site.entries[name] = tag, entry
    return entry


def _filter(where: str | None) -> Filter | None:
    return None if where is None or not where.strip() else parse_filter(where)


def _page(page: Any) -> PageAnswer:
    records = [RecordAnswer.model_construct(**record) for record in page["records"]]
    return PageAnswer.model_construct(**{**page, "records": records})


def _parts(lines: Iterator[BaseModel]) -> Iterator[bytes]:
    """Yield the lines in parts of a size."""
    part: list[str] = []
    size = 0
    for line in lines:
        part.append(line.model_dump_json())
        size += len(part[-1])
        if size >= _PART:
            yield ("\n".join(part) + "\n").encode()
            part, size = [], 0
    if part:
        yield ("\n".join(part) + "\n").encode()


def _after(first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from parts
