"""Schemas from files and addresses, YAML or JSON (spec/schema.md and core.md)."""

from __future__ import annotations

import os
from typing import Any

from pipestat_spec.errors import SchemaError, SchemaNotFoundError
from pipestat_spec.models.schema.output_schema import OutputSchema, parse_output_schema
from pipestat_spec.models.schema.status_schema import StatusSchema, parse_status_schema
from pipestat_spec.text.locations import MissingText, read_document
from pipestat_spec.text.strings import shown_address
from pipestat_spec.text.unreadable import UnreadableText

__all__ = ["load_document", "load_output_schema", "load_status_schema"]


def load_output_schema(location: str | os.PathLike[str]) -> OutputSchema:
    """Read an output schema from a path, a `file:` or an `http(s):` address.

    Raises SchemaNotFoundError, and SchemaError that says where and what mends it.
    """
    source = os.fspath(location)
    schema = parse_output_schema(load_document(source), shown_address(source))
    if schema.has_qc:
        from pipestat_spec.domain.verdicts import judges

        judges(schema)
    return schema


def load_status_schema(location: str | os.PathLike[str]) -> StatusSchema:
    """Read a status schema; locations and errors as for `load_output_schema`."""
    source = os.fspath(location)
    return parse_status_schema(load_document(source), shown_address(source))


def load_document(location: str | os.PathLike[str]) -> Any:
    """Return what a schema's file says, before it is checked; errors as for the schema."""
    source = os.fspath(location)
    try:
        return read_document(source)
    except MissingText as error:
        place = shown_address(source)
        raise SchemaNotFoundError(
            f"schema {place}: {error}", hint=error.hint, source=place
        ) from None
    except UnreadableText as error:
        place = shown_address(source)
        raise SchemaError(
            f"{place}: {error}", hint=error.hint, source=place, line=error.line
        ) from None
