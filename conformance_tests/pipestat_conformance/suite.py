"""`suite`: a pytest class with one test for each vector and trial."""

from __future__ import annotations

import shlex
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipestat_conformance.claims import check_claims, probes
from pipestat_conformance.drivers import Driver
from pipestat_conformance.executor import Executor, Reader
from pipestat_conformance.options import RunOptions
from pipestat_conformance.pytest_plugin import REPORT_OPTION
from pipestat_conformance.run import Run, judged_profiles, skip_reason
from pipestat_conformance.stores import StoreFactory, default_store, template
from pipestat_conformance.trials import ALL, Trial, planned
from pipestat_conformance.trials.pool import Pool
from pipestat_conformance.vectors import Vector, load_vectors
from pipestat_conformance.verdicts import Problem, Result, Verdict

__all__ = ["suite"]


def suite(
    backend: str | None = None,
    store: Callable[[Path], Mapping[str, Any]] | None = None,
    profiles: Sequence[str] | None = None,
    reader: Reader | None = None,
    *,
    command: str | Sequence[str] | None = None,
    timeout: float = 30.0,
    seed: int = 0,
) -> type:
    """Return a test class for a backend, by its plugin's name, or for a harness `command`.

    `store` gets a fresh folder and returns the store. `profiles` None judges all that the
    target claims. `reader(store, level)` reads a store by other means: what it returns,
    `{record: {result: value}}`, has to be what the target says. Trials with processes bear
    the mark `slow` where it is registered, and are called `test_trial` in any case.
    """
    stores: StoreFactory | None = None
    if store is not None:
        made = store

        def stores(folder: Path, name: str) -> Mapping[str, Any]:  # noqa: ARG001
            return made(folder)

    if (backend is None) == (command is None):
        raise TypeError("suite() takes the name of a backend, or a command")
    words = shlex.split(command) if isinstance(command, str) else command
    return _class_of(_Target(backend, words, stores, profiles, reader, timeout, seed))


@dataclass(frozen=True)
class _Target:
    """What the tests of one class share; opened when the first of them runs."""

    backend: str | None
    command: Sequence[str] | None
    given_stores: StoreFactory | None
    profiles: Sequence[str] | None
    reader: Reader | None
    timeout: float
    seed: int

    def stores(self, profiles: Sequence[str] = ()) -> StoreFactory:
        """Return the stores that were given, or else those for what the target claims."""
        return self.given_stores or template(default_store(self.backend, profiles))

    def driver(self, folder: Path) -> Driver:
        """Return a driver; `folder` is where the store lies that is asked for capabilities."""
        if self.command is not None:
            from pipestat_conformance.drivers.program import SubprocessDriver

            return SubprocessDriver(self.command, timeout=self.timeout, spare=True)
        from pipestat_conformance.drivers.in_process import InProcessDriver
        from pipestat_conformance.targets import find_target

        assert self.backend is not None
        probe = self.stores()(folder, "probe")
        return InProcessDriver(find_target(self.backend), probe, ("--backend", self.backend))


def _class_of(target: _Target) -> type:
    vectors = {vector.id: vector for vector in [*load_vectors(), *probes((), "")]}

    class TestConformance:
        """One test for each vector; made by `pipestat_conformance.suite`."""

        _opened: _Opened | None = None
        _failure: Exception | None = None

        @classmethod
        def teardown_class(cls) -> None:
            if cls._opened is not None:
                cls._opened.close()

        def _target(self, request: pytest.FixtureRequest) -> _Opened:
            cls = type(self)
            # A target that does not even open is asked once, and not for every vector.
            if cls._failure is not None:
                raise cls._failure
            if cls._opened is None:
                try:
                    cls._opened = _Opened(target, _report_folder(request))
                except Exception as error:
                    cls._failure = error
                    raise
            return cls._opened

        @pytest.mark.parametrize("vector", sorted(vectors))
        def test_vector(self, vector: str, request: pytest.FixtureRequest) -> None:
            opened = self._target(request)
            reason = opened.skipped(vectors[vector])
            if reason is not None:
                pytest.skip(reason)
            _tell(opened.done(opened.executor.run(vectors[vector])))

        @_slow
        @pytest.mark.parametrize("trial", sorted(ALL))
        def test_trial(self, trial: str, request: pytest.FixtureRequest) -> None:
            opened = self._target(request)
            _tell(opened.done(opened.trials()[trial](opened.pool)))

    return TestConformance


class _Opened:
    """The target of a class, once it has said hello."""

    def __init__(self, target: _Target, report_folder: Path | None = None) -> None:
        self._report_folder = report_folder
        self._results: list[Result] = []
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        self._temporary = tempfile.TemporaryDirectory(prefix="conformance-")
        self.folder = folder = Path(self._temporary.name)
        (folder / "probe").mkdir()
        self.driver = target.driver(folder / "probe")
        self.hello = self.driver.hello()
        check_claims(self.hello.capabilities, self.hello.profiles, self.hello.refused_identifiers)
        stores = target.stores(self.hello.profiles)
        self.options = RunOptions(
            self.driver,
            stores,
            profiles=target.profiles,
            seed=target.seed,
            reader=target.reader,
        )
        self.judged = judged_profiles(self.options, self.hello)
        self.executor = Executor(self.driver, stores, folder, self.options.reader)
        self._trials: Mapping[str, Trial] | None = None
        self.pool = Pool(self.options, self.hello)
        self._probes = {
            probe.id for probe in probes(self.hello.capabilities, self.hello.refused_identifiers)
        }

    def skipped(self, vector: Vector) -> str | None:
        """Return why a vector is not run, or None."""
        if vector.id.startswith("probe.") and vector.id not in self._probes:
            return "the capability is claimed, or the identifier is held"
        reason = skip_reason(vector, self.hello, self.judged)
        if reason is None:
            return None
        verdict, note = reason
        self.done(Result(vector.id, verdict, vector.requirements, vector.profile, note=note))
        return note

    def done(self, result: Result) -> Result:
        """Keep a result for the report."""
        self._results.append(result)
        return result

    def trials(self) -> Mapping[str, Trial]:
        """Return the trials of this target by id."""
        if self._trials is None:
            found = planned(self.options, self.hello, self.judged, self.folder)
            self._trials = {trial.id: trial for trial in found}
        return self._trials

    def close(self) -> None:
        """End what was started and write the report, when one is asked for; raises HarnessError."""
        with self._temporary:
            self.executor.close()
            self.pool.close()
        if self._report_folder is not None:
            self._write_report(self._report_folder)

    def _write_report(self, folder: Path) -> None:
        from pipestat_conformance.catalogue import load_catalogue
        from pipestat_conformance.reports.document import build_report
        from pipestat_conformance.reports.files import write_report

        results = sorted(self._results, key=lambda result: result.id)
        everything = {*(v.id for v in load_vectors()), *self._probes, *ALL}
        # Tests that were not selected leave no verdict on conformance.
        part = {result.id for result in results} < everything
        options = replace(self.options, select=[r.id for r in results] if part else ())
        seconds = time.monotonic() - self._clock
        run = Run(
            *(options, self.hello, self.judged, results, ()),
            *(str(self.folder), self._started, seconds),
        )
        write_report(build_report(run, load_catalogue()), folder)


def _report_folder(request: pytest.FixtureRequest) -> Path | None:
    folder = request.config.getoption(REPORT_OPTION, None)
    if folder is None:
        return None
    if hasattr(request.config, "workerinput"):
        raise pytest.UsageError(f"{REPORT_OPTION} needs one process: leave out -n of pytest-xdist")
    # The name that the class was given in the module; classes that `suite` makes share theirs.
    collected = request.node.getparent(pytest.Class)
    return Path(folder) / (collected.name if collected else "suite")


def _slow(function: Any) -> Any:
    """Mark a test as slow, unless strict markers know no such mark."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pytest.mark.slow(function)
        except pytest.fail.Exception:
            return function


def _tell(result: Result) -> None:
    if result.verdict in (Verdict.DISABLED, Verdict.UNSUPPORTED):
        pytest.skip(result.note)
    if result.verdict is not Verdict.PASS:
        pytest.fail(_text(result), pytrace=False)


def _text(result: Result) -> str:
    from pipestat_conformance.catalogue import rule_texts
    from pipestat_conformance.reports.summary import failure_text
    from pipestat_conformance.special_values import encode

    problem = result.problem or Problem("no reason is known")
    return failure_text(
        {
            "id": result.id,
            "verdict": result.verdict.value,
            "requirements": [
                {"id": id, "title": "", "text": rule_texts().get(id, "")}
                for id in result.requirements
            ],
            "message": problem.message,
            "step": problem.step,
            "steps": [encode(step) for step in problem.steps],
            "actual": encode(problem.actual),
            "detail": problem.detail,
            "repeat": f"pytest -k '{result.id}'",
        }
    )
