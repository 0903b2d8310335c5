"""Both databases in both layouts against the suite, trials included.

| Store | Vectors | Trials |
|---|---|---|
| SQLite, PostgreSQL | all | all |
| both in the layout `levels` | `storing_vectors` | of 2 and 8 writers, of killed ones |
| behind a pooler | `storing_vectors` | none |

With PIPESTAT_TRIALS=full the layout `levels` gets all, and the pooler all vectors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipestat_conformance.claims import TRIAL_PROFILES

from tests.conformance.suite_runs import (
    FULL,
    TRIALS,
    notes_of_unsupported,
    passing_profiles,
    run_suite,
    run_trials,
    storing_vectors,
    trials_of,
    words,
)
from tests.sql.poolers import PgBouncer
from tests.sql.servers import PostgresServer

MIXED = {"trial.mixed.writers", "trial.mixed.exchange"}
# A database that lies there in the other layout contradicts a configured one, so `sql-layout`,
# whose vectors bring both, is judged where the database decides.
PROFILES = {
    *("core", "schema", "documents", "history", "query", "qc"),
    *("concurrent-writers", "durable", "exact-integers"),
}
STORED = {"core", "schema", "history", "query", "exact-integers"}
# The trials of each test: none takes much longer than another, so that they can be shared out.
FEW_WRITERS = ["trial.writers.*.n2", "trial.writers.*.n8"]
MANY_WRITERS = ["trial.writers.*.n32", "trial.mixed.*", "trial.sql.*"]
KILLED = ["trial.kill.*"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
in_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def store_of(database: str, postgres: PostgresServer, **options: str) -> str:
    store = {"url": "sqlite:///{tmp}/results.sqlite", **options}
    if database == "postgresql":
        url = postgres.url(postgres.new_database())
        store = {"url": url, "schema": "{unique}", **options}
    return json.dumps(store)


def check(folder: Path, store: str, profiles: set[str], *options: str) -> None:
    options = ("--backend", "sql", "--store", store, "--quick", *options)
    report: dict[str, Any] = run_suite(folder, *options)
    assert report["outcome"] == ("selection" if "--vector" in options else "conformant")
    assert passing_profiles(report) >= profiles - set(TRIAL_PROFILES)
    assert not notes_of_unsupported(report)


@in_both_databases
def test_it_is_conformant(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    check(tmp_path, store_of(database, postgres), {*PROFILES, "sql-layout"})


@in_both_databases
@pytest.mark.parametrize(
    "trials", [FEW_WRITERS, MANY_WRITERS, KILLED], ids=["few writers", "many writers", "killed"]
)
def test_trials(database: str, trials: list[str], postgres: PostgresServer, tmp_path: Path) -> None:
    store = store_of(database, postgres)
    verdicts = run_trials(tmp_path, "sql", store, *words("--vector", trials))
    # Only programs that share a file have trials of another profile.
    assert {id for id, verdict in verdicts.items() if verdict != "pass"} == MIXED & set(verdicts)
    assert verdicts.keys() == trials_of(trials)


def test_the_trials_are_all() -> None:
    assert trials_of([*FEW_WRITERS, *MANY_WRITERS, *KILLED]) == set(TRIALS)


def test_it_is_conformant_behind_a_pooler(postgres: PostgresServer, tmp_path: Path) -> None:
    pooler = PgBouncer(postgres)
    try:
        store = json.dumps({"url": pooler.url, "schema": "{unique}"})
        check(tmp_path, store, STORED, *words("--profile", PROFILES), *storing_vectors())
    finally:
        pooler.stop()


@in_both_databases
def test_it_is_conformant_in_levels(
    database: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    store = store_of(database, postgres, layout="levels")
    check(tmp_path, store, STORED, *words("--profile", PROFILES), *storing_vectors())


@in_both_databases
def test_trials_in_levels(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    # Those of 32 writers, which take longest, are made in the other layout.
    store = store_of(database, postgres, layout="levels")
    trials = [*FEW_WRITERS, *KILLED, *(MANY_WRITERS[:1] if FULL else ())]
    options = [*words("--profile", PROFILES), *words("--vector", trials)]
    verdicts = run_trials(tmp_path, "sql", store, *options)
    assert verdicts == dict.fromkeys(trials_of(trials), "pass")
