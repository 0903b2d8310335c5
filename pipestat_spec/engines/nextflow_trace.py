"""The status of each record from the trace that Nextflow writes (docs/nextflow.md).

A trace has a row for each attempt of each task. The tasks of one record together decide its
status: failed when one failed for good, running while one runs, waiting while none has
started, and else completed.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipestat_spec.documents.files import SourcedDocument
from pipestat_spec.documents.report import REPORT_DOCUMENT_VERSION
from pipestat_spec.engines.record_expression import RecordExpression
from pipestat_spec.errors import PipestatError
from pipestat_spec.text.strings import nearest, shorten
from pipestat_spec.text.unreadable import UnreadableText, decode

__all__ = ["read_trace"]

# Columns that a trace has to have, and those that make the most of it.
_NEEDED = ("process", "status", "attempt", "hash")
_FIELDS = ("process", "tag", "name", "status", "exit", "attempt", "hash")
# Columns that Nextflow can write and that might name a record.
_OTHER_FIELDS = {*_FIELDS, "task_id", "native_id", "workdir", "queue", "container"}
# What Nextflow writes where a task has no such value.
_NOTHING = ("-", "")
_STATUS = {
    "NEW": "waiting",
    "SUBMITTED": "waiting",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "CACHED": "completed",
    "FAILED": "failed",
    "ABORTED": "failed",
}
_WORST_FIRST = ("failed", "running", "waiting", "completed")


@dataclass(frozen=True, slots=True)
class _Row:
    """One attempt of one task."""

    record: str
    task: tuple[str, str]
    state: str
    attempt: int
    columns: Mapping[str, str]

    @property
    def status(self) -> str:
        return _STATUS[self.state]


def read_trace(
    path: str | os.PathLike[str], record: RecordExpression, run: str | None = None
) -> Iterator[SourcedDocument]:
    """Yield a report document with the status of each record, or what is wrong with the file.

    The record of a task is the expression `record` filled with the columns of its row; a task that
    lacks one of them, such as one without a tag, belongs to no record. `run` names the run
    in the source of the records.
    """
    name = shorten(str(path), 4096)
    try:
        lines = decode(Path(path).read_bytes()).split("\n")
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        yield SourcedDocument(name, problem=f"cannot be read: {reason}")
        return
    except UnreadableText as error:
        yield SourcedDocument(name, problem=error.problem)
        return
    header = lines[0].rstrip("\r").split("\t")
    problem = _header_problem(header, record)
    if problem is not None:
        yield SourcedDocument(name, problem=problem)
        return
    rows: dict[str, list[_Row]] = defaultdict(list)
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        found = _read_row(header, line.rstrip("\r"), record)
        if isinstance(found, str):
            yield SourcedDocument(name, problem=f"line {number}: {found}")
        elif found is not None:
            rows[found.record].append(found)
    for identifier, of_record in rows.items():
        where = f"{name}: record {shorten(identifier)!r}"
        yield SourcedDocument(where, _document(of_record, run))


def _header_problem(header: list[str], record: RecordExpression) -> str | None:
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        return f"the column {shorten(twice[0])!r} stands twice in the first line"
    missing = [column for column in (*_NEEDED, *record.names) if column not in header]
    if not missing:
        return None
    if header == [""]:
        return "the file is empty; was the run stopped?"
    unknown = [column for column in missing if column not in _OTHER_FIELDS]
    if unknown:
        near = nearest(unknown[0], header)
        hint = f"did you mean {near!r}?" if near else f"it has {', '.join(header)}"
        return f"the trace has no column {shorten(unknown[0])!r}; {shorten(hint, 400)}"
    fields = ",".join(dict.fromkeys((*_FIELDS, *record.names)))
    return (
        f"the trace has no column {' and no column '.join(map(repr, dict.fromkeys(missing)))}; "
        f"put into nextflow.config: trace.fields = '{fields}'"
    )


def _read_row(header: list[str], line: str, record: RecordExpression) -> _Row | str | None:
    """Return a row, None when its task belongs to no record, or what is wrong with it."""
    values = line.split("\t")
    if len(values) != len(header):
        return (
            f"{len(values)} columns, not {len(header)}; was the run stopped, "
            "or does a tag hold a tab or a line break?"
        )
    columns = dict(zip(header, values, strict=True))
    state, attempt = columns["status"], columns["attempt"]
    if state not in _STATUS:
        return f"{shorten(state)!r} is not a status of a task; known are {', '.join(_STATUS)}"
    if not (attempt.isascii() and attempt.isdecimal() and 0 < int(attempt) < 2**63):
        return f"the attempt {shorten(attempt)!r} is not a number from 1"
    said = {column: text for column, text in columns.items() if text not in _NOTHING}
    try:
        identifier = record.fill(said)
    except PipestatError as error:
        return str(error)
    if identifier is None:
        return None
    task = columns["process"], columns.get("name") or columns.get("tag") or ""
    return _Row(identifier, task, state, int(attempt), columns)


def _document(rows: list[_Row], run: str | None) -> dict[str, Any]:
    last = _deciding(rows)
    source: dict[str, Any] = {
        "engine": "nextflow",
        "process": last.columns["process"],
        "attempt": last.attempt,
        "hash": last.columns["hash"],
    }
    if run is not None:
        source["run"] = run
    document = {
        "pipestat_report": REPORT_DOCUMENT_VERSION,
        "record_identifier": last.record,
        "status": last.status,
        "source": source,
    }
    if last.status == "failed":
        document["status_message"] = _message(last)
    elif last.status == "waiting" and any(row.status == "completed" for row in rows):
        # Some of its tasks are done: the record is under way.
        document["status"] = "running"
    return document


def _deciding(rows: list[_Row]) -> _Row:
    """Return the row that decides: of the worst status, the last one in the file."""
    counting = [*_failed_for_good(rows), *(row for row in rows if row.status != "failed")]
    worst = min((row.status for row in counting), key=_WORST_FIRST.index)
    return [row for row in counting if row.status == worst][-1]


def _failed_for_good(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Yield the failed attempts that no later attempt followed.

    Several tasks may bear one name. Then so many of them failed for good as attempts failed
    that no attempt of the next number stands for; what was cached followed no failure.
    """
    tasks: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        tasks[row.task].append(row)
    for of_task in tasks.values():
        later = Counter(row.attempt for row in of_task if row.state != "CACHED")
        failed = defaultdict(list)
        for row in of_task:
            if row.status == "failed":
                failed[row.attempt].append(row)
        for attempt, of_attempt in failed.items():
            yield from of_attempt[later[attempt + 1] :]


def _message(row: _Row) -> str:
    state = "was stopped" if row.state == "ABORTED" else "failed"
    parts = [f"{row.columns['process']} {state}"]
    code = row.columns.get("exit", "-")
    if code not in _NOTHING:
        parts.append(f"exit code {code}")
    if row.attempt > 1:
        parts.append(f"attempt {row.attempt}")
    return ", ".join(parts)
