"""The documents of the specification as pydantic models: records, history, queries, pages.

They stand at the boundaries (files, command line, conformance protocol) and give the
published JSON Schemas; at run time records are plain dataclasses (docs/adr/0003). Rules
are those of the functions that the run time uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    WithJsonSchema,
    model_validator,
)

from pipestat_spec.documents.configuration import ConfigDocument
from pipestat_spec.documents.fields import (
    RESULT_IDENTIFIER_SCHEMA,
    TIME_SCHEMA,
    Document,
    RecordIdentifier,
    ResultIdentifier,
    Results,
    Time,
    TimeText,
    Value,
    checked,
    parse_document_time,
)
from pipestat_spec.documents.schemas import OutputSchemaDocument, StatusSchemaDocument
from pipestat_spec.domain.filter_text import filter_from_conditions, parse_filter
from pipestat_spec.domain.history import history_dict
from pipestat_spec.domain.query import check_limit
from pipestat_spec.models.query import And, Filter, Page, Query, reference_page
from pipestat_spec.models.record import HistoryEntry, Level, Record, RecordKey

__all__ = [
    "ConfigDocument",
    "FilterCondition",
    "HistoryDocument",
    "OutputSchemaDocument",
    "PageDocument",
    "QueryDocument",
    "RecordDocument",
    "StatusSchemaDocument",
]


class RecordDocument(Document):
    """One record with its results, its status and where they came from."""

    model_config = ConfigDict(title="Record")

    level: Level = "sample"
    record_identifier: RecordIdentifier
    results: Results = Field(default_factory=dict, description="value by result identifier")
    status: str | None = None
    status_message: str | None = None
    source: dict[str, Value] | None = None
    created: Time | None = None
    modified: Time | None = Field(None, description="time of the last change of a result")

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Return the document of a stored record."""
        return cls(
            level=record.key.level,
            record_identifier=record.key.identifier,
            results=dict(record.results),
            status=record.status,
            status_message=record.status_message,
            source=None if record.source is None else dict(record.source),
            created=record.created,
            modified=record.modified,
        )

    def to_record(self) -> Record:
        """Return the record that the document describes."""
        return Record(
            RecordKey(self.level, self.record_identifier),
            self.results,
            self.status,
            self.status_message,
            self.source,
            self.created,
            self.modified,
        )


_Past = Annotated[
    dict[TimeText, Value], WithJsonSchema({"type": "object", "propertyNames": TIME_SCHEMA})
]


class HistoryDocument(RootModel[dict[ResultIdentifier, _Past]]):
    """The former values of a record's results, by result and by the time of replacement."""

    model_config = ConfigDict(
        frozen=True,
        title="History",
        json_schema_extra={"propertyNames": RESULT_IDENTIFIER_SCHEMA},
    )

    @classmethod
    def from_entries(cls, entries: Iterable[HistoryEntry]) -> Self:
        """Return the document of history entries, oldest first."""
        return cls.model_validate(history_dict(entries))

    def to_entries(self) -> list[HistoryEntry]:
        """Return the entries, oldest first; those of one time as the document orders them."""
        entries = [
            HistoryEntry(result, value, parse_document_time(time))
            for result, values in self.root.items()
            for time, value in values.items()
        ]
        return sorted(entries, key=lambda entry: entry.time)


class FilterCondition(Document):
    """One comparison: a result, or a path into an object, an operator and a value."""

    key: str | Annotated[list[str], Field(min_length=1)]
    operator: Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "like"]
    value: Value

    @model_validator(mode="after")
    def _is_a_filter(self) -> Self:
        checked(filter_from_conditions)([self.model_dump()])
        return self


def _check_filter(text: str) -> str:
    parse_filter(text)
    return text


_FilterText = Annotated[str, AfterValidator(checked(_check_filter))]
_Limit = Annotated[
    int,
    AfterValidator(checked(check_limit)),
    WithJsonSchema({"type": "integer", "minimum": 1}),
]


class QueryDocument(Document):
    """Which records of a level, in pages: a filter as text or as conditions, or both."""

    model_config = ConfigDict(title="Query")

    level: Level = "sample"
    columns: list[str] | None = Field(None, description="results to return; null: all")
    where: _FilterText | None = Field(None, description="filter in its text form")
    filter_conditions: list[FilterCondition] = Field(default_factory=list)
    bool_operator: Literal["AND", "OR"] = Field("AND", description="joins filter_conditions")
    limit: _Limit | None = Field(None, description="records in a page; null: all")
    cursor: str | None = Field(None, description="next_page_token of the page before")

    def to_query(self) -> Query:
        """Return the query that the document describes."""
        conditions = [condition.model_dump() for condition in self.filter_conditions]
        where: Filter | None = filter_from_conditions(conditions, self.bool_operator)
        if self.where is not None:
            text = parse_filter(self.where)
            where = text if where is None else And((where, text))
        columns = None if self.columns is None else tuple(self.columns)
        return Query(self.level, columns, where, self.limit, self.cursor)


class PageRecord(BaseModel):
    """The results of one record, beside its identifier."""

    model_config = ConfigDict(frozen=True, extra="allow", title="Record of a page")

    record_identifier: RecordIdentifier


class PageDocument(Document):
    """One page of records, as a search answers."""

    model_config = ConfigDict(title="Page")

    total_size: int = Field(ge=0, description="how many records match, on all pages")
    page_size: int = Field(ge=0, description="the limit")
    next_page_token: str | None = Field(None, description="cursor of the next page; null: no more")
    records: list[PageRecord]

    @classmethod
    def from_page(cls, page: Page, limit: int | None) -> Self:
        """Return the document of a page that was asked for with `limit`."""
        return cls.model_validate(reference_page(page, limit))
