"""`pipestat.reports` of the drop-in, as far as looper needs it to start and to clean up."""

from __future__ import annotations

import os
from typing import Any

from pipestat_spec.compat.absent import refuse_name

__all__ = ["get_file_for_table"]

_LATER = "reports are not there yet: let pipestat make them from the same results"
_ABSENT = {"HTMLReportBuilder": _LATER, "_create_stats_objs_summaries": _LATER}


def __getattr__(name: str) -> Any:
    refuse_name(__name__, name, _ABSENT)


def get_file_for_table(
    prj: Any, pipeline_name: str, appendix: str | None = None, directory: str | None = None
) -> str:
    """Return where pipestat puts a summary of a manager's results, or a folder of reports.

    It is `{folder}/{directory}/{pipeline_name}_{appendix}`, in the manager's `output_dir`, or
    else beside its results file or its configuration.
    """
    folder = prj.output_dir or prj.backend.results_file_path or prj.config_path or os.curdir
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    parts = [pipeline_name, *(getattr(prj, "amendments", None) or ()), appendix]
    return os.path.join(folder, directory or "", "_".join(part for part in parts if part))
