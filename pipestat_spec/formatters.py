"""How `report` tells what it stored: one text a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pipestat_spec.json_values import JSONValue

__all__ = ["ResultFormatter", "default_formatter", "markdown_formatter"]

# (pipeline_name, record_identifier, result identifier, value) -> text
ResultFormatter: TypeAlias = Callable[[str, str, str, JSONValue], str]


def default_formatter(
    pipeline_name: str, record_identifier: str, res_id: str, value: JSONValue
) -> str:
    """Return plain text."""
    return (
        f"Reported records for {record_identifier!r} in {pipeline_name!r} :\n - {res_id}: {value}"
    )


def markdown_formatter(
    pipeline_name: str, record_identifier: str, res_id: str, value: JSONValue
) -> str:
    """Return Markdown, with objects as indented JSON."""
    where = f"`{record_identifier!r}` in `{pipeline_name!r}`"
    head = f"\n > Reported records for {where} \n \n `{res_id}`:"
    if isinstance(value, dict):
        import json

        return f"{head}\n ```\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"
    return f"{head} ```{value}```"
