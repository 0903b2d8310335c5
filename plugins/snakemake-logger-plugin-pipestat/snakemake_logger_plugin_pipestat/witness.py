"""What has to be seen at the moment when something is logged, in the thread that logs it.

Events reach `emit` later and in another thread: by then Snakemake may have deleted a
`temp()` output, and the plan of jobs cannot be read safely. A filter of Snakemake's logger is
asked before an event is queued; it attaches what it sees to the event and lets all pass.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from snakemake_logger_plugin_pipestat.outputs import DocumentFile, documents_of
from snakemake_logger_plugin_pipestat.plan import (
    Plan,
    failing_job,
    find_workflow,
    logged_job,
    read_plan,
)
from snakemake_logger_plugin_pipestat.spawned import SNAKEMAKE_LOGGER, tell_spawned

if TYPE_CHECKING:
    from pipestat_spec.documents.files import SourcedDocument

__all__ = ["SNAKEMAKE_LOGGER", "Sight", "Witness", "sight_of"]

_NOTHING_TO_DO = "Nothing to be done"
_ATTRIBUTE = "pipestat_sight"


class Sight:
    """What was seen with one event: the plan, the documents of a job, or why not.

    `failing` are the jobs whose outputs are wrong, when the event says that, and `group` the
    name of their group.
    """

    __slots__ = ("documents", "failing", "group", "plan", "problem")

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.documents: list[SourcedDocument] = []
        self.failing: tuple[int, ...] = ()
        self.group: str | None = None
        self.problem: str | None = None


def sight_of(record: logging.LogRecord) -> Sight | None:
    """Return what the witness attached to an event."""
    found = getattr(record, _ATTRIBUTE, None)
    return found if isinstance(found, Sight) else None


class Witness(logging.Filter):
    """Lets every event pass, and attaches to some what can be seen only now."""

    def __init__(self) -> None:
        super().__init__()
        self._workflow: Any = None
        self._planned = False
        self._grows = False
        self._documents: dict[int, tuple[DocumentFile, ...]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        sight = Sight()
        try:
            self._look(record, sight)
        except Exception as error:  # noqa: BLE001 - Snakemake must not stop because of us
            sight.problem = f"{type(error).__name__}: {error}"
        if sight.plan or sight.documents or sight.failing or sight.problem:
            setattr(record, _ATTRIBUTE, sight)
        return True

    def _look(self, record: logging.LogRecord, sight: Sight) -> None:
        event = str(getattr(record, "event", ""))
        if event == "workflow_started":
            tell_spawned(record.workflow_id)  # type: ignore[attr-defined]
            self._workflow = find_workflow()
        elif event == "job_info":
            found = documents_of(logged_job())
            if found:
                self._documents[record.jobid] = found  # type: ignore[attr-defined]
        elif event == "job_finished":
            for file in self._documents.pop(record.job_id, ()):  # type: ignore[attr-defined]
                sight.documents += file.read()
        elif event == "error":
            self._look_at_failing(sight)
        elif self._workflow is not None and self._time_to_plan(event, record):
            self._read_plan(sight)

    def look_again(self) -> Sight:
        """Return the plan as it is at the end of the run, if it was one that grows."""
        sight = Sight()
        if self._grows:
            try:
                self._read_plan(sight)
            except Exception as error:  # noqa: BLE001 - as above
                sight.problem = f"{type(error).__name__}: {error}"
        return sight

    def _read_plan(self, sight: Sight) -> None:
        self._planned = True
        sight.plan = read_plan(self._workflow)
        self._grows = sight.plan.grows

    def _look_at_failing(self, sight: Sight) -> None:
        job = failing_job()
        if job is None:
            return
        if job.is_group():
            sight.failing = tuple(member.jobid for member in job)
            sight.group = str(job.groupid)
        else:
            sight.failing = (job.jobid,)

    def _time_to_plan(self, event: str, record: logging.LogRecord) -> bool:
        if not self._planned:
            # Both are logged when the plan is ready, the folder locked, and nothing started.
            return event == "run_info" or (not event and str(record.msg).startswith(_NOTHING_TO_DO))
        return self._grows and event == "job_started"
