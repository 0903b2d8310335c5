"""`pipestat.helpers` of the drop-in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pipestat_spec.compat.absent import refuse_name
from pipestat_spec.formatters import default_formatter, markdown_formatter

__all__ = [
    "default_formatter",
    "make_subdirectories",
    "markdown_formatter",
    "mk_list_of_str",
    "validate_type",
]

_ABSENT = {
    "force_symlink": "use os.symlink",
    "get_all_result_files": "use glob.glob",
    "init_generic_config": "run 'pipestat-spec init'",
    "zip_report": "use shutil.make_archive",
}


def __getattr__(name: str) -> Any:
    refuse_name(__name__, name, _ABSENT)


def validate_type(
    value: Any,
    schema: Mapping[str, Any],
    strict_type: bool = False,
    record_identifier: str | None = None,
) -> None:
    """Check a value against a result's schema; without `strict_type` it may be convertible.

    Raises SchemaValidationErrorDuringReport.
    """
    from pipestat_spec.domain.rules import prepare_results
    from pipestat_spec.models.schema.output_schema import parse_output_schema

    levels = parse_output_schema(
        {"pipeline_name": "any", "samples": {"value": dict(schema)}}
    ).levels
    prepare_results({"value": value}, levels["sample"], strict=strict_type)


def mk_list_of_str(x: Any) -> Any:
    """Return one string as a list; a list stays, and so does what is empty. Raises TypeError."""
    if not x or isinstance(x, list):
        return x
    if isinstance(x, str):
        return [x]
    raise TypeError(f"a string or a list of strings is needed, not {type(x).__name__}")


def make_subdirectories(path: str | None) -> None:
    """Make the folder that a file is in."""
    if path:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
