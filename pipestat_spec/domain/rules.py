"""From what a caller asks for to changes that may be applied (spec/core.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from pipestat_spec.domain import changes
from pipestat_spec.domain.validation.conform import conform
from pipestat_spec.domain.values import (
    CanonicalResults,
    canonical,
    canonical_result,
    results_mapping,
)
from pipestat_spec.errors import (
    ColumnNotFoundError,
    InvalidIdentifierError,
    InvalidValueError,
    SchemaValidationErrorDuringReport,
    UnsupportedOperation,
)
from pipestat_spec.json_values import JSONValue
from pipestat_spec.logs import logger
from pipestat_spec.models.capability import Capability
from pipestat_spec.models.change import Change
from pipestat_spec.models.identifiers import check_record_identifier, check_result_identifier
from pipestat_spec.models.record import LEVELS, Level, RecordKey
from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema
from pipestat_spec.text.strings import nearest, shorten

if TYPE_CHECKING:
    from datetime import datetime

    from pipestat_spec.models.schema.output_schema import LevelSchema, OutputSchema
    from pipestat_spec.models.schema.status_schema import StatusSchema

__all__ = ["PreparedResults", "ReportOptions", "Rules", "prepare_results"]


class PreparedResults(NamedTuple):
    """Canonical, validated values, and those that the schema does not name.

    `undeclared` maps each such result to the declared one whose name is nearest, or None.
    """

    values: Mapping[str, JSONValue]
    undeclared: Mapping[str, str | None]


def prepare_results(
    values: Mapping[str, object],
    level: LevelSchema | None,
    *,
    strict: bool = True,
    additional_properties: bool | None = None,
) -> PreparedResults:
    """Check all `values` before any is stored; `level` None means without a schema.

    `strict` False converts values to the declared types first. `additional_properties`,
    when given, takes the place of the schema's. Raises InvalidIdentifierError,
    InvalidValueError, ColumnNotFoundError and SchemaValidationErrorDuringReport.
    """
    prepared: dict[str, JSONValue] = {}
    undeclared: dict[str, str | None] = {}
    is_known = type(values) is CanonicalResults
    for name, value in (values if is_known else results_mapping(values)).items():
        identifier, plain = name, value
        if not is_known:
            identifier = check_result_identifier(name)
            plain = canonical_result(value, identifier)
        declared = level.results.get(identifier) if level else None
        if level is not None and declared is None:
            undeclared[identifier] = nearest(identifier, level.results)
            declared = _additional(level, identifier, additional_properties)
        prepared[identifier] = (
            plain if declared is None else conform(plain, declared, strict=strict)
        )
    return PreparedResults(prepared, undeclared)


def _additional(
    level: LevelSchema, identifier: str, additional_properties: bool | None
) -> ResultSchema | None:
    """Return the schema of a result that is not declared; raises ColumnNotFoundError."""
    allowed = (
        level.additional_properties if additional_properties is None else additional_properties
    )
    if allowed is False:
        near = nearest(identifier, level.results)
        raise ColumnNotFoundError(
            f"result {identifier!r} is not in the output schema at {level.level} level",
            hint=f"did you mean {near!r}?" if near else "declared are " + ", ".join(level.results),
            result_identifier=identifier,
        )
    return None if additional_properties else level.additional_schema(identifier)


class ReportOptions(TypedDict, total=False):
    """What a report says beside key and values; see `Rules.report`."""

    overwrite: bool
    history: bool
    strict: bool
    status: str | None
    status_message: str | None
    status_time: datetime | None
    source: Mapping[str, object] | None


@dataclass(frozen=True, eq=False, repr=False)
class Rules:
    """What one store accepts: every change is checked here before a record is read.

    `validate` tells whether values are checked against the output schema;
    `additional_properties` takes the place of the schema's own when it is not None.
    `capabilities` and `refused_identifiers` are the backend's. `history_limit` is how many entries
    of its history a result keeps, None for all.
    """

    schema: OutputSchema | None
    statuses: StatusSchema
    validate: bool
    additional_properties: bool | None = None
    capabilities: frozenset[Capability] = frozenset(Capability)
    refused_identifiers: str | None = None
    history_limit: int | None = None
    _warned: set[str] = field(default_factory=set)

    def level_schema(self, level: Level) -> LevelSchema | None:
        """Return what the output schema says of a level, or None without a schema."""
        return self.schema.levels[level] if self.schema else None

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the store offers."""
        return LEVELS if Capability.PROJECT_LEVEL in self.capabilities else LEVELS[:1]

    def require(self, capability: Capability, operation: str) -> None:
        """Raise UnsupportedOperation unless the backend claims `capability`."""
        if capability not in self.capabilities:
            raise UnsupportedOperation(
                f"{operation} needs the capability '{capability}', "
                f"which this backend does not offer",
                hint="choose another backend ('pipestat-spec plugins' lists them)",
                capability=str(capability),
            )

    def check_key(self, key: RecordKey) -> RecordKey:
        """Return a key that the store can hold; raises InvalidIdentifierError."""
        self.check_level(key.level)
        identifier = check_record_identifier(key.identifier)
        refused = self.refused_identifiers
        if refused is not None and re.search(refused, identifier):
            raise InvalidIdentifierError(
                f"this store cannot hold a record called {shorten(identifier)!r}",
                hint="choose another identifier, or another store",
                identifier=identifier,
            )
        return key

    def check_level(self, level: Level) -> None:
        """Raise UnsupportedOperation for a level that the store does not offer."""
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is not one of {', '.join(LEVELS)}")
        if level == "project":
            self.require(Capability.PROJECT_LEVEL, "the project level")

    def prepare(
        self, level: Level, values: Mapping[str, object], *, strict: bool = True
    ) -> PreparedResults:
        """Return values as they would be stored; raises what `prepare_results` raises."""
        try:
            return prepare_results(
                values,
                self.level_schema(level) if self.validate else None,
                strict=strict,
                additional_properties=self.additional_properties,
            )
        except ColumnNotFoundError as error:
            error.hint = self._declared_elsewhere(error.data["result_identifier"]) or error.hint
            raise

    def _declared_elsewhere(self, name: object) -> str | None:
        """Return how to report a result that the schema declares at the other level, or None."""
        levels = self.schema.levels if self.schema else {}
        for level, schema in levels.items():
            if name in schema.results:
                return f"it is a {level} result: give -p {level} (in Python level={level!r})"
        return None

    def report(
        self,
        key: RecordKey,
        values: Mapping[str, object],
        *,
        overwrite: bool,
        history: bool = True,
        strict: bool = True,
        status: str | None = None,
        status_message: str | None = None,
        status_time: datetime | None = None,
        source: Mapping[str, object] | None = None,
    ) -> Change:
        """Return the change that stores all `values` of a record or none, and a status with them.

        A stored value that differs is replaced, and kept in the history, with `overwrite`;
        without it the change raises ResultConflictError. `strict` False converts values to
        the declared types first; `status_time` is as `since` of `set_status`. Raises what
        `prepare_results` raises, and UnrecognizedStatusError.
        """
        self.check_key(key)
        plain_source = self._source(source)
        if status_message is not None and status is None:
            raise InvalidValueError(
                "a status message is given without a status", hint="give the status as well"
            )
        prepared = self.prepare(key.level, values, strict=strict)
        self.warn_undeclared(prepared.undeclared)
        steps: list[Change] = []
        if prepared.values:
            steps.append(
                changes.report_results(
                    key,
                    prepared.values,
                    overwrite=overwrite,
                    history=history and Capability.HISTORY in self.capabilities,
                    source=plain_source,
                )
            )
        if status is not None:
            steps.append(self.set_status(key, status, status_message, plain_source, status_time))
        return steps[0] if len(steps) == 1 else changes.in_turn(*steps)

    def from_text(self, level: Level, name: str, text: str) -> JSONValue:
        """Return what a command line's text means for a result (PS-RES-009).

        Raises InvalidTypeError for text that does not fit, unless values are not validated.
        """
        schema = self.level_schema(level)
        if schema is None:
            return text
        declared = schema.results.get(name) or schema.additional_schema(name)
        from pipestat_spec.domain.validation.conform import from_text

        try:
            return from_text(text, declared)
        except SchemaValidationErrorDuringReport:
            if self.validate:
                raise
            return text

    def set_status(
        self,
        key: RecordKey,
        status: str,
        message: str | None = None,
        source: Mapping[str, object] | None = None,
        since: datetime | None = None,
    ) -> Change:
        """Return the change that gives a record a status; raises UnrecognizedStatusError.

        `since` is when it began, if that was before now (PS-STA-010).
        """
        self.check_key(key)
        self.statuses.check(status)
        plain_source = self._source(source)
        plain_message = None if message is None else str(canonical(message, "status message"))
        self.require(Capability.STATUS, "setting a status")
        if plain_message is not None:
            self.require(Capability.SOURCE, "keeping a status message")
        return changes.set_status(
            key, status, message=plain_message, source=plain_source, since=since
        )

    def clear_status(self, key: RecordKey) -> Change:
        """Return the change that takes a record's status away."""
        self.check_key(key)
        self.require(Capability.STATUS, "clearing a status")
        return changes.clear_status()

    def limited(self, change: Change) -> Change:
        """Return the change within the limit of the history (PS-HIS-005)."""
        if self.history_limit is None:
            return change
        return changes.limited(change, self.history_limit)

    def _source(self, source: Mapping[str, object] | None) -> dict[str, JSONValue] | None:
        """Return a source to store; raises InvalidValueError unless it is an object."""
        if source is None:
            return None
        self.require(Capability.SOURCE, "keeping a source")
        plain = canonical(source, "source")
        if isinstance(plain, dict):
            return plain
        raise InvalidValueError(
            f"source: {shorten(repr(source))} is not an object",
            hint="map names such as engine, run, rule and task to their values",
        )

    def warn_undeclared(self, undeclared: Mapping[str, str | None]) -> None:
        """Warn, once for each, of results that the schema does not name; nearest ones by name."""
        for name, near in undeclared.items():
            if name not in self._warned:
                self._warned.add(name)
                hint = self._declared_elsewhere(name) or (near and f"did you mean {near!r}?")
                told = f"; {hint}" if hint else ""
                logger().warning("result %r is not in the output schema%s", name, told)
