"""Files of report documents: finding them, and reading their JSON (spec/documents.md)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipestat_spec.errors import DocumentError
from pipestat_spec.text.json_reader import read_json
from pipestat_spec.text.strings import shorten
from pipestat_spec.text.unreadable import UnreadableText, decode, system_reason

__all__ = ["SourcedDocument", "find_documents", "read_documents"]

_ENDINGS = (".pipestat.json", ".pipestat.jsonl")


@dataclass(frozen=True, slots=True)
class SourcedDocument:
    """A document, not checked yet, with its place; or the problem that stands there."""

    where: str
    content: object = None
    problem: str | None = None


def find_documents(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the files of report documents among and below `paths`, in the order of folding.

    Folders are searched for `*.pipestat.json` and `*.pipestat.jsonl`, in code-point order,
    symbolic links followed and no folder twice. Files are taken whatever their name is. A
    path that cannot be searched stands in the list too: reading it tells why.
    """
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for path in map(Path, paths):
        found += _search(path, seen) if os.path.isdir(path) else [path]
    return found


def _search(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.is_dir():
            yield from _search(folder / entry.name, seen)
        elif entry.name.endswith(_ENDINGS) and (entry.is_file() or entry.is_symlink()):
            yield folder / entry.name


def read_documents(path: Path) -> Iterator[SourcedDocument]:
    """Yield the documents of one file, one for each line when its name ends in `.jsonl`."""
    name = shorten(str(path), 4096)
    try:
        text = decode(path.read_bytes())
        if path.name.endswith(".jsonl"):
            yield from _read_lines(text, name)
            return
        content = _parse_json(text)
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError)
        reason = "there is no such file" if is_missing else system_reason(error)
        yield SourcedDocument(name, problem=f"cannot be read: {reason}")
    except UnreadableText as error:
        yield SourcedDocument(name, problem=error.problem)
    except DocumentError as error:
        yield SourcedDocument(name, problem=str(error))
    else:
        if isinstance(content, list):
            for number, item in enumerate(content, 1):
                yield SourcedDocument(f"{name}: document {number}", item)
        else:
            yield SourcedDocument(name, content)


def _read_lines(text: str, name: str) -> Iterator[SourcedDocument]:
    for number, line in enumerate(_lines(text), 1):
        if line.strip():
            try:
                yield SourcedDocument(f"{name}: line {number}", _parse_json(line, number))
            except DocumentError as error:
                yield SourcedDocument(f"{name}: line {number}", problem=str(error))


def _lines(text: str) -> Iterator[str]:
    """Yield what stands between the line feeds; a file may be large, so lines are not kept."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _parse_json(text: str, line: int | None = None) -> object:
    """Return what JSON says; raises DocumentError with line and column."""
    if not text.strip():
        raise DocumentError("the file is empty", hint="was the job that wrote it stopped?")
    try:
        return read_json(text)
    except UnreadableText as error:
        if error.line is None:
            raise DocumentError(error.problem, hint=error.hint) from None
        place = f"column {error.column}: {error.problem}" if line else str(error)
        hint = None
        if error.problem == "extra data":
            hint = "put several documents into an array, or one a line into a file *.pipestat.jsonl"
        raise DocumentError(f"not JSON: {place}", hint=hint) from None
