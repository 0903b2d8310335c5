"""Report documents: what a job writes that cannot reach the store (spec/documents.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from pipestat_spec.documents.explain import checked, explain
from pipestat_spec.documents.fields import (
    Namespace,
    RecordIdentifier,
    Results,
    SpecModel,
    Time,
)
from pipestat_spec.errors import DocumentError, PipestatDataError
from pipestat_spec.models.record import LEVELS, Level, RecordKey
from pipestat_spec.text.strings import check_text, nearest, shorten

__all__ = [
    "REPORT_DOCUMENT_VERSION",
    "ReportDocument",
    "ReportSource",
    "parse_report_document",
]

REPORT_DOCUMENT_VERSION = "1.0"
_VERSION = re.compile(r"1\.(?:0|[1-9][0-9]*)")


def _check_version(version: str) -> str:
    if not _VERSION.fullmatch(version):
        raise PipestatDataError(
            f"version {shorten(version, 40)!r} of report documents is not known",
            hint=f"write {REPORT_DOCUMENT_VERSION!r}",
        )
    return version


def _check_string(text: str) -> str:
    return check_text(text, "text")


Version = Annotated[
    str,
    AfterValidator(checked(_check_version)),
    WithJsonSchema({"type": "string", "pattern": f"^{_VERSION.pattern}$"}),
]
Text = Annotated[str, AfterValidator(checked(_check_string))]


class _WithoutNulls(SpecModel):
    """Optional keys are left out rather than null."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("document", "null says nothing; leave the key out")
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        for declared in schema["properties"].values():
            branches = declared.pop("anyOf", [])
            if branches:
                declared.pop("default", None)
                (given,) = (branch for branch in branches if branch != {"type": "null"})
                declared.update(given)
        return reference


class ReportSource(_WithoutNulls):
    """Where a report comes from; keys beyond these are free."""

    model_config = ConfigDict(extra="allow")

    engine: Text | None = Field(None, description="workflow engine")
    run: Text | None = Field(None, description="one run of the workflow")
    task: Text | None = Field(None, description="one task of the run")
    rule: Text | None = Field(None, description="rule that the task belongs to")
    process: Text | None = Field(None, description="process of the task")
    attempt: Annotated[int, Field(ge=1)] | None = Field(
        None, description="how often the task was tried, from 1"
    )
    pipeline_version: Text | None = None


class ReportDocument(_WithoutNulls):
    """Results or the status of one record, or both."""

    model_config = ConfigDict(
        title="Report document",
        json_schema_extra={
            "anyOf": [{"required": ["results"]}, {"required": ["status"]}],
            "dependentRequired": {"status_message": ["status"]},
        },
    )

    pipestat_report: Version = Field(description="version of this format")
    namespace: Namespace | None = Field(None, description="pipeline name")
    level: Level = "sample"
    record_identifier: RecordIdentifier
    results: Results | None = Field(None, description="value by result identifier")
    texts: list[Text] | None = Field(
        None, description="results that are text from a command line, to be read by the schema"
    )
    status: Text | None = None
    status_message: Text | None = None
    time: Time | None = Field(None, description="RFC 3339, with Z or an offset")
    source: ReportSource | None = None

    @field_validator("level", mode="before")
    @classmethod
    def _known_level(cls, level: Any) -> Any:
        if level not in LEVELS:
            near = nearest(level, LEVELS) if isinstance(level, str) else None
            mend = f"did you mean {near!r}?" if near else "levels are " + ", ".join(LEVELS)
            problem = f"{shorten(repr(level))} is not a level; {mend}"
            raise PydanticCustomError("document", "{problem}", {"problem": problem})
        return level

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.results is None and self.status is None:
            problem = "there are neither results nor a status; add one of them"
        elif self.status is None and self.status_message is not None:
            problem = "status_message stands without a status; add the status"
        else:
            return self
        raise PydanticCustomError("document", "{problem}", {"problem": problem})

    @model_validator(mode="after")
    def _texts_are_texts(self) -> Self:
        for name in self.texts or ():
            if not isinstance((self.results or {}).get(name), str):
                problem = f"texts: {shorten(name)!r} is no result with a string"
                raise PydanticCustomError("document", "{problem}", {"problem": problem})
        return self

    @property
    def key(self) -> RecordKey:
        """The record that the document speaks of."""
        return RecordKey(self.level, self.record_identifier)

    def source_dict(self) -> dict[str, Any] | None:
        """Return the source as it was given."""
        return None if self.source is None else self.source.model_dump(exclude_unset=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the document as JSON holds it, without keys that were not given."""
        return self.model_dump(mode="json", exclude_unset=True)


def parse_report_document(document: object, where: str = "report document") -> ReportDocument:
    """Check one document; raises DocumentError, each problem with `where` before it."""
    if isinstance(document, ReportDocument):
        return document
    if not isinstance(document, Mapping):
        problems = [f"{shorten(repr(document))} is not a report document; write a JSON object"]
    else:
        try:
            return ReportDocument.model_validate(dict(document))
        except ValidationError as error:
            problems = explain(error, ReportDocument)
    lines = [f"{where}: {problem}" for problem in problems]
    raise DocumentError("\n".join(lines), problems=lines)
