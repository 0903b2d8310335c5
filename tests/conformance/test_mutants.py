"""The gate on the suite itself: every mutant is caught by the rules that it breaks.

Through both drivers, one after the other: what catches it in process is tried on the program.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conformance_selfcheck.faulty_memory import FaultyMemory
from conformance_selfcheck.mutants import SPECIAL, Mutant, all_mutants, find_mutant
from conformance_selfcheck.mutants.gate import Caught, Gate, program_of
from pipestat_conformance.assessment import (
    exit_code,
    outcome,
    profile_outcomes,
    requirement_verdicts,
)
from pipestat_conformance.catalogue import load_catalogue
from pipestat_conformance.claims import ClaimError
from pipestat_conformance.drivers import Driver
from pipestat_conformance.drivers.in_process import InProcessDriver
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.options import RunOptions
from pipestat_conformance.reports.document import build_report, check_report
from pipestat_conformance.run import run
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.vectors import load_vectors
from pipestat_conformance.verdicts import Conclusion, ExitCode, Verdict

from tests import patience
from tests.environments import clean_environment
from tests.forking import running

MUTANTS = all_mutants()
BY_VECTORS = [name for name, mutant in MUTANTS.items() if not mutant.trials]
# What a mutant as a program imports.
IMPORTED = [
    *("pipestat_conformance.targets.operations", "conformance_selfcheck.mutants:all_mutants"),
    *("pipestat_spec.plugins.loading:plugins", "pipestat_yaml.local.backend"),
]
BY_TRIALS = [name for name, mutant in MUTANTS.items() if mutant.trials]


class Runs:
    """What came of the mutants so far."""

    def __init__(self, folder: Path, serve: Sequence[str]) -> None:
        self.gate = Gate(folder, serve)
        self._in_process: dict[str, list[Caught]] = {}

    def in_process(self, name: str) -> list[Caught]:
        if name not in self._in_process:
            self._in_process[name] = self.gate.in_process(MUTANTS[name])
        return self._in_process[name]

    def as_program(self, name: str) -> list[Caught]:
        candidates = [id for one in self.in_process(name) for id in one.by]
        return self.gate.as_program(MUTANTS[name], candidates)


@pytest.fixture(scope="module")
def serve() -> Iterator[list[str]]:
    """The command that serves a mutant: hundreds of mutants start it several times each."""
    with running(
        "conformance_selfcheck.serve", IMPORTED, environment=clean_environment()
    ) as command:
        yield command


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, serve: list[str]) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("mutants"), serve)
    yield runs
    runs.gate.close()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="pipestat_spec")


def assert_caught(mutant: Mutant, found: list[Caught]) -> None:
    assert [caught.requirement for caught in found] == list(mutant.breaks)
    for caught in found:
        assert caught.verdict is Verdict.FAIL, (
            f"{caught.requirement} does not catch: {mutant.title}"
        )
        assert caught.by


# The two of a mutant follow each other, and so are run in one process of the tests.
@pytest.mark.parametrize("driver", ["in_process", "as_program"])
@pytest.mark.parametrize("name", BY_VECTORS)
def test_caught(runs: Runs, name: str, driver: str) -> None:
    assert_caught(MUTANTS[name], getattr(runs, driver)(name))


@pytest.mark.parametrize("name", BY_TRIALS)
def test_caught_by_trials(runs: Runs, name: str) -> None:
    assert_caught(MUTANTS[name], runs.gate.in_trials(MUTANTS[name]))


def test_there_are_many() -> None:
    assert len(MUTANTS) >= 30


def test_each_is_explained_and_names_known_rules() -> None:
    for mutant in MUTANTS.values():
        assert mutant.title
        assert set(mutant.breaks) <= load_catalogue().keys()


def test_the_names_of_the_specials_are_their_own() -> None:
    assert not set(SPECIAL) & MUTANTS.keys()


def test_an_unknown_mutant_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no-such-mutant"):
        find_mutant("no-such-mutant")


def options_of(name: str, kind: str, folder: Path, serve: list[str]) -> RunOptions:
    stores = template(default_store())
    if kind == "in process":
        driver: Driver = InProcessDriver(find_mutant(name), {"path": str(folder / "r.yaml")})
        # What does much right takes long: one vector in three tells what it does not.
        some = [*load_vectors()[::3], *(v for v in load_vectors() if v.profile == "history")]
        vectors = list({vector.id: vector for vector in some}.values())
        return RunOptions(driver, stores, quick=True, vectors=vectors)
    # A program is started anew for each reopening, and after each vector that looks at files.
    vectors = [
        vector
        for vector in load_vectors()
        if not vector.interchange and all(step.op != "reopen" for step in vector.steps)
    ]
    for profile in ("reader", "yaml-layout"):
        own = [v for v in load_vectors() if v.profile == profile and not v.needs]
        vectors += own[:10]
    driver = SubprocessDriver(program_of(name, serve=serve), timeout=patience.SECONDS)
    return RunOptions(driver, stores, quick=True, vectors=vectors)


@pytest.mark.parametrize("kind", ["in process", "program"])
@pytest.mark.parametrize("name", SPECIAL)
def test_none_of_the_specials_is_conformant(
    name: str, kind: str, tmp_path: Path, serve: list[str]
) -> None:
    done = run(options_of(name, kind, tmp_path, serve))
    verdicts = requirement_verdicts(done.results, load_catalogue())
    if name == "claims-everything":
        assert set(done.judged) >= {"core", "yaml-layout", "sql-layout"}
        profiles = profile_outcomes(done, load_catalogue())
        assert profiles["yaml-layout"] is Conclusion.NOT_CONFORMANT
        assert profiles["history"] is Conclusion.CONFORMANT
    else:
        assert verdicts["PS-RES-011"] is verdicts["PS-RES-012"] is Verdict.FAIL
        profiles = profile_outcomes(done, load_catalogue())
        assert {profiles[name] for name in done.judged} == {Conclusion.NOT_CONFORMANT}
    assert exit_code(outcome(done, load_catalogue())) is ExitCode.NOT_CONFORMANT
    assert_told(build_report(done, load_catalogue()))


def assert_told(report: dict[str, Any]) -> None:
    """The report says what failed, by which rule, at which step, and how to repeat it."""
    check_report(report)
    assert report["outcome"] == Conclusion.NOT_CONFORMANT
    assert report["failures"]
    for failure in report["failures"]:
        assert failure["requirements"][0]["text"]
        assert failure["message"]
        assert failure["steps"]
        assert failure["id"] in failure["repeat"]


def test_a_claim_off_the_list_is_an_error(tmp_path: Path) -> None:
    target = find_mutant("claims-everything")
    assert isinstance(target, FaultyMemory)
    target.claimed_profiles = ("core", "fast")
    driver = InProcessDriver(target, {"path": str(tmp_path / "r.yaml")})
    with pytest.raises(ClaimError, match="fast"):
        run(RunOptions(driver, template(default_store()), quick=True))
