"""Records, results and history as every backend stores them (spec/core.md).

Frozen dataclasses and not pydantic models: they stand on the path of every report
(docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from pipestat_spec.json_values import JSONValue
from pipestat_spec.models.verdict import Judgement

Level: TypeAlias = Literal["sample", "project"]
LEVELS: tuple[Level, ...] = ("sample", "project")

DEFAULT_PROJECT_NAME = "project"
DEFAULT_PIPELINE_NAME = "default_pipeline_name"


class RecordKey(NamedTuple):
    """What names a record within one namespace."""

    level: Level
    identifier: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its results in canonical form, its status and where they came from.

    `created` and `modified` are UTC with microseconds; `modified` is the time of the last
    change of a result. `status_time` is the time since which the record has its status. Each
    is None where a store does not know it. `judgement` is what the QC rules say; a store
    computes it on reading where its level has rules, and keeps none.
    """

    key: RecordKey
    results: Mapping[str, JSONValue] = field(default_factory=dict)
    status: str | None = None
    status_message: str | None = None
    source: Mapping[str, JSONValue] | None = None
    created: datetime | None = None
    modified: datetime | None = None
    status_time: datetime | None = None
    judgement: Judgement | None = field(default=None, compare=False, repr=False)


class HistoryLimit(NamedTuple):
    """Which entries of a history stay: the last `keep` of each result, and those since `since`."""

    keep: int | None = None
    since: datetime | None = None


class HistoryEntry(NamedTuple):
    """The value that `result` had until `time` (UTC), when it was replaced or removed."""

    result: str
    value: JSONValue
    time: datetime
