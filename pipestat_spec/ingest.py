"""Ingesting report documents: all are checked, then all are stored (spec/documents.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pipestat_spec.documents.files import SourcedDocument, find_documents, read_documents
from pipestat_spec.documents.report import (
    ReportDocument,
    parse_report_document,
)
from pipestat_spec.domain.rules import Rules
from pipestat_spec.domain.values import CanonicalResults
from pipestat_spec.errors import (
    DocumentError,
    PipestatDataError,
    PipestatError,
    ResultConflictError,
    SchemaValidationErrorDuringReport,
)
from pipestat_spec.json_values import JSONValue
from pipestat_spec.many_objects import collection_paused
from pipestat_spec.models.capability import Capability
from pipestat_spec.models.change import NOTHING, Change, Outcome
from pipestat_spec.models.record import Record, RecordKey
from pipestat_spec.path_prefixes import PathPrefixes, map_paths
from pipestat_spec.store import Store
from pipestat_spec.text.strings import shorten

__all__ = [
    "Contribution",
    "IngestReport",
    "Progress",
    "SourcedDocument",
    "find_documents",
    "fold",
    "ingest",
    "read_documents",
    "values_of",
]

# What an engine says of its tasks; any other status is the pipeline's own word.
_COMPLETED = "completed"
_WORDS_OF_ENGINES = (None, "running", "waiting", "failed", _COMPLETED)
# A document without a time comes before all that have one.
_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one document, or several folded ones, say of one record.

    `attempt` is 0 and `time` None where the document does not tell; `status_time` is the time of
    the document that the status is from.
    """

    results: Mapping[str, JSONValue] = field(default_factory=dict)
    status: str | None = None
    status_message: str | None = None
    source: Mapping[str, JSONValue] | None = None
    attempt: int = 0
    time: datetime | None = None
    status_time: datetime | None = None


def fold(contributions: Iterable[Contribution]) -> Contribution:
    """Return one contribution for those of one record, given in their order.

    For each result, for the status with its message, and for the source, the highest
    attempt wins, then the latest time, then the last in order. The attempt and the time
    of the outcome are those of the document that ranks highest.
    """
    results: dict[str, JSONValue] = {}
    status: Contribution = Contribution()
    source: Mapping[str, JSONValue] | None = None
    attempt, time = 0, None
    # The sort is stable: of equal rank the last one overwrites.
    for item in sorted(contributions, key=_rank):
        results.update(item.results)
        if item.status is not None:
            status = item
        if item.source is not None:
            source = item.source
        attempt, time = item.attempt, item.time
    return replace(status, results=results, source=source, attempt=attempt, time=time)


def _rank(contribution: Contribution) -> tuple[int, datetime]:
    return contribution.attempt, contribution.time or _NO_TIME


Source: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | ReportDocument | SourcedDocument
# Called with `reading` and how many documents were checked, then with `storing` and how many
# records were handed to the store.
Progress: TypeAlias = Callable[[Literal["reading", "storing"], int], None]


@dataclass(frozen=True)
class IngestReport:
    """What came of an ingestion.

    `documents` were stored, folded to `records`, of which `changed` were stored anew and
    `unchanged` were stored already. `rejected` holds one line for each problem of a
    document that was left out. `verdicts` is how many of the records have one that was stored; they
    are not among the documents.
    """

    documents: int
    records: int
    changed: int
    unchanged: int
    rejected: tuple[str, ...] = ()
    verdicts: int = 0


@collection_paused()
def ingest(
    store: Store,
    documents: Iterable[Source] | Source,
    *,
    overwrite: bool = True,
    keep_going: bool = False,
    path_prefixes: Sequence[tuple[str, str]] = (),
    verdicts: Iterable[SourcedDocument] = (),
    progress: Progress | None = None,
) -> IngestReport:
    """Check every document, fold those of one record, and store all in one write.

    `documents` are paths of files and folders, mappings, `ReportDocument`s, or documents
    that were read before (`SourcedDocument`). A stored value that differs is overwritten,
    with history; an equal one is no change. `verdicts` are documents too, such as an
    engine's word on its tasks: of the records that they name, status and source are theirs,
    whatever the other documents say. Only where they say `completed`, a status that the pipeline
    has chosen itself, such as `partial`, stays.

    Raises DocumentError, whose `problems` name every wrong document, and ResultConflictError
    with `overwrite` off; nothing is stored then. With `keep_going` what is refused is left
    out, and told in the report.
    """
    checker = _Checker(store, overwrite, PathPrefixes(path_prefixes))
    count = 0
    for source in _sources(documents):
        found = read_documents(source) if isinstance(source, Path) else [source]
        for document in found:
            checker.add(document)
            count += 1
            if progress is not None:
                progress("reading", count)
    for document in verdicts:
        checker.add(document, verdict=True)
    if checker.problems and not keep_going:
        raise _refused(checker.problems)
    sizes = {key: len(items) for key, items in checker.records.items()}
    writer = _Writer(store, checker.changes(), keep_going, progress)
    writer.write(check_first=not overwrite)
    left_out = {writer.todo[i][0]: str(error) for i, error in writer.conflicts.items()}
    stored = sum(size for key, size in sizes.items() if key not in left_out)
    judged = len(checker.verdicts.keys() - left_out.keys())
    return IngestReport(
        documents=stored - judged,
        records=len(writer.todo) - len(left_out),
        changed=writer.changed,
        unchanged=len(writer.todo) - len(left_out) - writer.changed,
        rejected=(*checker.problems, *left_out.values()),
        verdicts=judged,
    )


def _sources(documents: Iterable[Source] | Source) -> Iterator[Path | SourcedDocument]:
    """Yield one after the other, so that none is kept when it is read."""
    if isinstance(documents, str | os.PathLike | Mapping | ReportDocument | SourcedDocument):
        documents = [documents]
    for number, document in enumerate(documents, 1):
        if isinstance(document, str | os.PathLike):
            yield from find_documents([document])
        elif isinstance(document, SourcedDocument):
            yield document
        else:
            yield SourcedDocument(f"document {number}", document)


def _refused(problems: list[str]) -> DocumentError:
    lines = problems if len(problems) == 1 else [f"{len(problems)} problems", *problems]
    return DocumentError("\n".join(lines), hint="nothing was ingested", problems=list(problems))


def values_of(document: ReportDocument, rules: Rules) -> dict[str, JSONValue]:
    """Return the results of a document, text of a command line read by the schema (PS-DOC-011).

    Raises DocumentError with a problem for each text that does not fit.
    """
    results = dict(document.results or {})
    problems: list[str] = []
    for name in document.texts or ():
        try:
            results[name] = rules.from_text(document.level, name, str(results[name]))
        except SchemaValidationErrorDuringReport as error:
            problems += error.problems
    if problems:
        raise DocumentError("\n".join(problems), problems=problems)
    return results


class _Checker:
    """Checks documents one by one and keeps what they say, record by record."""

    def __init__(self, store: Store, overwrite: bool, prefixes: PathPrefixes) -> None:
        self.problems: list[str] = []
        self.records: dict[RecordKey, list[tuple[Contribution, Change]]] = {}
        self.verdicts: dict[RecordKey, Contribution] = {}
        self._store = store
        self._overwrite = overwrite
        self._prefixes = prefixes

    def add(self, found: SourcedDocument, verdict: bool = False) -> None:
        if found.problem is not None:
            self.problems.append(f"{found.where}: {found.problem}")
            return
        try:
            document = parse_report_document(found.content, found.where)
        except DocumentError as error:
            self.problems += error.problems
            return
        try:
            self._check_namespace(document.namespace)
            contribution = self._contribution(document, found.content is not document)
            change = self._change(document.key, contribution, verdict)
        except DocumentError as error:
            self.problems += [f"{found.where}: {problem}" for problem in error.problems]
        except PipestatError as error:
            self.problems.append(f"{found.where}: {error}")
        else:
            self.records.setdefault(document.key, []).append((contribution, change))
            if verdict:
                self.verdicts[document.key] = contribution

    def changes(self) -> list[tuple[RecordKey, Change]]:
        """Return one change for each record, and forget what the documents said."""
        made = []
        for key in list(self.records):
            items = self.records.pop(key)
            made.append((key, items[0][1] if len(items) == 1 else self._folded(key, items)))
        return made

    def _folded(self, key: RecordKey, items: list[tuple[Contribution, Change]]) -> Change:
        folded = fold(contribution for contribution, _ in items)
        verdict = self.verdicts.get(key)
        if verdict is None:
            return self._change(key, folded)
        of_pipeline = fold(c for c, _ in items if c is not verdict)
        if verdict.status == _COMPLETED and of_pipeline.status not in _WORDS_OF_ENGINES:
            return self._change(key, replace(of_pipeline, source=verdict.source))
        folded = replace(
            folded,
            status=verdict.status,
            status_message=verdict.status_message,
            status_time=verdict.status_time,
            source=verdict.source,
        )
        return self._change(key, folded, is_verdict=True)

    def _check_namespace(self, namespace: str | None) -> None:
        if namespace is not None and namespace != self._store.namespace:
            raise PipestatDataError(
                f"namespace {shorten(namespace)!r} is not that of the store, "
                f"{shorten(self._store.namespace)!r}",
                hint=f"ingest it with the pipeline name {shorten(namespace)!r}",
                namespace=namespace,
            )

    def _contribution(self, document: ReportDocument, is_own: bool) -> Contribution:
        """Return what a document says; `is_own` where nobody can have changed it since."""
        results = values_of(document, self._store.rules)
        if self._prefixes:
            results = map_paths(
                results, self._store.rules.level_schema(document.level), self._prefixes
            )
        elif is_own and not document.texts:
            results = CanonicalResults(results)
        attempt = document.source.attempt if document.source else None
        return Contribution(
            results,
            document.status,
            document.status_message,
            document.source_dict(),
            attempt or 0,
            document.time,
            document.time,
        )

    def _change(
        self, key: RecordKey, contribution: Contribution, is_verdict: bool = False
    ) -> Change:
        change = self._report(key, contribution)
        if not (is_verdict and contribution.status == _COMPLETED):
            return change
        results = self._report(key, replace(contribution, status=None, status_message=None))

        def unless_own_word(
            current: Record | None, foreign: Mapping[str, JSONValue] = NOTHING, /
        ) -> Outcome:
            own = current is not None and current.status not in _WORDS_OF_ENGINES
            return (results if own else change)(current, foreign)

        return unless_own_word

    def _report(self, key: RecordKey, contribution: Contribution) -> Change:
        return self._store.rules.report(
            key,
            contribution.results,
            overwrite=self._overwrite,
            status=contribution.status,
            status_message=contribution.status_message,
            status_time=contribution.status_time,
            source=contribution.source,
        )


class _Writer:
    """Applies all changes at once; keeps the conflicts, by the number of the change."""

    def __init__(
        self,
        store: Store,
        todo: list[tuple[RecordKey, Change]],
        keep_going: bool,
        progress: Progress | None,
    ) -> None:
        self._progress = progress
        self.todo = todo
        self.changed = 0
        self.conflicts: dict[int, ResultConflictError] = {}
        self._store = store
        self._keep_going = keep_going

    def write(self, check_first: bool) -> None:
        # The same method for all of them, which may be very many.
        watch = self._watch
        watched: list[tuple[RecordKey, Change]] = [
            (key, partial(watch, number, change)) for number, (key, change) in enumerate(self.todo)
        ]
        if check_first and Capability.ATOMIC_BATCH not in self._store.backend.capabilities:
            # Such a store makes one change after the other: a late refusal undoes no early one.
            self._store.rehearse(watched)
        done = self._store.apply(watched) if watched else []
        self.changed = sum(before is not after for before, after in done)

    def _watch(
        self,
        number: int,
        change: Change,
        current: Record | None,
        foreign: Mapping[str, JSONValue] = NOTHING,
        /,
    ) -> Outcome:
        """Make one change, and keep its conflict."""
        self.conflicts.pop(number, None)
        if self._progress is not None:
            self._progress("storing", number + 1)
        try:
            outcome = change(current, foreign)
        except ResultConflictError as error:
            self.conflicts[number] = error
            outcome = Outcome(current)
        # All are looked at, so that the last one can refuse the batch naming every conflict.
        if number == len(self.todo) - 1 and self.conflicts and not self._keep_going:
            raise _conflict(list(self.conflicts.values()))
        return outcome


def _conflict(errors: list[ResultConflictError]) -> ResultConflictError:
    if len(errors) == 1:
        return errors[0]
    problems = [error.message for error in errors]
    return ResultConflictError(
        "\n".join((f"{len(errors)} records differ", *problems)),
        hint=errors[0].hint,
        problems=problems,
    )
