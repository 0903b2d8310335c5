"""Both databases in both layouts against the suite, trials included.

| Store | Vectors | Trials |
|---|---|---|
| SQLite | all | of 8 writers, of 32 that make all kinds of writes, `KILLED` |
| PostgreSQL | `storing_vectors`, and those of the tables | the same |
| SQLite in the layout `levels` | `WRITING`, `SEARCHING` | `IN_LEVELS` |
| PostgreSQL in the layout `levels` | `WRITING` | `IN_LEVELS` |
| behind a pooler | `WRITING` | none |

Values and identifiers are judged in the other layout, whose columns are the same, and searches of
a server in this one in test_queries_backends.py.
A pooler gives each transaction a connection: `WRITING` has reads, writes, batches, new tables and
what is refused, and test_pgbouncer.py has searches and locks. A trial of two writers, or of 32 that
make writes of one kind, is one of eight with more or less of the same.

With PIPESTAT_TRIALS=full all stores get all vectors, and both layouts all trials.
"""

from __future__ import annotations

import json
import re
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
WRITING = ("guarantees", "history", "records", "report", "status")
SEARCHING = ("query",)
# The trials of each test: none takes much longer than another, so that they can be shared out.
FEW_WRITERS = ["trial.writers.*.n8", *(["trial.writers.*.n2"] if FULL else [])]
MANY_WRITERS = ["trial.writers.*.n32" if FULL else "trial.writers.mixed.n32"]
MANY_WRITERS += ["trial.mixed.*", "trial.sql.*"]
KILLED = [f"trial.kill.{kind}" for kind in ("acknowledged", "in-flight", "next-writer", "status")]
KILLED_IN_LEVELS = ["trial.kill.batch", "trial.kill.removal"]
KILLED += KILLED_IN_LEVELS if FULL else []
IN_LEVELS = ["trial.writers.project-level.n8", "trial.writers.mixed.n8"]
IN_LEVELS += KILLED_IN_LEVELS

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


def vectors_of(*families: str) -> list[str]:
    """Return the options that choose families of vectors; with PIPESTAT_TRIALS=full none."""
    return [] if FULL else words("--vector", [f"{family}.*" for family in families])


@in_both_databases
def test_it_is_conformant(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    profiles, chosen = {*PROFILES, "sql-layout"}, []
    if database == "postgresql" and not FULL:
        profiles, chosen = STORED | {"sql-layout"}, [*storing_vectors(), *vectors_of("interchange")]
    check(tmp_path, store_of(database, postgres), profiles, *chosen)


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
    made = trials_of([*FEW_WRITERS, *MANY_WRITERS, *KILLED, *IN_LEVELS])
    if FULL:
        assert made == set(TRIALS)
    kinds = {re.sub(r"\.n\d+$", "", id) for id in TRIALS}
    assert {re.sub(r"\.n\d+$", "", id) for id in made} == kinds


def test_it_is_conformant_behind_a_pooler(postgres: PostgresServer, tmp_path: Path) -> None:
    pooler = PgBouncer(postgres)
    try:
        store = json.dumps({"url": pooler.url, "schema": "{unique}"})
        profiles = {"core", "schema", "history"}
        check(tmp_path, store, profiles, *words("--profile", PROFILES), *vectors_of(*WRITING))
    finally:
        pooler.stop()


@in_both_databases
def test_it_is_conformant_in_levels(
    database: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    store = store_of(database, postgres, layout="levels")
    families = [*WRITING, *(SEARCHING if database == "sqlite" else ())]
    profiles = {"core", "schema", "history", *(["query"] if database == "sqlite" else [])}
    check(tmp_path, store, profiles, *words("--profile", PROFILES), *vectors_of(*families))


@in_both_databases
def test_trials_in_levels(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    store = store_of(database, postgres, layout="levels")
    trials = [*FEW_WRITERS, *KILLED, *MANY_WRITERS[:1]] if FULL else IN_LEVELS
    options = [*words("--profile", PROFILES), *words("--vector", trials)]
    verdicts = run_trials(tmp_path, "sql", store, *options)
    assert verdicts == dict.fromkeys(trials_of(trials), "pass")
