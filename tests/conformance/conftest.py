"""What the tests of the engine share: a small harness, and vectors of their own."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Vector, parse_vectors

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
    """Return an executor for a program; its processes are ended with the test."""
    drivers: list[SubprocessDriver] = []

    def make(command: list[str], timeout: float = 30.0) -> Executor:
        drivers.append(SubprocessDriver(command, timeout=timeout))
        return Executor(drivers[-1], template(default_store()), tmp_path)

    yield make
    for driver in drivers:
        driver.abandon()
