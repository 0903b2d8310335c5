"""Mutants of section 8: how a shared file is changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipestat_conformance.mutants.mutation import (
    Call,
    MutantTarget,
    inner_target,
    operation,
    register,
)
from pipestat_conformance.mutants.yaml_store import results_files
from pipestat_conformance.targets import Target


@operation("PS-WRT-014", backend="yaml", on="report set_status remove clear_status")
def backup_left(call: Call) -> Any:
    """A copy of the former file is left beside it."""
    for path in results_files(call.session.place):
        shutil.copy(path, f"{path}.bak")
    return call.go()


def replacing(*breaks: str, name: str, trials: tuple[str, ...]) -> Callable[[Any], Any]:
    """Make a mutant whose `LocalFile` has another method of this name."""

    def enter(method: Any) -> Any:
        def fault(call: Call) -> Any:
            with _replaced(name, method):
                return call.go()

        def make(title: str) -> Target:
            return MutantTarget(title, inner_target("yaml"), fault)

        register(method, breaks, make, "yaml", trials)
        return method

    return enter


@contextmanager
def _replaced(name: str, method: Any) -> Iterator[None]:
    from pipestat_yaml.local_file import LocalFile

    right = getattr(LocalFile, name)
    setattr(LocalFile, name, method)
    try:
        yield
    finally:
        setattr(LocalFile, name, right)


@replacing("PS-WRT-002", "PS-WRT-009", name="locked", trials=("trial.mixed.writers",))
@contextmanager
def another_lock_file(self: Any) -> Iterator[None]:
    """The lock is on a file of another name: the two programs do not see each other."""
    with _locked(f"{self.path}.lock"):
        yield


@replacing("PS-WRT-003", name="locked", trials=("trial.mixed.writers",))
@contextmanager
def posix_record_lock(self: Any) -> Iterator[None]:
    """The lock is a POSIX record lock, which excludes nobody who uses `flock`."""
    import fcntl

    folder, name = os.path.split(os.path.realpath(self.path))
    with open(os.path.join(folder, f".{name}.lock"), "a+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _locked(path: str) -> Iterator[None]:
    import fcntl

    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
