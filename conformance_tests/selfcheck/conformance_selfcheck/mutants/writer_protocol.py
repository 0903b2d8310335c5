"""Mutants of spec/writers.md: how a shared file is changed.

Those that trials catch bring a writer of their own, which is right but for its fault.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance_selfcheck.mutants.moments import replaced, until
from conformance_selfcheck.mutants.mutation import Call, operation
from conformance_selfcheck.mutants.yaml_documents import dump, load
from conformance_selfcheck.mutants.yaml_store import put, results_files, text_of

_WRITING = "report report_many set_status remove clear_status"


def _lock_file(call: Call) -> Path:
    return call.path.parent / f".{call.path.name}.lock"


@operation("PS-WRT-001", backend="yaml", on=_WRITING)
def links_replaced_by_files(call: Call) -> Any:
    """A symbolic link to the results file is replaced by a file."""
    links = {
        path: os.readlink(path) for path in results_files(call.session.place) if path.is_symlink()
    }
    before = {path: path.read_bytes() for path in links}
    answer = call.go()
    for path, target in links.items():
        text = text_of(path)
        (path.parent / target).write_bytes(before[path])
        put(path, text)
    return answer


@operation("PS-WRT-013", backend="yaml", on=_WRITING)
def mode_of_a_new_file(call: Call) -> Any:
    """A file that is written has the mode of a new one."""
    answer = call.go()
    for path in results_files(call.session.place):
        path.chmod(0o644)
    return answer


@operation("PS-WRT-014", backend="yaml", on=_WRITING)
def backup_left(call: Call) -> Any:
    """A copy of the former file is left beside it."""
    for path in results_files(call.session.place):
        shutil.copy(path, f"{path}.bak")
    return call.go()


@operation("PS-WRT-004", backend="yaml", on=_WRITING)
def lock_file_deleted(call: Call) -> Any:
    """A writer deletes the lock file when it is done."""
    answer = call.go()
    _lock_file(call).unlink(missing_ok=True)
    return answer


@operation("PS-WRT-006", backend="yaml", on="retrieve value records count")
def leftover_taken_for_the_file(call: Call) -> Any:
    """A reader that finds the file of an interrupted writer puts it in place."""
    leftover = call.path.parent / f".{call.path.name}.tmp"
    if leftover.exists():
        os.replace(leftover, call.path)
    return call.go()


@operation("PS-WRT-015", backend="yaml", on="set_status")
def leftover_beside_the_flags(call: Call) -> Any:
    """A status change leaves the temporary file that it finds."""
    leftover = call.path.parent / f".{call.path.name}.tmp"
    content = leftover.read_bytes() if leftover.exists() else None
    answer = call.go()
    if content is not None:
        leftover.write_bytes(content)
    return answer


def written_by(
    call: Call,
    lock: AbstractContextManager[Any],
    replace: Callable[..., Any],
    patience: float = 1.0,
) -> None:
    """Make a report to a `records` file: lock, read, change, replace.

    Another writer has so much time to come in between, if it can.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with lock:
        others = replaced(call.path)
        document = (load(text_of(call.path)) if call.path.exists() else None) or {}
        records = document.setdefault(call.store.namespace, {})
        record = records.setdefault(call.key.identifier, {})
        meta = {"created": now, **record.pop("meta", {}), "modified": now}
        for name, value in call.values.items():
            if name in record and record[name] != value:
                meta.setdefault("history", {}).setdefault(name, {})[now] = record[name]
            record[name] = value
        record["meta"] = meta
        until(others, patience)
        replace(call.path, dump(document))


@contextmanager
def locked(path: Path, call: Callable[[Any, int], Any] = fcntl.flock) -> Iterator[None]:
    """Hold a lock as PS-WRT-002 asks for it, by `flock` or by another call."""
    with open(path, "a+b") as file:
        call(file, fcntl.LOCK_EX)
        yield


@operation("PS-WRT-002", backend="yaml", on="report", trials=("trial.mixed.writers",))
def another_lock_file(call: Call) -> None:
    """The lock is on a file of another name: two programs do not see each other."""
    written_by(call, locked(call.path.parent / f"{call.path.name}.lock"), put)


@operation("PS-WRT-003", backend="yaml", on="report", trials=("trial.mixed.writers",))
def posix_record_lock(call: Call) -> None:
    """The lock is a POSIX record lock, which excludes nobody who uses `flock`."""
    written_by(call, locked(_lock_file(call), fcntl.lockf), put)


@operation("PS-WRT-009", backend="yaml", on="report", trials=("trial.mixed.writers",))
def read_before_the_lock(call: Call) -> None:
    """What is changed was read before the lock was taken."""

    def replace(path: Path, text: str) -> None:
        with locked(_lock_file(call)):
            put(path, text)

    written_by(call, nullcontext(), replace)


@operation("PS-WRT-009", backend="yaml", on="report", trials=("trial.mixed.writers",))
def file_rewritten_in_place(call: Call) -> None:
    """The file is written in place: readers find half of it (PS-WRT-012)."""

    def replace(path: Path, text: str) -> None:
        half = len(text) // 2
        with open(path, "w", encoding="utf-8") as file:
            file.write(text[:half])
            file.flush()
            time.sleep(0.1)
            file.write(text[half:])

    written_by(call, locked(_lock_file(call)), replace, patience=0)
