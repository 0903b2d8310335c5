"""What the tests of the engine share: a small harness, and vectors of their own."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pipestat_conformance.drivers import Answer
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Vector, parse_vectors

from tests import patience

HARNESS = Path(__file__).with_name("tiny_harness.py")

REPORTED = {
    "id": "sample.reported",
    "requirements": ["PS-VAL-013"],
    "steps": [
        {"op": "report", "args": {"record": "s1", "values": {"n": 1, "text": "12:30"}}},
        {"op": "reopen"},
        {
            "op": "retrieve",
            "args": {"record": "s1"},
            "expect": {"result": {"n": 1, "text": "12:30"}},
        },
        {"op": "value", "args": {"record": "s1", "result": "n"}, "expect": {"result": 1}},
    ],
}
CONFLICT = {
    "id": "sample.conflict",
    "requirements": ["PS-RES-008", "PS-RES-001"],
    "steps": [
        {"op": "report", "args": {"record": "s1", "values": {"n": 1}}},
        {
            "op": "report",
            "args": {"record": "s1", "values": {"n": 2, "new": 3}},
            "expect": {"error": "conflict"},
        },
        {"op": "retrieve", "args": {"record": "s1"}, "expect": {"result": {"n": 1}}},
    ],
}


def tiny(fault: str = "", wrong: str = "", when: str = "op") -> list[str]:
    """Return the command of the small harness."""
    options = {"--fault": fault, "--wrong": wrong, "--when": when}
    given = [word for option, value in options.items() if value for word in (option, value)]
    return [sys.executable, "-S", str(HARNESS), *given]


def tiny_command(fault: str = "", wrong: str = "", when: str = "op") -> str:
    return shlex.join(tiny(fault, wrong, when))


class ImpatientAt(SubprocessDriver):
    """Waits a moment for the answer to one operation, or to `bye`, and long for all else.

    A program that hangs there is found soon, and no other that is slow on a busy machine.
    """

    def __init__(self, program: list[str], where: str, seconds: float = 5) -> None:
        super().__init__(program, timeout=patience.SECONDS)
        self._where = where
        self._seconds = seconds

    @contextmanager
    def _at(self, where: str) -> Iterator[None]:
        if where == self._where:
            self.timeout = self._seconds
        try:
            yield
        finally:
            self.timeout = patience.SECONDS

    def perform(self, op: str, args: Mapping[str, Any]) -> Answer:
        with self._at(op):
            return super().perform(op, args)

    def end(self) -> None:
        with self._at("bye"):
            super().end()


def vector(document: dict[str, Any]) -> Vector:
    return parse_vectors(document, "test")[0]


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[[Target], Executor]:
    """Return an executor for a target in this process."""

    def make(target: Target) -> Executor:
        store = {"path": str(tmp_path / "probe.yaml")}
        return Executor(InProcessDriver(target, store), template(default_store()), tmp_path)

    return make


@pytest.fixture
def out_of_process(tmp_path: Path) -> Iterator[Callable[[list[str]], Executor]]:
    """Return an executor for a program; its processes are ended with the test.

    `hangs_at` is the operation, or `bye`, that may never be answered.
    """
    drivers: list[SubprocessDriver] = []

    def make(command: list[str], hangs_at: str = "") -> Executor:
        drivers.append(ImpatientAt(command, hangs_at))
        return Executor(drivers[-1], template(default_store()), tmp_path)

    yield make
    for driver in drivers:
        driver.abandon()
