"""Why a job failed that Snakemake runs in a process of its own, such as one with `run:`.

The process prints the error, and tells the main one only that there was one. But it imports this
plugin, as every Snakemake does: so it leaves the error in a file, named after rule and wildcards,
in a folder that the environment names.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["SNAKEMAKE_LOGGER", "errors_folder", "leave_errors", "take_error", "tell_spawned"]

SNAKEMAKE_LOGGER = "snakemake.logging"
# Names the folder of errors to the processes of jobs.
ERRORS_FOLDER = "PIPESTAT_SNAKEMAKE_ERRORS"


def errors_folder(run: str) -> Path:
    """Return the folder in which the jobs of a run leave their errors."""
    return Path.cwd() / ".snakemake" / "pipestat" / f"{run}.errors"


def tell_spawned(run: str) -> None:
    """Name the folder to all processes that start from now on."""
    os.environ[ERRORS_FOLDER] = str(errors_folder(run))


def leave_errors() -> None:
    """Write each error of a job to its file, if this process runs one for another Snakemake."""
    if "--mode" in sys.argv:
        logging.getLogger(SNAKEMAKE_LOGGER).addFilter(_leave)


def take_error(folder: Path, rule: str, wildcards: Mapping[str, str]) -> str | None:
    """Return the error that a job left, if it did, and remove it."""
    path = folder / _file_name(rule, wildcards)
    with contextlib.suppress(OSError):
        text = path.read_text("utf-8", "replace")
        path.unlink()
        return text
    return None


def _leave(record: logging.LogRecord) -> bool:
    # Nothing that goes wrong here may stop the job.
    with contextlib.suppress(Exception):
        job = _job() if str(getattr(record, "event", "")) == "error" else None
        if job is not None:
            folder = Path(os.environ[ERRORS_FOLDER])
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / _file_name(job.rule.name, job.wildcards_dict or {})
            path.write_text(record.getMessage(), "utf-8", "replace")
    return True


def _job() -> Any:
    """Return the job on the stack that has failed, or whose outputs are wrong."""
    from snakemake_logger_plugin_pipestat.plan import failed_job, failing_job

    return failed_job() or failing_job()


def _file_name(rule: str, wildcards: Mapping[str, str]) -> str:
    text = json.dumps([rule, sorted(wildcards.items())])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
