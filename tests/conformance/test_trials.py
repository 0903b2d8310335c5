"""Trials with processes: they find a writer that loses, tears or holds up."""

from __future__ import annotations

import random
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pipestat_conformance.drivers import Hello, VectorFailed
from pipestat_conformance.drivers.program import SubprocessDriver
from pipestat_conformance.options import RunOptions
from pipestat_conformance.run import run
from pipestat_conformance.stores import default_store, template
from pipestat_conformance.trials import ALL, concurrency, kill, mixed, planned
from pipestat_conformance.trials.pool import Pool, Stage
from pipestat_conformance.verdicts import Verdict

from tests import patience
from tests.conformance.conftest import REPORTED, vector
from tests.conformance.suite_runs import served

SERVE = [sys.executable, "-m", "pipestat_conformance.serve", "--backend"]
FAULTY = [sys.executable, str(Path(__file__).with_name("faulty_writer.py"))]

MakeStage = Callable[[list[str]], Stage]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[MakeStage]:
    pools: list[Pool] = []

    def make(program: list[str]) -> Stage:
        driver = SubprocessDriver(program, timeout=patience.SECONDS)
        options = RunOptions(driver, template(default_store()), peer=program)
        hello = driver.hello()
        driver.close()
        pools.append(Pool(options, hello))
        capabilities = () if hello.name == "faulty" else hello.capabilities
        store = {"path": str(tmp_path / "results.yaml")}
        return Stage(pools[-1], store, capabilities, random.Random(1))

    yield make
    for pool in pools:
        pool.abandon()


@pytest.mark.parametrize("scenario", ["different-records", "different-results", "first-report"])
def test_a_lost_update_is_found(stage: MakeStage, scenario: str) -> None:
    with pytest.raises(VectorFailed, match=r"acknowledged \d+ results in \d+ records, stored"):
        concurrency.trial(concurrency.SCENARIOS[scenario], 4)(stage([*FAULTY, "loses"]))


def test_a_lost_history_is_found(stage: MakeStage) -> None:
    # Every value that was replaced has to stand in the history.
    made = stage([*FAULTY, "loses"])
    made.capabilities = ("history",)
    with pytest.raises(VectorFailed, match="the history holds"):
        concurrency.trial(concurrency.SCENARIOS["same-result"], 4)(made)


def test_a_writer_that_fails_because_of_another_is_found(stage: MakeStage) -> None:
    with pytest.raises(VectorFailed, match="report failed: store"):
        concurrency.trial(concurrency.SCENARIOS["different-records"], 4)(
            stage([*FAULTY, "gives-up"])
        )


def test_a_reader_that_sees_half_a_write_is_found(stage: MakeStage) -> None:
    with pytest.raises(VectorFailed, match="reader: "):
        concurrency.trial(concurrency.SCENARIOS["different-records"], 4)(stage([*FAULTY, "tears"]))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill, "TRIALS", 4)


@pytest.mark.usefixtures("few")
def test_an_acknowledgement_before_the_write_is_found(stage: MakeStage) -> None:
    with pytest.raises(VectorFailed, match=r"not there after SIGKILL|not-found"):
        kill.acknowledged(stage([*FAULTY, "late"]))


def test_a_torn_write_is_found(stage: MakeStage) -> None:
    with pytest.raises(VectorFailed, match=r"neither the old nor the new|failed"):
        kill.in_flight(stage([*FAULTY, "in-place"]))


def test_a_stale_lock_is_found(stage: MakeStage) -> None:
    with pytest.raises(VectorFailed, match="the next writer took"):
        kill.next_writer(stage([*FAULTY, "stale-lock"]))


def test_mixed_writers_and_readers(stage: MakeStage) -> None:
    with served("yaml", '{"path": "{tmp}/results.yaml"}') as command:
        made = stage(shlex.split(command))
        assert "acknowledged 24, stored 24, 9 times" in mixed.writers(made).note
        assert mixed.exchange(made).note == f"{len(mixed.VALUES)} values, both ways"
        made.pool.abandon()


def test_another_program_that_locks_otherwise_is_found(tmp_path: Path) -> None:
    options = RunOptions(
        SubprocessDriver([*FAULTY, "loses"], timeout=patience.SECONDS),
        template(default_store()),
        peer=[*FAULTY, "correct"],
    )
    pool = Pool(options, options.driver.hello())
    store = {"path": str(tmp_path / "results.yaml")}
    try:
        with pytest.raises(VectorFailed, match="stored"):
            mixed.writers(Stage(pool, store, (), random.Random(1)))
    finally:
        pool.abandon()
        options.driver.abandon()


def test_trials_are_planned_by_claims_and_selection(tmp_path: Path) -> None:
    options = RunOptions(SubprocessDriver([*SERVE, "yaml"]), template(default_store()))
    hello = Hello("t", "1", "x", (), ("core", "durable"))
    trials = planned(options, hello, ("core", "durable"), tmp_path)
    assert [trial.id for trial in trials] == list(ALL)
    run_at_all = {trial.id for trial in trials if trial.skip is None}
    kinds = ("acknowledged", "in-flight", "batch", "removal")
    assert run_at_all == {f"trial.kill.{kind}" for kind in kinds}
    status = next(trial for trial in trials if trial.id == "trial.kill.status")
    assert status.skip == (Verdict.UNSUPPORTED, "the capability status is not claimed")
    options.select = ["trial.mixed.*"]
    trials = planned(options, hello, ("core",), tmp_path)
    pool = Pool(options, hello)
    assert [trial(pool).verdict for trial in trials] == [Verdict.DISABLED] * 2


def test_a_trial_gives_a_result_of_the_run() -> None:
    driver = SubprocessDriver([*FAULTY, "loses"], timeout=patience.SECONDS)
    options = RunOptions(
        driver,
        template(default_store()),
        vectors=[vector(REPORTED)],
        profiles=["concurrent-writers"],
        select=["trial.writers.different-records.n8", "sample.reported"],
        seed=5,
    )
    done = run(options)
    trial = next(result for result in done.results if result.kind == "trial")
    assert trial.verdict is Verdict.FAIL
    assert trial.requirements == ("PS-GUA-002", "PS-GUA-003")
    assert trial.problem is not None
    assert trial.problem.steps[0]["seed"] == 5


def test_several_trials_at_once_come_to_the_same() -> None:
    options = RunOptions(
        SubprocessDriver([*SERVE, "memory"], timeout=patience.SECONDS),
        template(default_store()),
        vectors=[],
        select=["trial.writers.different-*.n2", "trial.writers.same-result.n2"],
        jobs=3,
    )
    done = run(options)
    assert [(r.id, r.verdict) for r in done.results] == [
        ("trial.writers.different-records.n2", Verdict.PASS),
        ("trial.writers.different-results.n2", Verdict.PASS),
        ("trial.writers.same-result.n2", Verdict.PASS),
    ]


def test_the_faulty_writer_is_correct_without_a_fault(stage: MakeStage) -> None:
    # What the tests above find is the fault, and nothing else.
    made = stage([*FAULTY, "correct"])
    path = made.store["path"]
    simple = {name: s for name, s in concurrency.SCENARIOS.items() if not s.needs}
    made.capabilities = ("history",)
    for name, scenario in simple.items():
        made.store = {"path": path + name}
        concurrency.trial(scenario, 4)(made)
