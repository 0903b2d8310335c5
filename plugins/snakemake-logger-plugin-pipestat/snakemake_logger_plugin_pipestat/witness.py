"""What has to be seen at the moment when something is logged, in the thread that logs it.

Events reach `emit` later and in another thread: by then Snakemake may have deleted a
`temp()` output, and the plan of jobs cannot be read safely. A filter of Snakemake's logger is
asked before an event is queued; it attaches what it sees to the event and lets all pass.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakemake_logger_plugin_pipestat.plan import (
    DOCUMENT_ENDINGS,
    Plan,
    find_workflow,
    read_plan,
)

if TYPE_CHECKING:
    from pipestat_spec.documents.files import SourcedDocument

__all__ = ["SNAKEMAKE_LOGGER", "Sight", "Witness", "sight_of"]

SNAKEMAKE_LOGGER = "snakemake.logging"
_NOTHING_TO_DO = "Nothing to be done"
_ATTRIBUTE = "pipestat_sight"


class Sight:
    """What was seen with one event: the plan, the documents of a job, or why not."""

    __slots__ = ("documents", "plan", "problem")

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.documents: list[SourcedDocument] = []
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
        self._documents: dict[int, list[Path]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        sight = Sight()
        try:
            self._look(record, sight)
        except Exception as error:  # noqa: BLE001 - Snakemake must not stop because of us
            sight.problem = f"{type(error).__name__}: {error}"
        if sight.plan or sight.documents or sight.problem:
            setattr(record, _ATTRIBUTE, sight)
        return True

    def _look(self, record: logging.LogRecord, sight: Sight) -> None:
        event = str(getattr(record, "event", ""))
        if event == "workflow_started":
            self._workflow = find_workflow()
        elif event == "job_info":
            job_id: int = record.jobid  # type: ignore[attr-defined]
            outputs: list[str] = record.output  # type: ignore[attr-defined]
            found = [Path.cwd() / path for path in outputs if path.endswith(DOCUMENT_ENDINGS)]
            if found:
                self._documents[job_id] = found
        elif event == "job_finished":
            from pipestat_spec.documents.files import read_documents

            for path in self._documents.pop(record.job_id, ()):  # type: ignore[attr-defined]
                sight.documents += read_documents(path)
        elif self._workflow is not None and self._time_to_plan(event, record):
            self._planned = True
            sight.plan = read_plan(self._workflow)
            self._grows = sight.plan.grows

    def _time_to_plan(self, event: str, record: logging.LogRecord) -> bool:
        if not self._planned:
            # Both are logged when the plan is ready, the folder locked, and nothing started.
            return event == "run_info" or (not event and str(record.msg).startswith(_NOTHING_TO_DO))
        return self._grows and event == "job_started"
