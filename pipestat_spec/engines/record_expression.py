"""Expressions such as `{sample}` or `{patient}-{lane}`: which record a workflow's job is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.identifiers import check_record_identifier
from pipestat_spec.text.strings import shorten

__all__ = ["RecordExpression", "parse_record_expression"]


@dataclass(frozen=True, slots=True)
class RecordExpression:
    """Text and names in turn: each part is a text, and the name after it or None."""

    text: str
    parts: tuple[tuple[str, str | None], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.parts if name is not None)

    def fill(self, values: Mapping[str, object]) -> str | None:
        """Return the record identifier, or None when a name has no value.

        Raises InvalidIdentifierError when what comes out cannot name a record.
        """
        if any(name not in values for name in self.names):
            return None
        filled = "".join(
            text + (str(values[name]) if name is not None else "") for text, name in self.parts
        )
        return check_record_identifier(filled)


def parse_record_expression(text: str) -> RecordExpression:
    """Check an expression; braces are doubled to stand for themselves.

    Raises MissingConfigDataError.
    """
    where = f"record expression {shorten(text)!r}"
    try:
        fields = list(Formatter().parse(text))
    except ValueError as error:
        raise MissingConfigDataError(f"{where}: {error}", hint="write '{sample}'") from None
    for _, name, layout, conversion in fields:
        if name is not None and (not name.isidentifier() or layout or conversion):
            raise MissingConfigDataError(
                f"{where}: only plain names can stand in braces", hint="write '{sample}'"
            )
    expression = RecordExpression(text, tuple((part, name) for part, name, _, _ in fields))
    if not expression.names:
        raise MissingConfigDataError(
            f"{where} names nothing, so that all jobs would be one record",
            hint="put the name that tells records apart into braces: '{sample}'",
        )
    return expression
