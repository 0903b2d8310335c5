"""The paths of pipestat's reader, for programs that know them; they mean the first store.

What is not there is 404 here; pipestat answers 200 with a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response

from pipestat_serve.api import LIMIT, PROBLEMS
from pipestat_serve.files import files_of
from pipestat_serve.guard import POSTED
from pipestat_spec.domain.filter_conditions import filter_from_conditions
from pipestat_spec.domain.query import page_with_fields
from pipestat_spec.errors import RecordNotFoundError
from pipestat_spec.models.query import Filter, record_dict
from pipestat_spec.models.query import Query as Search
from pipestat_spec.models.record import Level, RecordKey

if TYPE_CHECKING:
    from pipestat_serve.site import Site

__all__ = ["FilterQuery", "reader_router"]

Limit = Annotated[int, Query(ge=1, le=LIMIT)]
Cursor = Annotated[str | None, Query(description="next_page_token of the page before")]


class FilterQuery(BaseModel):
    """Which columns, and conditions that all hold: `["reads", "gt", 1000]`."""

    column_names: list[str] | None = None
    filter_conditions: list[tuple[str, str, Any]] | None = Field(
        None, description="name, operator (eq, ne, lt, le, gt, ge, in, like) and value"
    )


def reader_router(site: Site) -> APIRouter:
    """Return the routes."""
    router = APIRouter(responses=PROBLEMS, tags=["pipestat's reader"])

    @router.get("/data/", summary="A page of the records")
    def all_records(limit: Limit = 1000, cursor: Cursor = None) -> dict[str, Any]:
        return _answer("result", _select(site, (), None, limit, cursor))

    @router.get("/data/{record_identifier}", summary="The results of a record")
    def one_record(record_identifier: str) -> dict[str, Any]:
        store = site.first.store
        return _answer("result", record_dict(store.get(RecordKey("sample", record_identifier))))

    @router.get("/data/{record_identifier}/{result_identifier}", summary="One result")
    def one_result(record_identifier: str, result_identifier: str) -> dict[str, Any]:
        found = site.first.store.get(RecordKey("sample", record_identifier)).results
        if result_identifier not in found:
            raise RecordNotFoundError(
                f"record {record_identifier!r} has no result {result_identifier!r}"
            )
        return _answer("result", found[result_identifier])

    @router.get("/output_schema/", summary="What the output schema says of each result")
    def output_schema(pipeline_type: Level | None = None) -> dict[str, Any]:
        schema = site.first.store.schema
        if schema is None:
            raise RecordNotFoundError("the store has no output schema")
        levels = {
            name: {result.identifier: result.written_out for result in level.results.values()}
            for name, level in schema.levels.items()
        }
        return _answer("output schema", levels[pipeline_type] if pipeline_type else levels)

    @router.get("/all_table_contents/", summary="A page of the records")
    def table_contents(limit: Limit = 1000, cursor: Cursor = None) -> dict[str, Any]:
        return _answer("table_contents", _select(site, (), None, limit, cursor))

    @router.get("/{file_type}/", summary="The files or images of a page of records")
    def files_by_type(
        file_type: Literal["file", "image"], limit: Limit = 1000, cursor: Cursor = None
    ) -> dict[str, Any]:
        store = site.first.store
        page = store.select(Search("sample", None, None, limit, cursor))
        found = [
            {"record_identifier": one.key.identifier, "result_identifier": result, "path": path}
            for one in page.records
            for result, media, path in files_of(store, one, site.links(""))
            if media.kind == file_type
        ]
        return _answer("records_by_filetype", found)

    @router.post(POSTED, summary="A page of the records that match")
    def filtered(
        query_filter: Annotated[FilterQuery | None, Body()] = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        given = query_filter or FilterQuery()
        conditions = [
            {"key": name, "operator": operator, "value": value}
            for name, operator, value in given.filter_conditions or ()
        ]
        where = filter_from_conditions(conditions)
        names = tuple(given.column_names or ())
        return _answer("response", _select(site, names, where, limit, cursor))

    return router


def _select(
    site: Site, columns: tuple[str, ...], where: Filter | None, limit: int, cursor: str | None
) -> Any:
    search = Search("sample", columns or None, where, limit, cursor)
    return page_with_fields(site.first.store.select(search), limit, columns)


def _answer(name: str, content: Any) -> dict[str, Any]:
    return Response(to_json({name: content}), media_type="application/json")  # type: ignore[return-value]
