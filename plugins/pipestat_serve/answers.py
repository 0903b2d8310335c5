"""What `/api/v1` answers with, beside the models of what commands print (`documents.answers`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from pipestat_spec.documents.answers import LevelCounts, QcReason, StatusesAnswer
from pipestat_spec.documents.fields import RecordIdentifier, SpecModel, Time
from pipestat_spec.models.record import Level

__all__ = [
    "FileEntry",
    "FilesAnswer",
    "RecordDetail",
    "RecordVerdict",
    "SchemaAnswer",
    "StatusPage",
    "StoreEntry",
    "StoresAnswer",
    "VerdictPage",
]

_Count = Annotated[int, Field(ge=0)]


class StoreEntry(SpecModel):
    """One store: what it is, and how many records have which status."""

    store: str = Field(description="its name in addresses")
    pipeline_name: str
    title: str
    backend: str
    location: str | None = Field(description="file without its folder, or address")
    levels: list[Level]
    records: dict[Level, LevelCounts]


class StoresAnswer(SpecModel):
    """The stores that are served."""

    model_config = ConfigDict(title="Stores")

    total_size: _Count
    records: list[StoreEntry]


class RecordDetail(SpecModel):
    """One record with everything that is known of it."""

    model_config = ConfigDict(title="Record in full")

    record_identifier: RecordIdentifier
    level: Level
    status: str | None
    status_time: Time | None = Field(description="since when; null: not known")
    status_message: str | None
    source: dict[str, Any] | None
    created: Time | None
    modified: Time | None = Field(description="of the results")
    results: dict[str, Any]
    verdict: str | None = Field(description="null: there are no QC rules")


class StatusPage(StatusesAnswer):
    """A page of the statuses of records."""

    model_config = ConfigDict(title="Page of statuses")

    next_page_token: str | None = Field(description="cursor of the next page; null: no more")


class RecordVerdict(SpecModel):
    """What the QC rules say of one record."""

    record_identifier: RecordIdentifier
    status: str | None
    verdict: Literal["fail", "warn", "pass", "not judged"]
    reasons: list[QcReason] = Field(description="the worst first")


class VerdictPage(SpecModel):
    """A page of the verdicts on records."""

    model_config = ConfigDict(title="Page of verdicts")

    total_size: _Count
    records: list[RecordVerdict]
    next_page_token: str | None = Field(description="cursor of the next page; null: no more")


class SchemaAnswer(SpecModel):
    """What the output schema says, references followed."""

    model_config = ConfigDict(title="Output schema")

    pipeline_name: str | None
    title: str | None
    description: str | None
    levels: dict[Level, dict[str, Any]] = Field(description="JSON Schema by result, by level")
    highlighted: dict[Level, list[str]]


class FileEntry(SpecModel):
    """One file or image that a record reports."""

    result: str
    keys: list[str | int] = Field(description="what leads to it inside the result")
    kind: Literal["file", "image"]
    path: str = Field(description="as it was reported")
    href: str | None = Field(description="where it can be read; null: it is not served")
    missing: bool


class FilesAnswer(SpecModel):
    """The files and images of one record."""

    model_config = ConfigDict(title="Files")

    total_size: _Count
    records: list[FileEntry]
