"""Mutants of the YAML backend: files that are changed after a writer, or before a reader.

@written("PS-YAML-018")
def single_quotes(text): ...       # what a writer has written -> what it would write

@reading("PS-YAML-022")
def times_are_text(text): ...      # what a file holds -> what the reader takes it for
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Opening

from conformance_selfcheck.mutants.mutation import (
    Call,
    Fault,
    MutantTarget,
    inner_target,
    register,
)
from conformance_selfcheck.mutants.yaml_documents import dump, load

__all__ = [
    "PLACEHOLDER",
    "each_record",
    "put",
    "reading",
    "replace_texts",
    "results_files",
    "text_of",
    "without_trailer",
    "written",
]

PLACEHOLDER = "{record_identifier}"
_TRAILER = re.compile(r"^# pipestat-spec: .*\n?\Z", re.MULTILINE)
TextFault = Callable[[str], str]


def results_files(store: Mapping[str, Any]) -> list[Path]:
    """Return the results files of a store that exist."""
    path: str = store["path"]
    if PLACEHOLDER not in path:
        return [Path(path)] if Path(path).is_file() else []
    folder = Path(os.path.dirname(path.partition(PLACEHOLDER)[0]))
    return sorted(folder.rglob(f"*{Path(path).suffix}"))


def text_of(path: Path) -> str:
    """Return a file's text; bytes that are no UTF-8 survive."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def put(path: Path, text: str) -> None:
    """Replace a file."""
    temporary = path.parent / f"{path.name}.mutant"
    temporary.write_bytes(text.encode("utf-8", "surrogateescape"))
    os.replace(temporary, path)


def replace_texts(store: Mapping[str, Any], change: TextFault) -> None:
    """Change the text of each results file that exists."""
    for path in results_files(store):
        before = text_of(path)
        after = change(before)
        if after != before:
            put(path, after)


def without_trailer(text: str) -> str:
    """Return the text without the trailer of PS-YAML-030."""
    return _TRAILER.sub("", text)


def each_record(text: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """Return the text with each record of it changed, `meta` included."""
    document = load(text)
    if not isinstance(document, dict):
        return text
    return dump({name: _records(value, change) for name, value in document.items()})


def _records(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() <= {"sample", "project"}:
        return {level: _records({"": None, **(r or {})}, change) for level, r in value.items()}
    found = {name: change(r) if isinstance(r, dict) else r for name, r in value.items()}
    if "" in found and found[""] is None:
        del found[""]
    return found


def written(*breaks: str, on: str = "") -> Callable[[TextFault], TextFault]:
    """Make a mutant that writes its files as the function makes them; without trailer."""

    def enter(change: TextFault) -> TextFault:
        def fault(call: Call) -> Any:
            store = call.session.place
            before = {path: path.read_bytes() for path in results_files(store)}
            answer = call.go()
            for path in results_files(store):
                if path.read_bytes() != before.get(path):
                    put(path, change(without_trailer(text_of(path))))
            return answer

        register(change, breaks, _maker(fault, on), "yaml")
        return change

    return enter


def reading(*breaks: str) -> Callable[[TextFault], TextFault]:
    """Make a mutant that takes a file for what the function makes of it."""

    def enter(change: TextFault) -> TextFault:
        def fault(call: Call) -> Any:
            replace_texts(call.session.place, change)
            return call.go()

        def opening(opening: Opening, store: Mapping[str, Any]) -> Opening:
            replace_texts(store, change)
            return opening

        def make(name: str) -> Target:
            return MutantTarget(name, inner_target("yaml"), fault, opening=opening)

        register(change, breaks, make, "yaml")
        return change

    return enter


def _maker(fault: Fault, on: str) -> Callable[[str], Target]:
    return lambda name: MutantTarget(name, inner_target("yaml"), fault, tuple(on.split()))
