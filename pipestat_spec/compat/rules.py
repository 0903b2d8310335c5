"""Rules for pipelines whose values pipestat takes as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Self

from pipestat_spec.compat.values import as_file_result, without_null_thumbnail
from pipestat_spec.domain.rules import PreparedResults, Rules, prepare_results
from pipestat_spec.errors import ColumnNotFoundError, SchemaValidationErrorDuringReport
from pipestat_spec.logs import logger
from pipestat_spec.models.record import Level

__all__ = ["DropInRules", "LenientRules"]


class DropInRules(Rules):
    """The rules, and a null thumbnail is none: pypiper sends it for every object."""

    @classmethod
    def of(cls, rules: Rules) -> Self:
        """Return the same rules, kept as this class keeps them."""
        return cls(**{field.name: getattr(rules, field.name) for field in fields(rules)})

    def prepare(
        self, level: Level, values: Mapping[str, Any], *, strict: bool = True
    ) -> PreparedResults:
        """Return values as they would be stored; raises what `prepare_results` raises."""
        schema = self.level_schema(level)
        declared = schema.results if schema else {}
        return super().prepare(
            level,
            {
                name: without_null_thumbnail(value)
                if name in declared and declared[name].has_images
                else value
                for name, value in values.items()
            },
            strict=strict,
        )


class LenientRules(DropInRules):
    """A value that the schema refuses is stored as pipestat stores it, with a warning.

    pipestat checks values only where the schema is an argument of the manager.
    """

    def prepare(
        self, level: Level, values: Mapping[str, Any], *, strict: bool = True
    ) -> PreparedResults:
        """Return values as they would be stored; raises for what no store can hold."""
        prepared: dict[str, Any] = {}
        undeclared: dict[str, str | None] = {}
        for name, value in values.items():
            done = self._one(level, name, value, strict)
            prepared |= done.values
            undeclared |= done.undeclared
        return PreparedResults(prepared, undeclared)

    def _one(self, level: Level, name: str, value: Any, strict: bool) -> PreparedResults:
        wrapped = as_file_result(name, value)
        refused: Exception | None = None
        for candidate in (value, wrapped):
            try:
                return super().prepare(level, {name: candidate}, strict=strict)
            except (SchemaValidationErrorDuringReport, ColumnNotFoundError) as error:
                refused = refused or error
        logger().warning("%s; it is stored all the same (validate_results: true refuses)", refused)
        return prepare_results({name: wrapped}, None)
