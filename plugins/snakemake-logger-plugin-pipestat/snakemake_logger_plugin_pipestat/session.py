"""One run of Snakemake: its events become standings of records and documents to ingest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from pipestat_spec import PipestatManager
from pipestat_spec.backend import Capability
from pipestat_spec.documents.files import SourcedDocument
from pipestat_spec.documents.report import parse_report_document
from pipestat_spec.engines.record_expression import RecordExpression, parse_record_expression
from pipestat_spec.engines.snakemake import DEFAULT_RECORD, tell_jobs
from pipestat_spec.errors import InvalidIdentifierError, LayoutError, PipestatError
from pipestat_spec.models.record import RecordKey
from pipestat_spec.store import Store
from pipestat_spec.text.strings import nearest, shorten
from snakemake_logger_plugin_pipestat.board import Board, Job, State
from snakemake_logger_plugin_pipestat.failures import ErrorTexts, failure_message
from snakemake_logger_plugin_pipestat.outputs import DocumentFile
from snakemake_logger_plugin_pipestat.plan import Plan
from snakemake_logger_plugin_pipestat.records import FoundDocument, Records, Settled
from snakemake_logger_plugin_pipestat.runs import RunFile
from snakemake_logger_plugin_pipestat.spawned import errors_folder, take_error
from snakemake_logger_plugin_pipestat.witness import SNAKEMAKE_LOGGER, Sight, Witness, sight_of
from snakemake_logger_plugin_pipestat.writer import Writer

__all__ = ["Session", "open_session"]

_ENDED = "the run ended before the job did"


def open_session(
    config: str | None, record: str, project: bool, pipeline_name: str | None
) -> Session:
    """Open the store and begin to watch; raises WorkflowError when a setting is wrong."""
    try:
        expression = parse_record_expression(record)
        manager = PipestatManager(config_file=config, pipeline_name=pipeline_name)
        store = manager.store
        store.rules.require(Capability.STATUS, "keeping the status of Snakemake's jobs")
        for state in (State.RUNNING, State.FINISHED, State.FAILED):
            store.settings.statuses.check(state.value)
        if project:
            _check_project_level(store)
    except PipestatError as error:
        raise WorkflowError(f"pipestat: {error}") from None
    tell_jobs(manager.config_path, record, pipeline_name)
    key = RecordKey("project", store.settings.project_name) if project else None
    return Session(manager, expression, key)


def _check_project_level(store: Store) -> None:
    store.rules.require(Capability.PROJECT_LEVEL, "the record of the project level")
    if (store.backend.layout or store.settings.layout_of_new("project")) == "records":
        raise LayoutError(
            f"{store.place} is in the 'records' layout, which has no place for the record that "
            "--logger-pipestat-project keeps",
            hint="leave the option out, say 'layout: levels' in the configuration of a new store, "
            "or run 'pipestat-spec convert ... --layout levels'",
        )


class Session:
    """Takes events in one thread; `close` comes when there are no more."""

    def __init__(
        self, manager: PipestatManager, record: RecordExpression, project: RecordKey | None
    ) -> None:
        self._manager, self._record, self._project = manager, record, project
        self._board = Board()
        self._errors = ErrorTexts()
        # What is known of jobs that failed with their group: its name, and the error.
        self._groups: dict[int, tuple[str, str | None]] = {}
        # The wildcards of all jobs, and whether those of some job name a record.
        self._wildcards: set[str] = set()
        self._filled = False
        self._settled: Settled | None = None
        # Whether records that need no jobs wait until the plan is final.
        self._held = False
        self._known_keys = 0
        self._all_done = False
        self._warned: set[str] = set()
        # Until the workflow has started there is nothing to keep.
        self._records: Records | None = None
        self._run_file: RunFile | None = None
        self._writer: Writer | None = None
        self._witness = Witness()
        logging.getLogger(SNAKEMAKE_LOGGER).addFilter(self._witness)
        self._handlers: dict[str, Callable[[Any], None]] = {
            "workflow_started": self._workflow_started,
            "job_info": self._job_info,
            "job_finished": self._job_finished,
            "job_error": self._job_error,
            "group_error": self._group_error,
            "error": self._error,
            "progress": self._progress,
        }

    def take(self, record: logging.LogRecord) -> None:
        """Take one event; never raises."""
        try:
            sight = sight_of(record)
            if sight is not None:
                self._seen(sight)
            handler = self._handlers.get(str(getattr(record, "event", "")))
            if handler is not None:
                handler(record)
                self._pass_on()
        except Exception as error:  # noqa: BLE001 - it would end the thread of all loggers
            self._warn(f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Settle what is open and store it; never raises."""
        logging.getLogger(SNAKEMAKE_LOGGER).removeFilter(self._witness)
        try:
            if self._writer is not None and self._run_file is not None:
                if not self._board.planned:
                    self._writer.mend(None)
                self._seen(self._witness.look_again())
                self._board.end(self._all_done, _ENDED)
                self._settle_when_final()
                self._pass_on()
                self._tell_unfilled()
                stored = self._writer.close()
                if not stored:
                    self._warn("not all could be stored; the next run in this folder mends it")
                self._run_file.close(remove=stored)
            self._manager.close()
        except Exception as error:  # noqa: BLE001 - Snakemake is closing
            self._warn(f"{type(error).__name__}: {error}")

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            logging.getLogger(SNAKEMAKE_LOGGER).warning(f"pipestat: {text}")

    def _pass_on(self) -> None:
        if self._writer is None or self._run_file is None:
            return
        keys = self._board.keys()
        if len(keys) != self._known_keys:
            self._known_keys = len(keys)
            self._run_file.keep(keys)
        standings = dict(self._board.changed())
        if standings:
            self._writer.put(standings)

    def _tell_unfilled(self) -> None:
        """Warn when the wildcards of no job name a record: nothing was kept."""
        is_wanted = self._project is None or self._record.text != DEFAULT_RECORD
        if self._filled or not is_wanted or (not self._board.jobs and self._settled is None):
            return
        seen = sorted(self._wildcards)
        missing = next((name for name in self._record.names if name not in seen), None)
        near = nearest(missing, seen) if missing else None
        self._warn(
            f"no job has the wildcards of the record {shorten(self._record.text)!r}, so that no "
            f"status of a sample was kept; the wildcards of this workflow are "
            f"{shorten(', '.join(seen), 400) or 'none'}"
            + (f"; did you mean '{{{near}}}'?" if near else "; see --logger-pipestat-record")
        )

    # What the events mean

    def _workflow_started(self, record: Any) -> None:
        if self._writer is None:
            run = str(record.workflow_id)
            self._records = Records(self._manager.store, run)
            self._run_file = RunFile(Path.cwd(), run)
            self._writer = Writer(self._records, self._run_file, self._warn)

    def _job_info(self, record: Any) -> None:
        key = self._key(record.wildcards)
        self._board.started(record.jobid, record.rule_name, key, record.wildcards)

    def _job_finished(self, record: Any) -> None:
        self._board.finished(record.job_id)
        sight = sight_of(record)
        if sight is not None and self._writer is not None and self._records is not None:
            job = self._board.jobs.get(record.job_id, Job("", None))
            ready = [self._prepared(found, job, self._records) for found in sight.documents]
            self._writer.put({}, [FoundDocument(job.key, found) for found in ready])

    def _job_error(self, record: Any) -> None:
        job = self._board.jobs.get(record.jobid)
        if job is not None:
            group, error = self._groups.pop(record.jobid, (None, None))
            error = self._left_error(job) or self._errors.take(record) or error
            message = failure_message(job.rule, job.attempt, error, record.log or (), group)
            self._board.failed(record.jobid, message)

    def _left_error(self, job: Job) -> str | None:
        """Return what a job said that ran in a process of its own."""
        if self._records is None:
            return None
        return take_error(errors_folder(self._records.run), job.rule, job.wildcards)

    def _group_error(self, record: Any) -> None:
        job_ids = [info["jobid"] for info in record.job_error_info]
        known = str(record.groupid), self._errors.take(record)
        self._groups.update(dict.fromkeys(job_ids, known))
        self._board.grouped(job_ids)

    def _error(self, record: Any) -> None:
        sight = sight_of(record)
        if sight is None or not sight.failing:
            # Of which job this is, the next event of its thread tells.
            self._errors.add(record)
            return
        if sight.group is not None:
            self._board.grouped(sight.failing)
        for job_id in sight.failing:
            job = self._board.jobs.get(job_id)
            if job is not None:
                error = record.getMessage()
                message = failure_message(job.rule, job.attempt, error, group=sight.group)
                self._board.failed(job_id, message)

    def _progress(self, record: Any) -> None:
        self._all_done = record.done == record.total

    # What the witness saw

    def _seen(self, sight: Sight) -> None:
        if sight.problem is not None:
            self._warn(f"Snakemake could not be looked at: {sight.problem}")
        if sight.plan is not None:
            self._plan(sight.plan)
            self._pass_on()

    def _plan(self, plan: Plan) -> None:
        first = not self._board.planned
        jobs: dict[int, Job] = {}
        is_open = False
        for job in plan.jobs:
            key = self._key(job.wildcards)
            if job.needed:
                jobs[job.job_id] = Job(job.rule, key, job.retries, job.wildcards)
            # What is added for a job of a sample waits with it; for others it may be anyone's.
            is_open = is_open or (job.open and (key is None or key == self._project))
        self._board.plan(jobs, is_open=is_open)
        self._settled = self._settled_by(plan)
        if first and self._writer is not None:
            self._writer.mend(self._settled)
            self._held = is_open
        self._settle_when_final()

    def _settle_when_final(self) -> None:
        """Let records that needed no jobs be completed, when all jobs have become known."""
        if self._held and self._board.may_complete and self._writer and self._settled:
            self._held = False
            self._writer.mend(replace(self._settled, final=True))

    def _settled_by(self, plan: Plan) -> Settled:
        """Return what the plan says of records that an earlier run may have left."""
        present: set[RecordKey] = set()
        documents: dict[RecordKey | None, list[DocumentFile]] = {}
        for job in plan.jobs:
            # Those that have run in this run are `needed` no more, and have told all.
            if not job.needed and job.job_id not in self._board.jobs:
                key = self._key(job.wildcards)
                documents.setdefault(key, []).extend(job.documents)
                if key is not None:
                    present.add(key)
        needed = frozenset(self._board.keys())
        return Settled(needed, frozenset(present) - needed, documents, not self._board.open)

    def _key(self, wildcards: Mapping[str, str] | None) -> RecordKey | None:
        try:
            identifier = self._record.fill(wildcards or {})
        except InvalidIdentifierError as error:
            self._warn(str(error))
            return None
        self._wildcards.update(wildcards or ())
        self._filled = self._filled or identifier is not None
        return self._project if identifier is None else RecordKey("sample", identifier)

    def _prepared(self, found: SourcedDocument, job: Job, records: Records) -> SourcedDocument:
        """Return a document with what is known of its job; its status waits for the others."""
        if found.problem is not None:
            return found
        try:
            document = parse_report_document(found.content, found.where)
            content = document.to_dict()
            if document.status is not None:
                self._manager.store.settings.statuses.check(document.status)
                if self._board.say(document.key, document.status, document.status_message):
                    content = {**content, "results": document.results or {}}
                    del content["status"]
                    content.pop("status_message", None)
        except PipestatError:
            return found  # ingesting says what is wrong, and with all problems at once
        known = records.source(job.rule or None, job.attempt or None)
        content["source"] = {**known, **content.get("source", {})}
        if not records.keeps_source:
            del content["source"]
        return SourcedDocument(found.where, content)
