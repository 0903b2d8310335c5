"""Which jobs belong to which record, where each job stands, and what that makes of the record.

Pure bookkeeping: no Snakemake, no store, one thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pipestat_spec.models.record import RecordKey

__all__ = ["Board", "Job", "Standing", "State"]


class State(Enum):
    """Where one job stands; the value is the status of a record that it decides."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "completed"
    FAILED = "failed"


# The first state that some job of a record is in decides; all jobs have finished when none is.
_ROLL_UP = (State.RUNNING, State.FAILED, State.WAITING, State.FINISHED)


@dataclass(slots=True)
class Job:
    """One job of the run; `retries` is None when Snakemake's plan could not be read."""

    rule: str
    key: RecordKey | None
    retries: int | None = None
    wildcards: Mapping[str, str] = field(default_factory=dict)
    state: State = State.WAITING
    attempt: int = 0
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is to be stored of a record: its status and the job that decided it."""

    status: str
    message: str | None = None
    rule: str | None = None
    attempt: int | None = None
    # How often a rule was tried, for those that were tried more than once.
    attempts: Mapping[str, int] = field(default_factory=dict)


class _Jobs:
    """The jobs of one record by state, each state in the order in which they came to it."""

    def __init__(self) -> None:
        self.by_state: dict[State, dict[int, Job]] = {state: {} for state in State}
        self.attempts: dict[str, int] = {}
        # Status and message that report documents gave.
        self.said: tuple[str, str | None] | None = None

    def move(self, job_id: int, job: Job, state: State) -> None:
        self.by_state[job.state].pop(job_id, None)
        job.state = state
        self.by_state[state][job_id] = job
        if job.attempt > 1:
            self.attempts[job.rule] = max(job.attempt, self.attempts.get(job.rule, 0))

    def standing(self, may_complete: bool) -> Standing:
        deciding = next(state for state in _ROLL_UP if self.by_state[state])
        if deciding is State.FINISHED and not may_complete:
            deciding = State.WAITING
        job = next(reversed(self.by_state[deciding].values()), None)
        status, message = deciding.value, job.message if job else None
        if deciding is State.FINISHED and self.said is not None:
            status, message = self.said
        if job is None or not job.attempt:
            return Standing(status, message, attempts=dict(self.attempts))
        return Standing(status, message, job.rule, job.attempt, dict(self.attempts))


class Board:
    """All jobs of one run, and the records that changed since they were last asked for."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        # Without Snakemake's plan nobody knows which jobs of a record are still to come, and
        # with an open one not all of them.
        self.planned = False
        self.open = False
        self._records: dict[RecordKey, _Jobs] = {}
        self._changed: dict[RecordKey, None] = {}
        self._over = False

    def plan(self, jobs: Mapping[int, Job], *, is_open: bool = False) -> None:
        """Take over the jobs that are to run; a second plan adds and drops waiting ones.

        While a plan is open, jobs may be added to any record, and none is completed.
        """
        if self.may_complete != (not is_open):
            self._changed.update(dict.fromkeys(self._records))
        self.planned, self.open = True, is_open
        for job_id, job in list(self.jobs.items()):
            if job_id not in jobs and job.state is State.WAITING and not job.attempt:
                self._drop(job_id, job)
        for job_id, job in jobs.items():
            if job_id not in self.jobs:
                self._add(job_id, job)

    def started(
        self,
        job_id: int,
        rule: str,
        key: RecordKey | None,
        wildcards: Mapping[str, str] | None = None,
    ) -> None:
        """An attempt of a job begins."""
        if job_id not in self.jobs:
            self._add(job_id, Job(rule, key, wildcards=wildcards or {}))
        job = self.jobs[job_id]
        job.attempt += 1
        job.message = None
        self._move(job_id, State.RUNNING)

    def finished(self, job_id: int) -> None:
        """A job has finished, with all its outputs there."""
        if job_id in self.jobs:
            self.jobs[job_id].message = None
            self._move(job_id, State.FINISHED)

    def failed(self, job_id: int, message: str) -> None:
        """An attempt of a job failed; it waits when Snakemake is going to try again."""
        job = self.jobs.get(job_id)
        if job is None or job.state is State.FAILED:
            return
        job.message = message
        again = job.retries is not None and job.attempt <= job.retries
        self._move(job_id, State.WAITING if again else State.FAILED)

    def grouped(self, job_ids: Iterable[int]) -> None:
        """Jobs were tried as one: the group is tried as often as its most patient member."""
        group = [self.jobs[job_id] for job_id in job_ids if job_id in self.jobs]
        known = [job.retries for job in group if job.retries is not None]
        for job in group:
            job.retries = max(known, default=None)

    def say(self, key: RecordKey, status: str, message: str | None) -> bool:
        """Let a record end with this status when its jobs do; False when it has no jobs."""
        if key not in self._records:
            return False
        self._records[key].said = status, message
        self._changed[key] = None
        return True

    def end(self, succeeded: bool, message: str) -> None:
        """The run is over: an attempt that is open, or was to be repeated, has failed."""
        for job_id, job in self.jobs.items():
            if job.state is State.RUNNING or (job.state is State.WAITING and job.attempt):
                job.message = job.message or message
                self._move(job_id, State.FAILED)
        if succeeded and not self.may_complete:
            self._over = True
            self._changed.update(dict.fromkeys(self._records))

    @property
    def may_complete(self) -> bool:
        """Whether all jobs are known, so that a record is completed when its own have finished."""
        return self._over or (self.planned and not self.open)

    def changed(self) -> Iterator[tuple[RecordKey, Standing]]:
        """Yield the records whose standing may be new; each is told once."""
        changed, self._changed = self._changed, {}
        for key in changed:
            if key in self._records:
                yield key, self._records[key].standing(self.may_complete)

    def keys(self) -> list[RecordKey]:
        """Return the records that have jobs in this run."""
        return list(self._records)

    def _add(self, job_id: int, job: Job) -> None:
        self.jobs[job_id] = job
        if job.key is not None:
            self._records.setdefault(job.key, _Jobs())
            self._move(job_id, job.state)

    def _drop(self, job_id: int, job: Job) -> None:
        del self.jobs[job_id]
        if job.key is not None:
            record = self._records[job.key]
            del record.by_state[job.state][job_id]
            if any(record.by_state.values()):
                self._changed[job.key] = None
            else:
                del self._records[job.key]

    def _move(self, job_id: int, state: State) -> None:
        job = self.jobs[job_id]
        if job.key is None:
            job.state = state
        else:
            self._records[job.key].move(job_id, job, state)
            self._changed[job.key] = None
