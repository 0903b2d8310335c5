"""Snakemake's plan: all jobs of a run, read from the workflow before the first of them starts.

The events tell of jobs one by one, as they start. Whether a record's last job has finished,
and which records are still to come, only the workflow knows; no event carries it. It is found
on the stack of the call that logs `WORKFLOW_STARTED`, and what is read of it is in
`read_plan` alone. When that does not fit Snakemake any more, a session goes on without a plan.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DOCUMENT_ENDINGS", "Plan", "PlannedJob", "find_workflow", "read_plan"]

DOCUMENT_ENDINGS = (".pipestat.json", ".pipestat.jsonl")


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job of the workflow; it is `needed` when it runs, else its outputs are up to date."""

    job_id: int
    rule: str
    wildcards: dict[str, str]
    needed: bool
    retries: int
    documents: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a workflow; `grows` when checkpoints may add some."""

    jobs: tuple[PlannedJob, ...]
    grows: bool


def find_workflow() -> Any:
    """Return the workflow whose method `execute` is on the stack; raises LookupError."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_name == "execute" and "self" in frame.f_locals:
            found = frame.f_locals["self"]
            if hasattr(found, "dag"):
                return found
    raise LookupError("no workflow is being executed")


def read_plan(workflow: Any) -> Plan:
    """Return the jobs of a workflow, relative paths made absolute."""
    dag = workflow.dag
    here = Path.cwd()
    jobs = tuple(
        PlannedJob(
            dag.jobid(job),
            job.rule.name,
            dict(job.wildcards_dict or {}),
            dag.needrun(job),
            job.restart_times or 0,
            tuple(here / output for output in job.output if output.endswith(DOCUMENT_ENDINGS)),
        )
        for job in dag.jobs
    )
    return Plan(jobs, any(job.rule.is_checkpoint for job in dag.jobs))
