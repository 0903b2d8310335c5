"""From the values that a caller reports to the values that are stored (SPEC.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipestat_spec.domain.validate import conform
from pipestat_spec.domain.values import canonical
from pipestat_spec.errors import ColumnNotFoundError
from pipestat_spec.models.identifiers import check_result_identifier
from pipestat_spec.models.record import JSONValue
from pipestat_spec.models.schema.output_schema import LevelSchema, ResultSchema
from pipestat_spec.text.strings import nearest

__all__ = ["PreparedResults", "prepare_results"]


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
    for name, value in values.items():
        identifier = check_result_identifier(name)
        plain = canonical(value, f"result {identifier!r}")
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
