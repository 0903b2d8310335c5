"""The gate: is each mutant caught by the rules that it breaks, through both drivers?

A vector catches a mutant when it fails there and passes on the correct implementation
that the mutant is made of.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

from pipestat_conformance.claims import probes, with_needed
from pipestat_conformance.drivers import Driver, Hello
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.executor import Executor
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import run, skip_reason
from pipestat_conformance.stores import StoreFactory, default_store, template
from pipestat_conformance.targets import find_target
from pipestat_conformance.targets.target import Target
from pipestat_conformance.vectors import Vector, load_vectors
from pipestat_conformance.verdicts import Result, Verdict, worst

from conformance_selfcheck.mutants import Mutant
from conformance_selfcheck.mutants.sql_target import NAME, SqliteTarget
from conformance_selfcheck.serve import Mutants

__all__ = ["Caught", "Gate", "program_of"]


@dataclass(frozen=True)
class Caught:
    """What one driver says of one rule that a mutant breaks.

    `verdict` is that of the rule; `by` are the vectors or trials that caught the mutant.
    """

    requirement: str
    verdict: Verdict
    by: tuple[str, ...]


def _stores(on: str) -> StoreFactory:
    return template(default_store("sql" if on == NAME else on))


def _right(on: str) -> Target:
    """Return the correct implementation that mutants are made of."""
    return SqliteTarget() if on == NAME else find_target(on)


@cache
def _by_id() -> Mapping[str, Vector]:
    return {vector.id: vector for vector in load_vectors()}


# For one answer: what takes so long hangs, on however busy a machine.
_SECONDS = 600
# The command that serves any target as a program.
SERVE = (sys.executable, "-m", "conformance_selfcheck.serve")


def program_of(name: str, serve: Sequence[str] = SERVE) -> list[str]:
    """Return the command that serves a mutant as a program."""
    return [*serve, "--backend", name]


class Gate:
    """Runs vectors on mutants and on what they are made of; needs a folder of its own.

    `serve` is a command that does the same as `python -m conformance_selfcheck.serve`. In the end
    it is closed.
    """

    def __init__(self, folder: Path, serve: Sequence[str] = SERVE) -> None:
        self._folder = folder
        self._serve = serve
        self._numbers = count(1)
        self._right: dict[tuple[str, str], bool] = {}
        self._of_right: dict[str, Executor] = {}
        # Programs that are one mutant after the other, by what these claim.
        self._of_mutants: dict[tuple[str, Hello], Executor] = {}
        self._served = ""

    def close(self) -> None:
        """End the processes that served more than one mutant."""
        for executor in (*self._of_right.values(), *self._of_mutants.values()):
            executor.close()

    def _executor(self, driver: Driver, stores: StoreFactory) -> Executor:
        return Executor(driver, stores, self._folder / f"e{next(self._numbers)}")

    def _in_process(self, target: Target, serve: Sequence[str] = ()) -> InProcessDriver:
        store = {"path": str(self._folder / "probe" / "r.yaml")}
        return InProcessDriver(target, store, serve=serve)

    def _vectors(self, hello: Hello, requirements: Sequence[str]) -> list[Vector]:
        claimed = with_needed(hello.profiles)
        wanted = set(requirements)
        return [
            vector
            for vector in (*load_vectors(), *probes(hello.capabilities))
            if not wanted.isdisjoint(vector.requirements)
            and skip_reason(vector, hello, claimed) is None
        ]

    def is_right(self, on: str, vector: Vector) -> bool:
        """Tell whether the correct implementation passes a vector."""
        if (on, vector.id) not in self._right and not vector.id.startswith("probe."):
            if on not in self._of_right:
                driver = self._in_process(_right(on), program_of(on, self._serve))
                self._of_right[on] = self._executor(driver, _stores(on))
            result = self._of_right[on].run(vector)
            self._right[on, vector.id] = result.verdict is Verdict.PASS
        return self._right.get((on, vector.id), True)

    def in_process(self, mutant: Mutant, every: bool = False) -> list[Caught]:
        """Run all vectors of each rule that a mutant breaks, or those up to one that catches it.

        In the latter case 1 and 1.0 are one number, so that the same vector catches the
        program as well: over the protocol they cannot be told apart. And another process has a
        part in it only where the mutant is not caught without one: most need none.
        """
        serve = program_of(mutant.name, self._serve)
        if every:
            return self._run_in_process(mutant, serve, every=True)
        found = self._run_in_process(mutant, (), every=False)
        if all(caught.by for caught in found):
            return found
        return self._run_in_process(mutant, serve, every=False)

    def _run_in_process(self, mutant: Mutant, serve: Sequence[str], *, every: bool) -> list[Caught]:
        driver = self._in_process(mutant.make(), serve)
        driver.strict = every
        executor = self._executor(driver, _stores(mutant.on))
        vectors = self._vectors(driver.hello(), mutant.breaks)
        done: dict[str, Result] = {}
        for requirement in mutant.breaks:
            for vector in (v for v in vectors if requirement in v.requirements):
                if vector.id not in done:
                    done[vector.id] = executor.run(vector)
                if not every and self._catches(mutant, vector, done[vector.id]):
                    break
        executor.close()
        return [self._caught(mutant, requirement, done) for requirement in mutant.breaks]

    def as_program(self, mutant: Mutant, candidates: Sequence[str]) -> list[Caught]:
        """Run vectors that catch a mutant in process on the program, until one does so there."""
        hello = self._in_process(mutant.make()).hello()
        executor = self._program(mutant, replace(hello, name=Mutants.name))
        self._served = mutant.name
        vectors = [v for v in self._vectors(hello, mutant.breaks) if v.id in candidates]
        # Each reopening is a new process.
        vectors.sort(key=lambda v: sum(step.op == "reopen" for step in v.steps))
        done: dict[str, Result] = {}
        for requirement in mutant.breaks:
            for vector in (v for v in vectors if requirement in v.requirements):
                if vector.id not in done:
                    done[vector.id] = executor.run(vector)
                if done[vector.id].verdict is not Verdict.PASS:
                    break
        return [self._caught(mutant, requirement, done) for requirement in mutant.breaks]

    def _program(self, mutant: Mutant, hello: Hello) -> Executor:
        """Return the executor of a program that says of itself what the mutant would say.

        A process for each mutant would take longer than all that is asked of it.
        """
        key = mutant.on, replace(hello, capabilities=tuple(sorted(hello.capabilities)))
        if key not in self._of_mutants:
            asked = {**_stores(mutant.on)(self._folder, "asked"), "mutant": mutant.name}
            program = [*program_of(Mutants.name, self._serve), "--store", json.dumps(asked)]
            driver = SubprocessDriver(program, timeout=_SECONDS, hello=hello)
            stores = _stores(mutant.on)
            self._of_mutants[key] = self._executor(
                driver, lambda folder, name: {**stores(folder, name), "mutant": self._served}
            )
        return self._of_mutants[key]

    def in_trials(self, mutant: Mutant) -> list[Caught]:
        """Make the trials of a mutant, which only know programs."""
        program = program_of(mutant.name, self._serve)
        driver = SubprocessDriver(program, timeout=_SECONDS)
        options = RunOptions(driver, _stores(mutant.on), select=mutant.trials, vectors=())
        done = {result.id: result for result in run(options).results}
        return [self._caught(mutant, requirement, done) for requirement in mutant.breaks]

    def _catches(self, mutant: Mutant, vector: Vector, result: Result) -> bool:
        return result.verdict is Verdict.FAIL and self.is_right(mutant.on, vector)

    def _caught(self, mutant: Mutant, requirement: str, done: Mapping[str, Result]) -> Caught:
        own = [result for result in done.values() if requirement in result.requirements]
        vectors = _by_id()
        right = [
            result
            for result in own
            # What passes is right; only what fails is looked at twice.
            if result.verdict is not Verdict.FAIL
            or result.id not in vectors
            or self.is_right(mutant.on, vectors[result.id])
        ]
        by = tuple(result.id for result in right if result.verdict is Verdict.FAIL)
        return Caught(requirement, worst(result.verdict for result in right), by)
