"""Both databases in both layouts against the suite, trials included.

| Store | Vectors | Trials |
|---|---|---|
| SQLite | all | of 8 writers, of 32 that make all kinds of writes, `KILLED` |
| PostgreSQL | a third of those that store, and of those of the tables | the same |
| SQLite in the layout `levels` | a third of `WRITING`, `SEARCHING` | `IN_LEVELS` |
| PostgreSQL in the layout `levels` | a third of `WRITING` | `IN_LEVELS` |
| behind a pooler | a third of `WRITING` | none |

A third has each family and each operation of it (`one_in_three`). All stores translate and read
rows with the same code, of which SQLite is asked for everything. Each third begins elsewhere; what
a database does in its own way has tests of its own beside this one.
Values and identifiers are judged in the other layout, whose columns are the same, and searches of
a server in this one in test_queries_backends.py.
A pooler gives each transaction a connection: `WRITING` has reads, writes, batches, new tables and
what is refused, and test_pgbouncer.py has searches and locks. A trial of two writers, or of 32 that
make writes of one kind, is one of eight with more or less of the same. Whatever is written is one
transaction, so that the kinds of killed writers are shared out; test_processes.py kills
writers of both databases between and in their reports.

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
    STORING,
    TRIALS,
    notes_of_unsupported,
    one_in_three,
    passing_profiles,
    run_suite,
    run_trials,
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
# A trial of the next writer is one of a report in flight, which looks at the time as well.
# A report is two statements on SQLite, and hardly ever killed between them; a batch often is.
KILLED = {
    "sqlite": ["acknowledged", "in-flight", "batch"],
    "postgresql": ["next-writer", "status"],
}
KILLED_IN_LEVELS = {"sqlite": ["batch"], "postgresql": ["removal"]}
if FULL:
    KILLED = KILLED_IN_LEVELS = {"sqlite": ["*"], "postgresql": ["*"]}
IN_LEVELS = ["trial.writers.project-level.n8", "trial.writers.mixed.n8"]
if FULL:
    IN_LEVELS = [*FEW_WRITERS, *MANY_WRITERS[:1]]

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


def third_of(start: int, *families: str) -> list[str]:
    """Return the options that choose a third of some families; with PIPESTAT_TRIALS=full none."""
    return [] if FULL else one_in_three([f"{family}.*" for family in families], start)


def killed(kinds: dict[str, list[str]], database: str) -> list[str]:
    return [f"trial.kill.{kind}" for kind in kinds[database]]


@in_both_databases
def test_it_is_conformant(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    profiles, chosen = {*PROFILES, "sql-layout"}, []
    if database == "postgresql" and not FULL:
        profiles, chosen = STORED | {"sql-layout"}, third_of(0, *STORING, "interchange")
    check(tmp_path, store_of(database, postgres), profiles, *chosen)


@in_both_databases
@pytest.mark.parametrize("kind", ["few writers", "many writers", "killed"])
def test_trials(database: str, kind: str, postgres: PostgresServer, tmp_path: Path) -> None:
    writers = {"few writers": FEW_WRITERS, "many writers": MANY_WRITERS}
    trials = writers.get(kind) or killed(KILLED, database)
    store = store_of(database, postgres)
    verdicts = run_trials(tmp_path, "sql", store, *words("--vector", trials))
    # Only programs that share a file have trials of another profile.
    assert {id for id, verdict in verdicts.items() if verdict != "pass"} == MIXED & set(verdicts)
    assert verdicts.keys() == trials_of(trials)


def test_the_trials_are_all() -> None:
    made = trials_of([*FEW_WRITERS, *MANY_WRITERS, *IN_LEVELS])
    for kinds in (KILLED, KILLED_IN_LEVELS):
        made |= {id for database in kinds for id in trials_of(killed(kinds, database))}
    if FULL:
        assert made == set(TRIALS)
    kinds_of_all = {re.sub(r"\.n\d+$", "", id) for id in TRIALS}
    assert {re.sub(r"\.n\d+$", "", id) for id in made} == kinds_of_all


def test_it_is_conformant_behind_a_pooler(postgres: PostgresServer, tmp_path: Path) -> None:
    pooler = PgBouncer(postgres)
    try:
        store = json.dumps({"url": pooler.url, "schema": "{unique}"})
        profiles = {"core", "schema", "history"}
        check(tmp_path, store, profiles, *words("--profile", PROFILES), *third_of(1, *WRITING))
    finally:
        pooler.stop()


@in_both_databases
def test_it_is_conformant_in_levels(
    database: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    store = store_of(database, postgres, layout="levels")
    families = [*WRITING, *(SEARCHING if database == "sqlite" else ())]
    start = 1 if database == "sqlite" else 2
    profiles = {"core", "schema", "history", *(["query"] if database == "sqlite" else [])}
    check(tmp_path, store, profiles, *words("--profile", PROFILES), *third_of(start, *families))


@in_both_databases
def test_trials_in_levels(database: str, postgres: PostgresServer, tmp_path: Path) -> None:
    store = store_of(database, postgres, layout="levels")
    trials = [*IN_LEVELS, *killed(KILLED_IN_LEVELS, database)]
    options = [*words("--profile", PROFILES), *words("--vector", trials)]
    verdicts = run_trials(tmp_path, "sql", store, *options)
    assert verdicts == dict.fromkeys(trials_of(trials), "pass")
