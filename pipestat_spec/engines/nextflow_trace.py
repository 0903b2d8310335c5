"""The status of each record from the trace that Nextflow writes (docs/nextflow.md).

A trace has a row for each attempt of each task. The tasks of one record together decide its
status: failed when one failed for good, running while one runs, waiting while none has
started, and else completed. A task that was never made has no row: whether a record is completed is
known only from the end of the run, or from the process that comes last.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pipestat_spec.documents.files import SourcedDocument
from pipestat_spec.documents.report import REPORT_DOCUMENT_VERSION
from pipestat_spec.engines.record_expression import RecordExpression
from pipestat_spec.errors import PipestatError
from pipestat_spec.text.strings import nearest, shorten
from pipestat_spec.text.unreadable import UnreadableText, decode

__all__ = ["RunEnd", "chosen_records", "read_trace"]

# Columns that a trace has to have, and those that make the most of it.
_NEEDED = ("process", "status", "hash")
# `NFCORE:ALIGN (s1)`, which has what a trace without the columns `process` and `tag` lacks.
_NAME = re.compile(r"(?P<process>[^ ]+)(?: \((?P<tag>.*)\))?", re.DOTALL)
_HASH = re.compile(r"[0-9a-f]{2}/[0-9a-f]+")
# The column that holds line breaks and tabs as they are.
_SCRIPT = "script"
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

    record: str | None
    task: tuple[str, str]
    state: str
    attempt: int
    columns: Mapping[str, str]

    @property
    def status(self) -> str:
        return _STATUS[self.state]


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How the run ended, as far as it is known.

    A record is completed when a task of `last_process` is; without one when the run ended with
    `exit_code` 0, or when that is not known and no task of the run failed or was left open.
    """

    exit_code: int | None = None
    last_process: str | None = None

    def completes(self, of_record: Iterable[_Row], whole: bool) -> bool:
        """Tell whether a record whose tasks have all finished is completed."""
        if self.last_process is not None:
            names = {row.columns["process"] for row in of_record}
            last = self.last_process
            return any(name == last or name.endswith(f":{last}") for name in names)
        return whole if self.exit_code is None else self.exit_code == 0


def chosen_records(text: str) -> Callable[[str], bool]:
    """Return what tells records from other tags: a file that names them, or a pattern.

    A file has a record in the first column of each line, as a sample sheet does.
    """
    if not os.path.isfile(text):
        return lambda identifier: fnmatchcase(identifier, text)
    lines = decode(Path(text).read_bytes()).splitlines()
    names = {row[0] for row in csv.reader(line.replace("\t", ",", 1) for line in lines) if row}
    return names.__contains__


def read_trace(
    path: str | os.PathLike[str],
    record: RecordExpression,
    run: str | None = None,
    *,
    end: RunEnd | None = None,
    chosen: Callable[[str], bool] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[SourcedDocument]:
    """Yield a report document with the status of each record, or what is wrong with the file.

    The record of a task is the expression `record` filled with the columns of its row; a task that
    lacks one of them, such as one without a tag, belongs to no record, nor does one that is not
    `chosen`. `run` names the run in the source of the records.
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
    known = [*header, "process", "tag"] if "name" in header else header
    problem = _header_problem(header, known, record)
    if problem is not None:
        yield SourcedDocument(name, problem=problem)
        return
    rows: dict[str | None, list[_Row]] = defaultdict(list)
    failures: Counter[str] = Counter()
    for number, values in _split_rows(header, lines[1:]):
        found = _read_row(header, values, record, failures)
        if isinstance(found, str):
            yield SourcedDocument(name, problem=f"line {number}: {found}")
        else:
            is_chosen = found.record is not None and (chosen is None or chosen(found.record))
            rows[found.record if is_chosen else None].append(found)
    of_nobody = rows.pop(None, [])
    if not rows and of_nobody:
        warn(f"{name}: no task is about a record")
    whole = all(
        _deciding(group).status == "completed" for group in (*rows.values(), of_nobody) if group
    )
    held = 0
    for identifier, of_record in rows.items():
        where = f"{name}: record {shorten(str(identifier))!r}"
        document = _document(of_record, run)
        if document["status"] == "completed" and not (end or RunEnd()).completes(of_record, whole):
            document["status"] = "waiting"
            held += 1
        yield SourcedDocument(where, document)
    if held and (end is None or end == RunEnd()):
        warn(
            f"{name}: the run may have been stopped before it made all tasks; {held} records whose "
            "tasks have finished are 'waiting'. Say --run-exit CODE with Nextflow's exit code, or "
            "--complete-when PROCESS"
        )


def _split_rows(header: list[str], lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the values of each row and the number of its first line.

    A script goes over several lines: a row ends where the next one has a hash in its place.
    """
    lines = [line.rstrip("\r") for line in lines]
    script = header.index(_SCRIPT) if _SCRIPT in header else None
    if script is None or "hash" not in header[:script]:
        yield from ((n, line.split("\t")) for n, line in enumerate(lines, 2) if line.strip())
        return
    place = header.index("hash")
    starts = [
        number
        for number, line in enumerate(lines)
        if len(values := line.split("\t")) > script and _HASH.fullmatch(values[place])
    ]
    after = len(header) - script - 1
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        *before, rest = "\n".join(lines[start:stop]).rstrip("\n").split("\t", script)
        yield start + 2, [*before, *(rest.rsplit("\t", after) if after else [rest])]


def _header_problem(header: list[str], known: list[str], record: RecordExpression) -> str | None:
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        return f"the column {shorten(twice[0])!r} stands twice in the first line"
    missing = [column for column in (*_NEEDED, *record.names) if column not in known]
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


def _read_row(
    header: list[str], values: list[str], record: RecordExpression, failures: Counter[str]
) -> _Row | str:
    """Return a row, or what is wrong with it; `failures` counts those of each name so far.

    Without a column `attempt` rows of one name are taken for the attempts of one task.
    """
    if len(values) != len(header):
        return (
            f"{len(values)} columns, not {len(header)}; was the run stopped, "
            "or does a tag hold a tab or a line break?"
        )
    columns = dict(zip(header, values, strict=True))
    named = _NAME.fullmatch(columns.get("name", ""))
    for column in ("process", "tag"):
        if column not in columns and named is not None:
            columns[column] = named[column] or "-"
    name = columns.get("name") or columns.get("tag") or ""
    state = columns["status"]
    attempt = columns.setdefault("attempt", str(1 + failures[name]))
    failures[name] += state == "FAILED"
    if state not in _STATUS:
        return f"{shorten(state)!r} is not a status of a task; known are {', '.join(_STATUS)}"
    if not (attempt.isascii() and attempt.isdecimal() and 0 < int(attempt) < 2**63):
        return f"the attempt {shorten(attempt)!r} is not a number from 1"
    said = {column: text for column, text in columns.items() if text not in _NOTHING}
    try:
        identifier = record.fill(said)
    except PipestatError as error:
        return str(error)
    task = columns.get("process", ""), name
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
