"""`pipestat.reports` of the drop-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipestat_spec.compat.absent import refuse_name
from pipestat_spec.compat.manager import get_file_for_table

if TYPE_CHECKING:
    from pipestat_spec.compat.manager import PipestatManager

__all__ = ["fetch_pipeline_results", "get_file_for_table"]

_ABSENT = {
    "HTMLReportBuilder": "call a manager's summarize()",
    "_create_stats_objs_summaries": "call a manager's table()",
}


def __getattr__(name: str) -> Any:
    refuse_name(__name__, name, _ABSENT)


def fetch_pipeline_results(
    project: PipestatManager,
    sample_name: str | None = None,
    inclusion_fun: Callable[[str], bool] | None = None,
    casting_fun: Callable[[Any], Any] | None = None,
    highlighted: bool = False,
) -> dict[str, Any]:
    """Return a record's results that the schema names: the highlighted ones, or all others.

    `inclusion_fun` gets the type of each and decides; `casting_fun` gets the value.
    """
    schemas = project.result_schemas
    wanted = set(project.highlighted_results)
    found = {}
    for name, value in project.retrieve_one(sample_name).items():
        if name not in schemas or (name in wanted) != highlighted:
            continue
        kind = schemas[name].get("object_type", schemas[name].get("type"))
        if inclusion_fun is None or inclusion_fun(kind):
            found[name] = value if casting_fun is None else casting_fun(value)
    return found
