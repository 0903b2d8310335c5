"""How an error in an output schema reads: `{file}: {path inside}: problem; fix`."""

from __future__ import annotations

from pipestat_spec.errors import SchemaError
from pipestat_spec.models.text import shorten

__all__ = ["SchemaPath", "schema_error"]

# The keys and indexes that lead to a place in the document.
SchemaPath = tuple[str, ...]


def schema_error(
    source: str | None, path: SchemaPath, problem: str, hint: str | None = None
) -> SchemaError:
    """Return the error for what stands at `path`; `source` is the file or address."""
    inside = shorten(".".join(path), 200)
    where = f"{source or 'output schema'}: {inside}: " if path else f"{source or 'output schema'}: "
    return SchemaError(where + problem, hint=hint, source=source, path=inside)
