"""Trials: what can only be tried with processes, again and again (spec/core.md).

An acknowledgement is a line of the protocol, so they work in every language; a backend in
Python is served as a program. A SIGKILL does not prove that data survives a power failure.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipestat_conformance.drivers import HarnessError, Hello, VectorFailed
from pipestat_conformance.interchange.databases import dialect_of
from pipestat_conformance.interchange.tables import NO_DATABASE
from pipestat_conformance.options import RunOptions
from pipestat_conformance.trials import concurrency, kill, mixed, new_database
from pipestat_conformance.trials.pool import Pool, Stage, Told
from pipestat_conformance.verdicts import Problem, Result, Verdict

__all__ = ["ALL", "Trial", "TrialKind", "planned"]


@dataclass(frozen=True)
class TrialKind:
    """One trial: its profile, its rules, the function that makes it, and what it cannot do without.

    `needs` are capabilities.
    """

    profile: str
    requirements: tuple[str, ...]
    make: Callable[[Stage], Told]
    needs: tuple[str, ...] = ()
    with_schema: bool = False


ALL: Mapping[str, TrialKind] = {
    **{
        f"trial.writers.{name}.n{number}": TrialKind(
            "concurrent-writers",
            ("PS-GUA-002", "PS-GUA-003"),
            concurrency.trial(scenario, number),
            scenario.needs,
            with_schema=scenario.opening.schema is not None,
        )
        for name, scenario in concurrency.SCENARIOS.items()
        for number in scenario.numbers
    },
    "trial.kill.acknowledged": TrialKind("durable", ("PS-GUA-001",), kill.acknowledged),
    "trial.kill.in-flight": TrialKind("durable", ("PS-GUA-001",), kill.in_flight),
    "trial.kill.batch": TrialKind("durable", ("PS-GUA-001",), kill.batch),
    "trial.kill.removal": TrialKind("durable", ("PS-GUA-001",), kill.removal),
    "trial.kill.status": TrialKind("durable", ("PS-GUA-001",), kill.status, ("status", "source")),
    "trial.kill.next-writer": TrialKind("concurrent-writers", ("PS-GUA-004",), kill.next_writer),
    "trial.mixed.writers": TrialKind(
        "yaml-layout", ("PS-WRT-002", "PS-WRT-003", "PS-WRT-009"), mixed.writers
    ),
    "trial.mixed.exchange": TrialKind(
        "yaml-layout", ("PS-YAML-016", "PS-YAML-021"), mixed.exchange
    ),
    "trial.sql.new-database": TrialKind("sql-layout", ("PS-SQL-009",), new_database.trial),
}


@dataclass(frozen=True)
class Trial:
    """A trial of one target, to be called; `skip` says why it is not run."""

    id: str
    kind: TrialKind
    options: RunOptions
    capabilities: tuple[str, ...]
    folder: Path
    skip: tuple[Verdict, str] | None = None

    def __call__(self, pool: Pool) -> Result:
        """Make the trial with the processes of a pool, which no other trial uses meanwhile."""
        if self.skip is not None:
            return self._result(self.skip[0], note=self.skip[1])
        started = time.monotonic()
        try:
            verdict, problem, told = self._made(pool)
        except HarnessError as error:
            verdict, problem, told = (
                Verdict.ERROR,
                Problem(error.message, detail=error.detail),
                Told(),
            )
            pool.abandon()
        return self._result(verdict, problem, told.note, time.monotonic() - started, told.measured)

    def _made(self, pool: Pool) -> tuple[Verdict, Problem | None, Told]:
        folder = self.folder / self.id
        (folder / "store").mkdir(parents=True)
        stage = Stage(
            pool=pool,
            store=self.options.stores(folder / "store", self.id),
            capabilities=self.capabilities,
            random=random.Random(f"{self.options.seed}:{self.id}"),
        )
        try:
            if self.kind.profile == "sql-layout" and dialect_of(stage.store) is None:
                return Verdict.DISABLED, None, Told(NO_DATABASE)
            return Verdict.PASS, None, self.kind.make(stage)
        except VectorFailed as failed:
            answer = failed.answer and failed.answer.as_json()
            steps = [{"op": "trial", "id": self.id, "seed": self.options.seed}]
            problem = Problem(
                failed.message, steps, self.id, failed.expected, answer, failed.detail
            )
            return Verdict.FAIL, problem, Told()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _result(
        self,
        verdict: Verdict,
        problem: Problem | None = None,
        note: str = "",
        seconds: float = 0.0,
        measured: Mapping[str, Any] | None = None,
    ) -> Result:
        return Result(
            *(self.id, verdict, self.kind.requirements, self.kind.profile, problem, note, seconds),
            kind="trial",
            measured=measured or {},
        )


def planned(
    options: RunOptions, hello: Hello, judged: tuple[str, ...], folder: Path
) -> list[Trial]:
    """Return all trials, those that are not run with the reason."""
    from fnmatch import fnmatchcase

    trials = []
    for id, kind in ALL.items():
        if options.select and not any(fnmatchcase(id, pattern) for pattern in options.select):
            continue
        skip = None
        missing = [name for name in kind.needs if name not in hello.capabilities]
        if kind.profile not in judged:
            why = "was not asked for" if kind.profile in hello.profiles else "is not claimed"
            skip = (Verdict.DISABLED, f"the profile {kind.profile} {why}")
        elif options.quick:
            skip = (Verdict.DISABLED, "trials are left out of a quick run")
        elif missing:
            skip = (Verdict.UNSUPPORTED, f"the capability {missing[0]} is not claimed")
        elif kind.with_schema and "schema" not in hello.profiles:
            skip = (Verdict.UNSUPPORTED, "the profile schema is not claimed")
        trials.append(Trial(id, kind, options, hello.capabilities, folder, skip))
    return trials
