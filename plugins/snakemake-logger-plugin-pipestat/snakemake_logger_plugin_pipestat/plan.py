"""What only Snakemake itself knows: the plan of jobs, and which job an event is about.

The events tell of jobs one by one, as they start. Whether a record's last job has finished,
and which records are still to come, only the workflow knows; no event carries it. Nor do events
tell the real paths of outputs, or which job it was whose outputs were wrong. The objects are
found on the stack of the call that logs, by the functions of this module alone. When they do not
fit Snakemake any more, a session goes on without a plan.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snakemake_logger_plugin_pipestat.outputs import DocumentFile, documents_of

__all__ = [
    "Plan",
    "PlannedJob",
    "failed_job",
    "failing_job",
    "find_workflow",
    "logged_job",
    "read_plan",
]


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job of the workflow; it is `needed` when it runs, else its outputs are up to date.

    What an `open` job depends on is known only when a checkpoint has finished, or a queue has
    ended.
    """

    job_id: int
    rule: str
    wildcards: dict[str, str]
    needed: bool
    open: bool
    retries: int
    documents: tuple[DocumentFile, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a workflow; `grows` when checkpoints or queues may add some."""

    jobs: tuple[PlannedJob, ...]
    grows: bool


def find_workflow() -> Any:
    """Return the workflow whose method `execute` is on the stack; raises LookupError."""
    for found in _on_stack("execute", "self"):
        if hasattr(found, "dag"):
            return found
    raise LookupError("no workflow is being executed")


def logged_job() -> Any:
    """Return the job that tells of itself on the stack; raises LookupError."""
    for found in _on_stack("log_info", "self"):
        if hasattr(found, "output"):
            return found
    raise LookupError("no job tells of itself")


def failed_job() -> Any:
    """Return the job whose end with an error is told on the stack, or None."""
    for found in _on_stack("_callback", "job_info"):
        return getattr(found, "job", None)
    return None


def failing_job() -> Any:
    """Return the job, or group of jobs, whose outputs are found wrong on the stack, or None."""
    for found in _on_stack("postprocess", "job"):
        if hasattr(found, "jobid"):
            return found
    return None


def _on_stack(function: str, variable: str) -> Iterator[Any]:
    """Yield the values of a variable in the calls of a function, innermost first."""
    frame = sys._getframe().f_back
    while frame is not None:
        if frame.f_code.co_name == function and variable in frame.f_locals:
            yield frame.f_locals[variable]
        frame = frame.f_back


def read_plan(workflow: Any) -> Plan:
    """Return the jobs of a workflow."""
    dag = workflow.dag
    jobs = tuple(
        PlannedJob(
            dag.jobid(job),
            job.rule.name,
            dict(job.wildcards_dict or {}),
            dag.needrun(job),
            _is_open(job),
            job.restart_times or 0,
            documents_of(job),
        )
        for job in dag.jobs
    )
    return Plan(jobs, any(job.rule.is_checkpoint or job.has_queue_input() for job in dag.jobs))


def _is_open(job: Any) -> bool:
    return job.has_unfinished_queue_input() or any(
        file.flags.get("checkpoint_target") for file in job.input
    )
