"""Records, results and history as every backend stores them (spec/core.md).

Frozen dataclasses and not pydantic models: they stand on the path of every report
(docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from pipestat_spec.json_values import JSONValue

if TYPE_CHECKING:
    from pipestat_spec.models.verdict import Judgement

Level: TypeAlias = Literal["sample", "project"]
LEVELS: tuple[Level, ...] = ("sample", "project")

DEFAULT_PROJECT_NAME = "project"
DEFAULT_PIPELINE_NAME = "default_pipeline_name"


class RecordKey(NamedTuple):
    """What names a record within one namespace: its level, sample or project, and identifier."""

    level: Level
    identifier: str


@dataclass(frozen=True, slots=True, init=False)
class Record:
    """One record: its results in canonical form, its status and where they came from.

    `results` are the values by the identifier of the result. `status` is None where there is none;
    `status_message` says why it is so. `source` is what the reporter said of where it ran.
    `created` and `modified` are UTC with microseconds; `modified` is the time of the last
    change of a result. `status_time` is the time since which the record has its status. Each
    is None where a store does not know it. `judgement` is what the QC rules say; a store
    computes it on reading where its level has rules, and keeps none.
    """

    key: RecordKey
    results: Mapping[str, JSONValue]
    status: str | None
    status_message: str | None
    source: Mapping[str, JSONValue] | None
    created: datetime | None
    modified: datetime | None
    status_time: datetime | None
    judgement: Judgement | None = field(compare=False, repr=False)

    def __init__(
        self,
        key: RecordKey,
        results: Mapping[str, JSONValue] | None = None,
        status: str | None = None,
        status_message: str | None = None,
        source: Mapping[str, JSONValue] | None = None,
        created: datetime | None = None,
        modified: datetime | None = None,
        status_time: datetime | None = None,
        judgement: Judgement | None = None,
    ) -> None:
        # Every read makes records, and the slots themselves are set in half of the time that
        # it takes by `object.__setattr__`, as dataclasses do it.
        _set_key(self, key)
        _set_results(self, {} if results is None else results)
        _set_status(self, status)
        _set_status_message(self, status_message)
        _set_source(self, source)
        _set_created(self, created)
        _set_modified(self, modified)
        _set_status_time(self, status_time)
        _set_judgement(self, judgement)


(
    _set_key,
    _set_results,
    _set_status,
    _set_status_message,
    _set_source,
    _set_created,
    _set_modified,
    _set_status_time,
    _set_judgement,
) = (Record.__dict__[one.name].__set__ for one in fields(Record))


class HistoryLimit(NamedTuple):
    """Which entries of a history stay: the last `keep` of each result, and those since `since`."""

    keep: int | None = None
    since: datetime | None = None


class HistoryEntry(NamedTuple):
    """The value that `result` had until `time` (UTC), when it was replaced or removed."""

    result: str
    value: JSONValue
    time: datetime
