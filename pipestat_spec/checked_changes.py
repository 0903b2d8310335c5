"""From what a caller asks for to changes that may be applied (SPEC.md sections 5 and 6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipestat_spec.backend import Backend, Capability, Change, StoreSettings
from pipestat_spec.domain import changes
from pipestat_spec.domain.results import prepare_results
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import InvalidIdentifierError, InvalidValueError, UnsupportedOperation
from pipestat_spec.logs import logger
from pipestat_spec.models.identifiers import check_record_identifier
from pipestat_spec.models.record import LEVELS, JSONValue, Level, RecordKey
from pipestat_spec.models.text import shorten

if TYPE_CHECKING:
    from pipestat_spec.models.output_schema import LevelSchema

__all__ = ["CheckedChanges"]


class CheckedChanges:
    """Makes the changes of one namespace, every one checked before a record is read.

    `validate` tells whether values are checked against the output schema;
    `additional_properties` takes the place of the schema's own when it is not None.
    """

    def __init__(
        self,
        backend: Backend,
        settings: StoreSettings,
        *,
        validate: bool,
        additional_properties: bool | None = None,
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.validate = validate
        self.additional_properties = additional_properties
        self._warned: set[str] = set()

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    def level_schema(self, level: Level) -> LevelSchema | None:
        """Return what the output schema says of a level, or None without a schema."""
        return self.settings.schema.levels[level] if self.settings.schema else None

    def require(self, capability: Capability, operation: str) -> None:
        """Raise UnsupportedOperation unless the backend claims `capability`."""
        if capability not in self.backend.capabilities:
            raise UnsupportedOperation(
                f"{operation} needs the capability '{capability}', "
                f"which this backend does not offer",
                hint="choose another backend ('pipestat-spec plugins' lists them)",
                capability=str(capability),
            )

    def report_change(
        self,
        key: RecordKey,
        values: Mapping[str, object],
        *,
        overwrite: bool,
        history: bool = True,
        strict: bool = True,
        status: str | None = None,
        status_message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> Change:
        """Return the checked change that `report` makes, to be applied with others."""
        self._check_key(key)
        plain_source = self._canonical_source(source)
        if status_message is not None and status is None:
            raise InvalidValueError(
                "a status message is given without a status", hint="give the status as well"
            )
        prepared = prepare_results(
            values,
            self.level_schema(key.level) if self.validate else None,
            strict=strict,
            additional_properties=self.additional_properties,
        )
        self._warn_undeclared(prepared.undeclared)
        steps: list[Change] = []
        if prepared.values:
            keep_history = history and Capability.HISTORY in self.backend.capabilities
            steps.append(
                changes.report_results(
                    key,
                    prepared.values,
                    overwrite=overwrite,
                    history=keep_history,
                    source=plain_source,
                )
            )
        if status is not None:
            steps.append(self.status_change(key, status, status_message, plain_source))
        return changes.in_turn(*steps)

    def status_change(
        self,
        key: RecordKey,
        status: str,
        message: str | None = None,
        source: Mapping[str, object] | None = None,
    ) -> Change:
        """Return the checked change that `set_status` makes, to be applied with others."""
        self._check_key(key)
        self.settings.statuses.check(status)
        plain_source = self._canonical_source(source)
        plain_message = None if message is None else str(canonical(message, "status message"))
        self.require(Capability.STATUS, "setting a status")
        if plain_message is not None:
            self.require(Capability.SOURCE, "keeping a status message")
        return changes.set_status(key, status, message=plain_message, source=plain_source)

    def _canonical_source(self, source: Mapping[str, object] | None) -> dict[str, JSONValue] | None:
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

    def _check_key(self, key: RecordKey) -> RecordKey:
        self._check_level(key.level)
        identifier = check_record_identifier(key.identifier)
        refused = self.backend.refused_identifiers
        if refused is not None and re.search(refused, identifier):
            raise InvalidIdentifierError(
                f"this store cannot hold a record called {shorten(identifier)!r}",
                hint="choose another identifier, or another store",
                identifier=identifier,
            )
        return key

    def _check_level(self, level: Level) -> None:
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is not one of {', '.join(LEVELS)}")
        if level == "project":
            self.require(Capability.PROJECT_LEVEL, "the project level")

    def _warn_undeclared(self, undeclared: Mapping[str, str | None]) -> None:
        for name, near in undeclared.items():
            if name not in self._warned:
                self._warned.add(name)
                hint = f"; did you mean {near!r}?" if near else ""
                logger().warning("result %r is not in the output schema%s", name, hint)
