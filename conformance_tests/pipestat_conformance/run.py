"""A run: which vectors, on which target, and what comes of them."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from pipestat_conformance.claims import (
    EXCLUDED_BY,
    TRIAL_PROFILES,
    check_claims,
    probes,
    refused_identifier,
    with_needed,
)
from pipestat_conformance.drivers import HarnessError, Hello
from pipestat_conformance.executor import Executor
from pipestat_conformance.known_failures import KnownFailures
from pipestat_conformance.options import RunOptions
from pipestat_conformance.vectors import Vector, load_vectors
from pipestat_conformance.verdicts import Problem, Result, Verdict

if TYPE_CHECKING:
    from pipestat_conformance.trials import Trial, TrialKind
    from pipestat_conformance.trials.pool import Pool

# So many harness errors in a row, and the rest is given up; all of it counts as an error.
BROKEN = 5
__all__ = ["BROKEN", "Run", "judged_profiles", "run", "skip_reason"]


@dataclass(frozen=True)
class Run:
    """What came of a run: the results in the order of their ids, and all that explains them."""

    options: RunOptions
    hello: Hello
    judged: tuple[str, ...]
    results: Sequence[Result]
    complaints: Sequence[str]
    folder: str
    started: datetime
    seconds: float


def run(options: RunOptions) -> Run:
    """Run everything; raises HarnessError when the target does not even say hello.

    Raises ClaimError for claims beyond the closed lists, LookupError for an unknown id.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    hello = options.driver.hello()
    check_claims(hello.capabilities, hello.profiles, hello.refused_identifiers)
    judged = judged_profiles(options, hello)
    vectors = load_vectors() if options.vectors is None else tuple(options.vectors)
    probed = probes(hello.capabilities, hello.refused_identifiers)
    todo = _selected([*vectors, *probed], options.select)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        results = _run_all(options, hello, judged, todo, Path(folder))
    results = options.known.applied(sorted(results, key=lambda result: result.id))
    if not options.select:
        complaints = options.known.complaints(results, started.date())
    else:
        chosen = {result.id for result in results}
        known = [entry for entry in options.known.entries if entry.id in chosen]
        complaints = KnownFailures(known).complaints(results, started.date())
    return Run(
        options, hello, judged, results, complaints, folder, started, time.monotonic() - clock
    )


def judged_profiles(options: RunOptions, hello: Hello) -> tuple[str, ...]:
    """Return the profiles that the run is about, and those that they need."""
    wanted = with_needed(hello.profiles if options.profiles is None else options.profiles)
    return tuple(name for name in wanted if not (options.quick and name in TRIAL_PROFILES))


def _selected(vectors: Sequence[Vector], select: Sequence[str]) -> list[Vector]:
    if not select:
        return list(vectors)
    from pipestat_conformance.trials import ALL

    ids = [*(vector.id for vector in vectors), *ALL]
    for pattern in select:
        if not any(fnmatchcase(id, pattern) for id in ids):
            raise LookupError(f"there is no vector or trial {pattern!r}")
    return [v for v in vectors if any(fnmatchcase(v.id, pattern) for pattern in select)]


def skip_reason(vector: Vector, hello: Hello, judged: Iterable[str]) -> tuple[Verdict, str] | None:
    """Return why a vector is not run on a target that says this of itself, or None."""
    claimed = with_needed(hello.profiles)
    if vector.profile not in judged:
        asked = vector.profile in claimed
        why = "was not asked for" if asked else "is not claimed"
        return Verdict.DISABLED, f"the profile {vector.profile} {why}"
    if vector.opening.schema is not None and "schema" not in claimed:
        return Verdict.UNSUPPORTED, "the profile schema is not claimed"
    missing = [name for name in vector.needs if name not in hello.capabilities]
    if missing:
        other = EXCLUDED_BY.get(missing[0])
        if other in hello.capabilities:
            return Verdict.DISABLED, f"the capability {other} excludes {missing[0]}"
        return Verdict.UNSUPPORTED, f"the capability {missing[0]} is not claimed"
    excluding = [name for name in vector.unless if name in hello.capabilities]
    if excluding:
        return Verdict.UNSUPPORTED, f"the capability {excluding[0]} is claimed"
    refused = refused_identifier(vector, hello.refused_identifiers)
    if refused is not None:
        return Verdict.UNSUPPORTED, f"the store holds no record {refused!r}"
    return None


def _run_all(
    options: RunOptions, hello: Hello, judged: tuple[str, ...], todo: list[Vector], folder: Path
) -> list[Result]:
    executor = Executor(options.driver, options.stores, folder, options.reader)
    # A fault must not hide behind the order; the seed makes it come again.
    random.Random(options.seed).shuffle(todo)
    # A program is started anew for another time zone; the one that said hello runs in UTC.
    todo.sort(key=lambda vector: (vector.timezone != "UTC", vector.timezone))
    from pipestat_conformance.trials import planned
    from pipestat_conformance.trials.pool import Pool

    trials = planned(options, hello, judged, folder)
    results: list[Result] = []
    total = len(todo) + len(trials)

    def done(result: Result) -> None:
        results.append(result)
        if options.progress is not None:
            options.progress(len(results), total, result)

    broken = 0
    for vector in todo:
        reason = skip_reason(vector, hello, judged)
        if reason is not None:
            done(_skipped(vector, *reason))
        elif broken == BROKEN:
            done(_not_reached(vector.id, vector))
        else:
            result = executor.run(vector)
            broken = broken + 1 if result.verdict is Verdict.ERROR else 0
            done(result)
    results += _ended(executor.close)
    if broken == BROKEN:
        for trial in trials:
            skipped = trial.skip and Result(
                *(trial.id, trial.skip[0], trial.kind.requirements, trial.kind.profile),
                note=trial.skip[1],
                kind="trial",
            )
            done(skipped or _not_reached(trial.id, trial.kind))
        return results
    pools = [Pool(options, hello) for _ in range(options.jobs)]
    for result in _tried(trials, pools):
        done(result)
    for pool in pools:
        results += _ended(pool.close)
    return results


def _tried(trials: Sequence[Trial], pools: Sequence[Pool]) -> Iterator[Result]:
    """Make the trials, as many at once as there are pools, and yield what comes of each."""
    free: SimpleQueue[Pool] = SimpleQueue()
    for pool in pools:
        free.put(pool)

    def made(trial: Trial) -> Result:
        pool = free.get()
        try:
            return trial(pool)
        finally:
            free.put(pool)

    with ThreadPoolExecutor(len(pools)) as threads:
        for future in as_completed([threads.submit(made, trial) for trial in trials]):
            yield future.result()


def _ended(close: Callable[[], None]) -> list[Result]:
    try:
        close()
    except HarnessError as error:
        return [_ended_badly(error)]
    return []


def _ended_badly(error: HarnessError) -> Result:
    problem = Problem(error.message, detail=error.detail)
    return Result("harness.end", Verdict.ERROR, (), problem=problem, kind="harness")


def _skipped(vector: Vector, verdict: Verdict, note: str) -> Result:
    return Result(vector.id, verdict, vector.requirements, vector.profile, note=note)


def _not_reached(id: str, what: Vector | TrialKind) -> Result:
    problem = Problem(f"not reached: the harness broke {BROKEN} times, one after the other")
    return Result(id, Verdict.ERROR, what.requirements, what.profile, problem)
