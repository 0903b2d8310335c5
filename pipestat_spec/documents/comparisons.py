"""What `diff --format json` prints, as a model and a published JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from pipestat_spec.documents.fields import TIME_SCHEMA, RecordIdentifier, SpecModel
from pipestat_spec.models.record import Level

__all__ = [
    "ComparedLevel",
    "ComparedRecords",
    "ComparedResult",
    "ComparedSchema",
    "ComparedSide",
    "DiffAnswer",
    "DifferingPart",
    "Moved",
]

_Count = Annotated[int, Field(ge=0)]
_Difference = Literal["added", "removed", "changed"]
_Trend = Annotated[
    Literal["worse", "better"] | None, Field(description="null: neither, or nothing says which")
]
_Delta = Annotated[float | None, Field(description="of two numbers: after minus before")]
_Percent = Annotated[float | None, Field(description="of the number before; null: from 0")]


class ComparedSide(SpecModel):
    """One of the two that are compared."""

    store: str = Field(description="path or address")
    pipeline_name: str
    time: Annotated[str, WithJsonSchema(TIME_SCHEMA)] | None = Field(description="null: now")


class ComparedSchema(SpecModel):
    """A result, or a status, that the two output schemas declare differently.

    Of a changed one `before` and `after` hold the keywords that differ.
    """

    difference: _Difference
    level: Level | None = Field(description="null: a status")
    name: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class ComparedRecords(SpecModel):
    """How many records there are, and the names of those that one store alone has."""

    before: _Count
    after: _Count
    same: _Count
    changed: _Count
    added: list[RecordIdentifier]
    removed: list[RecordIdentifier]


class Moved(SpecModel):
    """A status or a verdict; null: none, `?`: one that is not known.

    `message` is that of the status after, or the reasons of the verdict.
    """

    record_identifier: RecordIdentifier
    before: str | None
    after: str | None
    worse: bool
    message: str | None


class DifferingPart(SpecModel):
    """A place in a value: keys of objects and numbers of items; a side without it has no key."""

    place: list[str | int]
    trend: _Trend
    before: Any = None
    after: Any = None
    delta: _Delta = None
    percent: _Percent = None


class ComparedResult(SpecModel):
    """A result of a record in both stores; a side that does not have it has no key.

    Of values that differ inside, the first 100 of `part_count` places are in `parts`.
    """

    record_identifier: RecordIdentifier
    result: str
    difference: _Difference
    trend: _Trend
    before: Any = None
    after: Any = None
    delta: _Delta = None
    percent: _Percent = None
    part_count: _Count | None = None
    parts: list[DifferingPart] | None = None


class ComparedLevel(SpecModel):
    """The differences of one level; results come by their effect."""

    records: ComparedRecords
    verdicts: list[Moved]
    statuses: list[Moved]
    results: list[ComparedResult]
    renamed: dict[str, str] = Field(description="results that probably got another name")


class DiffAnswer(SpecModel):
    """What differs between two stores, or one store at two times."""

    model_config = ConfigDict(title="Differences")

    before: ComparedSide
    after: ComparedSide
    changed: bool = Field(description="whether anything differs")
    worse: bool
    removed: bool = Field(description="whether a record or a result is gone")
    compared_schema: list[ComparedSchema] = Field(alias="schema")
    levels: dict[Level, ComparedLevel]
    notes: list[str] = Field(description="what could not be told")
