"""What the plugin does to the store: standings, report documents, and records left behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipestat_spec.backend import Capability, Change, Outcome
from pipestat_spec.documents.files import SourcedDocument
from pipestat_spec.documents.report import parse_report_document
from pipestat_spec.errors import PipestatDataError, PipestatError, UnsupportedOperation
from pipestat_spec.ingest import ingest
from pipestat_spec.json_values import same_value
from pipestat_spec.models.query import In, Query
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.store import Store
from snakemake_logger_plugin_pipestat.board import Standing, State
from snakemake_logger_plugin_pipestat.outputs import DocumentFile
from snakemake_logger_plugin_pipestat.runs import LeftRun

__all__ = ["FoundDocument", "Records", "Settled"]

RUNNING, WAITING = State.RUNNING.value, State.WAITING.value
COMPLETED, FAILED = State.FINISHED.value, State.FAILED.value
# What the plugin itself says of a record. Any other status is the pipeline's own word.
_OURS = (None, RUNNING, WAITING, COMPLETED, FAILED)
# What no repetition mends; a lost database, in contrast, may come back.
_REFUSALS = (PipestatDataError, UnsupportedOperation)
# How many records are asked for in one query.
_AT_ONCE = 500
# The keys of a record's source that are the plugin's.
_SOURCE_KEYS = ("engine", "run", "rule", "attempt", "attempts")


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A report document among the outputs of a job, and the record of that job."""

    key: RecordKey | None
    document: SourcedDocument


@dataclass(frozen=True, slots=True)
class Settled:
    """What a plan says of records: those with jobs to run, and those that need none.

    `documents` are report documents of jobs that are up to date, by record; those of None are
    of jobs without one. Only of a `final` plan it is known that nothing is still to come.
    """

    needed: frozenset[RecordKey] = frozenset()
    up_to_date: frozenset[RecordKey] = frozenset()
    documents: Mapping[RecordKey | None, Sequence[DocumentFile]] = field(default_factory=dict)
    final: bool = True


class Records:
    """The records of one run in their store."""

    def __init__(self, store: Store, run: str) -> None:
        self.store = store
        self.run = run
        self.keeps_source = Capability.SOURCE in store.backend.capabilities
        # What went wrong with the documents of a record: told with its status.
        self._notes: dict[RecordKey, str] = {}
        # What waits to be completed until the plan is final.
        self._held: set[RecordKey] = set()

    def source(self, rule: str | None, attempt: int | None) -> dict[str, Any]:
        """Return where results and status of a job come from."""
        job = {"rule": rule, "attempt": attempt}
        known = {name: value for name, value in job.items() if value is not None}
        return {"engine": "snakemake", "run": self.run, **known}

    def save(self, standings: Mapping[RecordKey, Standing]) -> None:
        """Store standings, in one write where the store can; one that is refused stops none.

        Raises the first refusal when all others are stored.
        """
        statuses = self.store.settings.statuses
        todo = [
            (key, self._change(key, standing))
            # A new file gets the layout that its first record needs.
            for key, standing in sorted(standings.items(), key=lambda item: item[0].level)
            # A status schema of one's own may do without `waiting`.
            if standing.status in statuses
        ]
        try:
            self.store.apply(todo)
        except _REFUSALS:
            refused = [error for one in todo if (error := self._refusal(one)) is not None]
            if refused:
                raise refused[0] from None

    def _refusal(self, one: tuple[RecordKey, Change]) -> PipestatError | None:
        try:
            self.store.apply([one])
        except _REFUSALS as error:
            return error
        return None

    def ingest(self, found: Sequence[FoundDocument]) -> list[str]:
        """Store what documents say; return what is wrong with those that were left out."""
        try:
            report = ingest(self.store, [item.document for item in found], keep_going=True)
            problems = list(report.rejected)
        except _REFUSALS as error:
            if len(found) > 1:
                return [problem for item in found for problem in self.ingest([item])]
            problems = [f"{found[0].document.where}: {error}"]
        for problem in problems:
            self._note(found, problem)
        return problems

    def _note(self, found: Iterable[FoundDocument], problem: str) -> None:
        # The record whose job wrote the document tells what is wrong with it.
        for item in found:
            if item.key is not None and problem.startswith(item.document.where):
                self._notes[item.key] = f"not ingested: {problem}"

    def mend(self, left: LeftRun, settled: Settled | None) -> list[str]:
        """Say what became of records that a killed run left; return problems of documents.

        Without a plan (`settled` is None) it is only known that nothing runs any more.
        """
        problems: list[str] = []
        killed = f"run {left.run} was killed"
        if settled is not None:
            problems += self._ingest(_read(settled, [*left.keys, None]))
        for key in left.keys:
            record = self.store.read(key) or Record(key)
            if (record.source or {}).get("run", left.run) != left.run:
                continue
            if record.status not in (None, RUNNING, WAITING) and record.status_message != killed:
                continue
            if settled is not None and key in settled.up_to_date:
                self._settle(settled, [key])
            elif record.status == RUNNING and (settled is None or key not in settled.needed):
                self.store.set_status(key, FAILED, killed if self.keeps_source else None)
        return problems

    def recall(self, settled: Settled) -> list[str]:
        """Store what the outputs tell of records that the store does not know.

        Jobs that are up to date do not run again for a new or lost store. Returns problems
        of documents.
        """
        of_nobody = [(_record_of(found), found) for found in _read(settled, [None])]
        told = settled.up_to_date | {key for key in settled.documents if key is not None}
        unknown = self._unknown(told | {key for key, _ in of_nobody if key is not None})
        if settled.final:
            self._settle(settled, self._held & settled.up_to_date)
        self._settle(settled, unknown & settled.up_to_date)
        documents = _read(settled, sorted(unknown))
        # One that is about no record has something wrong, and that is told.
        documents += [found for key, found in of_nobody if key is None or key in unknown]
        return self._ingest(documents)

    def _settle(self, settled: Settled, keys: Collection[RecordKey]) -> None:
        """Complete records that need no jobs, or let them wait for what may be added."""
        standing = Standing(COMPLETED if settled.final else WAITING)
        self._held = set() if settled.final else self._held.union(keys)
        self.save(dict.fromkeys(sorted(keys), standing))

    def _unknown(self, keys: Iterable[RecordKey]) -> set[RecordKey]:
        """Return those of the records that the store does not know."""
        left = set(keys)
        for level in {key.level for key in left}:
            names = sorted(key.identifier for key in left if key.level == level)
            for start in range(0, len(names), _AT_ONCE):
                some = In(("record_identifier",), tuple(names[start : start + _AT_ONCE]))
                page = self.store.select(Query(level, (), some))
                left -= {record.key for record in page.records}
        return left

    def _ingest(self, documents: Sequence[SourcedDocument]) -> list[str]:
        return list(ingest(self.store, documents, keep_going=True).rejected) if documents else []

    def _change(self, key: RecordKey, standing: Standing) -> Change:
        if not self.keeps_source:
            return _unless_own_word(standing, self.store.rules.set_status(key, standing.status))
        message = standing.message or self._notes.get(key)
        source = self.source(standing.rule, standing.attempt)
        if standing.attempts:
            source["attempts"] = dict(standing.attempts)
        set_status = self.store.rules.set_status(key, standing.status, message, source)
        decided = _unless_own_word(standing, set_status)

        def change(current: Record | None, *_: object) -> Outcome:
            outcome = decided(current)
            record = outcome.record
            assert record is not None  # no status is set by removing a record
            merged = {**self._others_keys(current), **source}
            if not same_value(record.source, merged):
                record = replace(record, source=merged)
            if message is None and record.status == standing.status and record.status_message:
                record = replace(record, status_message=None)
            return Outcome(record, outcome.history)

        return change

    def _others_keys(self, current: Record | None) -> dict[str, Any]:
        """Return what jobs of this run gave as source beyond the plugin's own keys."""
        source = (current.source if current else None) or {}
        if source.get("engine") != "snakemake" or source.get("run", self.run) != self.run:
            return {}
        return {name: value for name, value in source.items() if name not in _SOURCE_KEYS}


def _read(settled: Settled, keys: Iterable[RecordKey | None]) -> list[SourcedDocument]:
    """Return the documents of jobs that are up to date; a file that is not there was `temp()`."""
    files = [file for key in keys for file in settled.documents.get(key, ()) if file.exists()]
    return [document for file in files for document in file.read()]


def _record_of(found: SourcedDocument) -> RecordKey | None:
    """Return the record that a document is about, or None when it is wrong."""
    try:
        return parse_report_document(found.content, found.where).key
    except PipestatError:
        return None


def _unless_own_word(standing: Standing, set_status: Change) -> Change:
    """Keep a status that a job itself has set, `partial` for example, when all is done."""

    def change(current: Record | None, *_: object) -> Outcome:
        if standing.status == COMPLETED and current is not None and current.status not in _OURS:
            return Outcome(current)
        return set_status(current)

    return change
