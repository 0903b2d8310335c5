"""What commands print with `--format json`: each shape is a model and a published JSON Schema.

Every list is an object with `total_size` and, in `records`, an object for each entry. Commands
that print small answers must not wait for pydantic (docs/adr/0003): a test holds what they print
to these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, WithJsonSchema

from pipestat_spec.documents.fields import (
    RESULT_IDENTIFIER_SCHEMA,
    TIME_SCHEMA,
    RecordIdentifier,
    SpecModel,
    Time,
)
from pipestat_spec.models.record import Level

__all__ = [
    "DefinedStatus",
    "DefinedStatusesAnswer",
    "DistinctAnswer",
    "EventLine",
    "Finding",
    "FindingsAnswer",
    "FormerValue",
    "HistoryAnswer",
    "InspectionAnswer",
    "JudgementsAnswer",
    "LevelCounts",
    "LooperConfigsAnswer",
    "PageAnswer",
    "PipelineConfig",
    "Plugin",
    "PluginsAnswer",
    "Problem",
    "ProblemsAnswer",
    "QcReason",
    "RecordAnswer",
    "RecordJudgement",
    "RecordStatus",
    "RecordsAnswer",
    "StatusAnswer",
    "StatusesAnswer",
    "StoreAnswer",
]

_Count = Annotated[int, Field(ge=0)]
_Verdict = Literal["fail", "warn", "pass", "not judged"]


class RecordAnswer(SpecModel):
    """The results of one record, beside its identifier."""

    model_config = ConfigDict(title="Record", extra="allow")

    record_identifier: RecordIdentifier


class RecordsAnswer(SpecModel):
    """Some records."""

    model_config = ConfigDict(title="Records")

    total_size: _Count
    records: list[RecordAnswer]


class PageAnswer(SpecModel):
    """One page of records, as a search answers."""

    model_config = ConfigDict(title="Page")

    total_size: _Count = Field(description="how many records match, on all pages")
    page_size: _Count = Field(description="the limit")
    next_page_token: str | None = Field(description="cursor of the next page; null: no more")
    records: list[RecordAnswer]


class DistinctAnswer(SpecModel):
    """The different combinations of some results' values; null: no value."""

    model_config = ConfigDict(title="Distinct values")

    total_size: _Count
    records: list[dict[str, Any]]


class FormerValue(SpecModel):
    """The value that a result had until a time."""

    until: Annotated[str, WithJsonSchema(TIME_SCHEMA)]
    result: Annotated[str, WithJsonSchema(RESULT_IDENTIFIER_SCHEMA)]
    value: Any


class HistoryAnswer(SpecModel):
    """The former values of a record's results, oldest first."""

    model_config = ConfigDict(title="History")

    total_size: _Count
    records: list[FormerValue]


class StatusAnswer(RootModel[str | None]):
    """The status of a record; null: it has none."""

    model_config = ConfigDict(title="Status")


class RecordStatus(SpecModel):
    """Where one record stands."""

    record_identifier: RecordIdentifier
    status: str | None
    status_time: Time | None = Field(description="since when; null: not known")
    status_message: str | None
    verdict: _Verdict | None = Field(None, description="where there are QC rules")
    pipestat_verdict: _Verdict | None = Field(None, description="where a result is called verdict")


class StatusesAnswer(SpecModel):
    """The statuses of the records of one level, in code-point order of their identifiers."""

    model_config = ConfigDict(title="Statuses")

    total_size: _Count
    records: list[RecordStatus]


class EventLine(SpecModel):
    """One of the lines of `watch --format jsonl`: what happened to a record, and when.

    `result` and `value` belong to results, `status` and `verdict` to the events of this name, with
    a `message`: that of the status, or the reasons of the verdict.
    """

    model_config = ConfigDict(title="Event")

    event: Literal["result", "result_removed", "status", "verdict", "record_removed"]
    level: Level
    record_identifier: RecordIdentifier
    time: Annotated[str, WithJsonSchema(TIME_SCHEMA)]
    result: str | None = None
    value: Any = None
    status: str | None = None
    verdict: str | None = None
    message: str | None = None


class QcReason(SpecModel):
    """A QC rule that holds for a record."""

    severity: Literal["fail", "warn"]
    result: str | None = Field(description="where the rule stands; null: at the level")
    rule: str = Field(description="the filter")
    reason: str | None = Field(description="what its author says")
    values: dict[str, Any] = Field(description="what the rule looked at; null: no value")
    text: str = Field(description="one line for people")


class RecordJudgement(SpecModel):
    """The verdict on one record."""

    record_identifier: RecordIdentifier
    level: Level
    status: str | None
    verdict: _Verdict
    good: bool
    problems: list[str] = Field(description="why it is not good")
    reasons: list[QcReason] = Field(description="the worst first")


class JudgementsAnswer(SpecModel):
    """What the QC rules say of the records."""

    model_config = ConfigDict(title="Judgements")

    total_size: _Count
    records: list[RecordJudgement]


class DefinedStatus(SpecModel):
    """One status of the status schema."""

    status: str
    description: str
    color: list[int] = Field(description="red, green and blue, 0 to 255")


class DefinedStatusesAnswer(SpecModel):
    """The statuses that there are, in the order of their definition."""

    model_config = ConfigDict(title="Defined statuses")

    total_size: _Count
    records: list[DefinedStatus]


class LevelCounts(SpecModel):
    """How many records one level has."""

    count: _Count
    statuses: dict[str, _Count] = Field(description="how many of each status")
    verdicts: dict[_Verdict, _Count] | None = Field(
        description="how many of each verdict; null: no QC rules"
    )


class InspectionAnswer(SpecModel):
    """What a store holds and how it is configured."""

    model_config = ConfigDict(title="Inspection")

    backend: str
    location: str | None = Field(description="file or address")
    layout: str | None
    capabilities: list[str]
    pipeline_name: str
    project_name: str
    pipeline_type: Level
    config_file: str | None
    config_found: bool = Field(description="whether the file was found, not named")
    output_schema: str | None = Field(alias="schema", description="file or address")
    status_schema: str | None = Field(description="file or address; null: not from a file")
    validate_results: bool
    history_limit: _Count | None = Field(description="former values kept of each result; null: all")
    results: dict[Level, list[str]] = Field(description="declared results by level")
    records: dict[Level, LevelCounts]


class StoreAnswer(RootModel[dict[str, dict[Level, dict[str, dict[str, Any]]]]]):
    """All records by namespace, level and identifier: their results, and `meta`."""

    model_config = ConfigDict(title="Store")


class Problem(SpecModel):
    """One thing to mend; null where it is about no record or no result."""

    problem: str
    level: Level | None = None
    record: str | None = None
    result: str | None = None


class ProblemsAnswer(SpecModel):
    """What `validate` finds wrong; empty when all is in order."""

    model_config = ConfigDict(title="Problems")

    total_size: _Count
    records: list[Problem]


class Plugin(SpecModel):
    """One installed plugin: what it offers, or why it failed to load."""

    plugin: str
    distribution: str
    backends: list[str]
    exporters: list[str]
    commands: list[str]
    observes: list[str]
    error: str | None


class PluginsAnswer(SpecModel):
    """The installed plugins."""

    model_config = ConfigDict(title="Plugins")

    total_size: _Count
    records: list[Plugin]


class Finding(SpecModel):
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "not installed", "failed"]
    detail: str


class FindingsAnswer(SpecModel):
    """What works on this machine, and what does not."""

    model_config = ConfigDict(title="Findings")

    total_size: _Count
    records: list[Finding]


class PipelineConfig(SpecModel):
    """One pipeline's configuration: what was done, and what its command templates may use."""

    pipeline_name: str
    config_file: str
    levels: list[Level]
    action: Literal["written", "refreshed", "unchanged"]
    template_variables: dict[str, str]


class LooperConfigsAnswer(SpecModel):
    """What looper says to its pipelines, one entry for each."""

    model_config = ConfigDict(title="Configurations of looper")

    total_size: _Count
    records: list[PipelineConfig]
