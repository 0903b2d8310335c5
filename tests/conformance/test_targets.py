"""Our own backends against the whole suite, trials included: conformant in all that they claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pipestat_conformance.claims import TRIAL_PROFILES
from pipestat_conformance.trials import ALL

from tests.conformance.suite_runs import (
    FULL,
    notes_of_unsupported,
    one_of_each_trial,
    passing_profiles,
    run_suite,
    run_trials,
    storing_vectors,
    trials_of,
    words,
)

STORED = {
    *("emitter", "core", "schema", "documents"),
    *("history", "query", "qc", "concurrent-writers", "exact-integers"),
}
# The profiles whose vectors `storing_vectors` leaves out.
DECIDED_BEFORE = set() if FULL else {"emitter", "documents", "qc"}
KILLS = {id for id in ALL if id.startswith("trial.kill.")}
MIXED = {"trial.mixed.writers", "trial.mixed.exchange"}


@dataclass(frozen=True)
class Target:
    """A backend and a store; profiles that it has to pass, and what nobody asks of it.

    `left_out` are vectors that nobody has to pass (spec/README.md), by the note that they get, and
    `not_tried` the trials of which the same is true. `asked` are the profiles that it is judged
    on, all that it claims where there are none; `vectors` choose some, as do the patterns `trials`.
    """

    store: str
    profiles: set[str]
    not_tried: set[str]
    backend: str = "yaml"
    asked: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    vectors: list[str] = field(default_factory=list)
    trials: list[str] = field(default_factory=one_of_each_trial)


# The one store that gets all vectors and kinds of trials. Two and many writers are so many in one
# trial, which makes what the others of 2 and of 32 make.
ALL_KINDS = ["trial.writers.mixed.n2", "trial.writers.*.n8", "trial.writers.mixed.n32"]
ALL_KINDS += ["trial.kill.*", "trial.mixed.*", "trial.sql.*"]
# For a store that locks and writes its one file as that one does: its text is another.
OTHER_TEXT = ["trial.writers.mixed.n8", "trial.writers.project-level.n8", "trial.kill.batch"]
OTHER_TEXT += ["trial.kill.next-writer", "trial.mixed.*"]
TARGETS = {
    "memory": Target(
        '{"path": "{tmp}/results.yaml"}',
        STORED,
        # It may forget when a process is killed, but nobody may have to wait.
        KILLS - {"trial.kill.next-writer"} | MIXED,
        backend="memory",
        left_out={"capability multi-namespace"},
    ),
    "yaml": Target(
        '{"path": "{tmp}/results.yaml"}',
        STORED | {"durable", "yaml-layout"},
        set(),
        trials=["trial.*"] if FULL else ALL_KINDS,
    ),
    # A file that lies there in the other layout contradicts a configured one, so `yaml-layout`,
    # whose vectors bring both, is judged where the file decides.
    "yaml-levels": Target(
        '{"path": "{tmp}/results.yaml", "layout": "levels"}',
        (STORED | {"durable"}) - DECIDED_BEFORE,
        MIXED,
        asked=words("--profile", STORED | {"durable"}),
        vectors=storing_vectors(),
        trials=["trial.*"] if FULL else OTHER_TEXT,
    ),
    "yaml-one-file-per-record": Target(
        '{"path": "{tmp}/{record_identifier}.yaml"}',
        (STORED | {"durable", "yaml-layout"}) - DECIDED_BEFORE,
        set(),
        left_out={"capability atomic-batch", "capability multi-namespace"},
        # Those about files name the file: they are the same here as for one file.
        vectors=storing_vectors(),
    ),
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_conformant(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    options = ["--backend", target.backend, "--store", target.store]
    report = run_suite(tmp_path, *options, *target.asked, *target.vectors, "--quick")
    assert report["outcome"] == ("selection" if target.vectors else "conformant")
    judged = passing_profiles(report)
    assert judged >= target.profiles - set(TRIAL_PROFILES)
    for profile in judged:
        assert report["profiles"][profile]["outcome"] == report["outcome"]
    notes = notes_of_unsupported(report)
    assert not [note for note in notes if not any(reason in note for reason in target.left_out)]


@pytest.mark.parametrize("name", TARGETS)
def test_no_trial_finds_a_fault(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    options = [*words("--vector", target.trials), *target.asked]
    verdicts = run_trials(tmp_path, target.backend, target.store, *options)
    assert verdicts.keys() == trials_of(target.trials)
    not_passed = {id: verdict for id, verdict in verdicts.items() if verdict != "pass"}
    assert not_passed.keys() == (target.not_tried | {"trial.sql.new-database"}) & verdicts.keys()
    assert set(not_passed.values()) <= {"disabled", "unsupported"}


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    options = [*words("--vector", ["emitter.*", "query.*"]), "--backend", "memory", "--seed", "7"]
    first, second = (run_suite(tmp_path / str(number), *options) for number in range(2))
    assert first["counts"]["pass"] > 150
    assert first.pop("times")
    assert second.pop("times")
    assert first == second
